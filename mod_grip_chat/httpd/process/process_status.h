/* The memory and the cache hits of a child, on the page of mod_status. */
#ifndef PROCESS_STATUS_H
#define PROCESS_STATUS_H

#include <apr_pools.h>

/** Register the hook of this file. */
void process_status_hooks(apr_pool_t *pool);

#endif
