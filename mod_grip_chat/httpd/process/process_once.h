/* Lines that are logged once for a host, by the first child that comes to it. */
#ifndef PROCESS_ONCE_H
#define PROCESS_ONCE_H

#include "conf_server.h"

/** The lines of which one is enough. */
typedef enum process_once_e {
    PROCESS_ONCE_OTHER_ANSWERS = 1, /**< GC0182 */
    PROCESS_ONCE_NO_MOUNT = 2       /**< GC0183 */
} process_once_e;

/**
 * Make the memory, shared by all children of a configuration, in which each server notes its
 * logged lines. If it cannot be shared, each child has its own, and logs for itself. In the parent,
 * at configuration time.
 *
 * @param pool  the configuration's
 */
void process_once_make(server_rec *main, apr_pool_t *pool);

/** Whether this is the first time that a line is due for a server. Any thread. */
int process_once(const server_rec *s, process_once_e line);

#endif
