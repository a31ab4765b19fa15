/* The keeper as httpd's parent sees it: forked in post_config, forked anew when it dies, ended
 * with the configuration. Its socket and memory, which children use, outlive restarts: see
 * process_retained.h. */
#ifndef PROCESS_KEEPER_H
#define PROCESS_KEEPER_H

#include "conf_site.h"

/**
 * Start the keeper of this generation. In the parent.
 *
 * @param first  all sites, at least one
 * @param main   the main server
 * @param pool   the configuration's: its cleanup ends the keeper
 * @return APR_SUCCESS, also if the process could not be made, which is tried again; else a status after a
 *         sentence was logged
 */
apr_status_t process_keeper_start(conf_site_t *first, server_rec *main, apr_pool_t *pool);

/** See whether there is a keeper where there should be one, for the parent's monitor hook: its socket, or a
 *  fork, may have failed. */
void process_keeper_monitor(void);

/** Undo in a child the parent's settings of signals. */
void process_keeper_child_init(void);

#endif
