/* The content handler: from a request to its endpoint. */
#ifndef REQUEST_HANDLER_H
#define REQUEST_HANDLER_H

#include <apr_pools.h>

/** Register the handler hook. */
void request_handler_hooks(apr_pool_t *pool);

#endif
