/* What happens when httpd starts, restarts and forks. */
#ifndef MOD_GRIP_CHAT_LIFECYCLE_H
#define MOD_GRIP_CHAT_LIFECYCLE_H

#include "mod_grip_chat_keeper.h"

/** What a child has; made by child_init, in the child's pool. */
typedef struct grip_chat_child_t {
    ipc_client_t *keeper;
    ipc_shared_t *shared;
    chat_cache_t *cache;     /**< of all sites */
    apr_size_t cache_bytes;  /**< that its rooms may take */
    grip_chat_site_t *sites; /**< the first of all */
} grip_chat_child_t;

/** This child's state, NULL where it could not be made or there is no site. */
const grip_chat_child_t *grip_chat_child(void);

/** Register the hooks of this file. */
void grip_chat_lifecycle_hooks(apr_pool_t *pool);

#endif
