/* Pools for objects that several threads use in turn. */
#ifndef GC_POOL_H
#define GC_POOL_H

#include <apr_pools.h>

/**
 * Make a pool with an allocator of its own, so that nothing else allocates from either. The guard
 * of the object in the pool guards the pool too.
 *
 * @param out     untouched on failure
 * @param parent  destroys it in its cleanup; NULL for none
 * @param tag     names it in a debugger
 */
apr_status_t gc_pool_create(apr_pool_t **out, apr_pool_t *parent, const char *tag);

#endif
