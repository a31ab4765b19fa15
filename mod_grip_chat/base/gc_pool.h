/* Pools for things that several threads take turns with. */
#ifndef GC_POOL_H
#define GC_POOL_H

#include <apr_pools.h>

/**
 * Make a pool with an allocator of its own, so that nothing else allocates from either. Whoever guards
 * the thing in the pool guards the pool.
 *
 * @param out     untouched on failure
 * @param parent  destroys it in its cleanup; NULL for none
 * @param tag     names it in a debugger
 */
apr_status_t gc_pool_create(apr_pool_t **out, apr_pool_t *parent, const char *tag);

#endif
