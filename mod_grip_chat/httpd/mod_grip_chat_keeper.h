/* The keeper as httpd's parent sees it: forked in post_config, forked anew when it dies, ended with
 * the configuration. What a child needs of it outlives restarts. */
#ifndef MOD_GRIP_CHAT_KEEPER_H
#define MOD_GRIP_CHAT_KEEPER_H

#include "keeper_shared.h"
#include "mod_grip_chat_site.h"

/**
 * Start the keeper of this generation. In the parent.
 *
 * @param first  all sites, at least one
 * @param main   the main server
 * @param pool   the configuration's: its cleanup ends the keeper
 * @return APR_SUCCESS, or a status after a sentence was logged
 */
apr_status_t grip_chat_keeper_start(grip_chat_site_t *first, server_rec *main, apr_pool_t *pool);

/** See whether there is a keeper where there should be one, for the parent's monitor hook: a fork may
 *  have failed. */
void grip_chat_keeper_monitor(void);

/** Undo in a child what the parent needs of signals. */
void grip_chat_keeper_child_init(void);

/** The path of the keeper's socket, NULL before it was started. */
const char *grip_chat_keeper_socket_path(void);

/** The shared memory, NULL before the keeper was started. */
keeper_shared_t *grip_chat_keeper_shared(void);

#endif
