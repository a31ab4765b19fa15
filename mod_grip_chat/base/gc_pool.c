#include "gc_pool.h"

#include <apr_allocator.h>

static apr_status_t destroy(void *data)
{
    apr_pool_destroy(data);
    return APR_SUCCESS;
}

apr_status_t gc_pool_create(apr_pool_t **out, apr_pool_t *parent, const char *tag)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;
    apr_status_t rv = apr_allocator_create(&allocator);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_pool_create_unmanaged_ex(&pool, NULL, allocator);
    if (rv != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return rv;
    }
    apr_allocator_owner_set(allocator, pool);
    apr_pool_tag(pool, tag);
    if (parent) {
        apr_pool_cleanup_register(parent, pool, destroy, apr_pool_cleanup_null);
    }
    *out = pool;
    return APR_SUCCESS;
}
