/* The configuration of a keeper process. The parent makes it before the fork and never changes it.
 * Lives in the keeper; all its threads read it. It goes with the process. */
#ifndef KEEPER_CONFIG_H
#define KEEPER_CONFIG_H

#include "ipc_site.h"

/** All that a keeper process needs. */
typedef struct keeper_config_t {
    const ipc_site_t *const *sites;
    apr_size_t site_count;
    ipc_shared_t *shared;
    const gc_log_t *log; /**< thread-safe */
    int listen_fd;       /**< the Unix socket's, listening, shared with the parent */
    int stop_fd;         /**< becomes readable when the keeper is to end */
} keeper_config_t;

#endif
