/* The hooks for httpd's start, restart and forks. */
#ifndef PROCESS_HOOKS_H
#define PROCESS_HOOKS_H

#include "process_keeper.h"

/** The state of a child; made by child_init, in the child's pool. */
typedef struct process_child_t {
    ipc_client_t *keeper;
    ipc_shared_t *shared;
    chat_cache_t *cache;    /**< of all sites */
    apr_size_t cache_bytes; /**< that its rooms may take */
    conf_site_t *sites;     /**< the first of all */
} process_child_t;

/** This child's state, NULL where it could not be made or there is no site. */
const process_child_t *process_child(void);

/** Register the hooks of this file. */
void process_hooks_hooks(apr_pool_t *pool);

#endif
