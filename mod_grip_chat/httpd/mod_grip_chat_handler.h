/* The content handler: from a request to its endpoint. */
#ifndef MOD_GRIP_CHAT_HANDLER_H
#define MOD_GRIP_CHAT_HANDLER_H

#include <apr_pools.h>

/** Register the handler hook. */
void grip_chat_handler_hooks(apr_pool_t *pool);

#endif
