#include "gc_query.h"

apr_status_t gc_query_parameter(gc_slice_t *value, const char *query, const char *name)
{
    gc_slice_t rest = gc_slice_of(query);
    apr_status_t rv = APR_ENOENT;

    while (rest.len) {
        gc_slice_t pair = gc_slice_piece(&rest, '&');
        gc_slice_t key;

        if (gc_slice_until(&pair, '=', &key) == APR_SUCCESS && pair.len &&
            gc_slice_equal(key, gc_slice_of(name)))
        {
            *value = pair;
            rv = APR_SUCCESS;
        }
    }
    return rv;
}
