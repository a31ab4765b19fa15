/* What a child has in memory and how often that was enough, on the page of mod_status. */
#ifndef MOD_GRIP_CHAT_STATUS_H
#define MOD_GRIP_CHAT_STATUS_H

#include <apr_pools.h>

/** Register the hook of this file. */
void grip_chat_status_hooks(apr_pool_t *pool);

#endif
