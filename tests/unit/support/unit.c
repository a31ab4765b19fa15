#include "unit.h"

#include <apr_general.h>

int unit_apr_setup(void **state)
{
    return apr_initialize() == APR_SUCCESS ? 0 : -1;
}

int unit_apr_teardown(void **state)
{
    apr_terminate();
    return 0;
}

int unit_pool_setup(void **state)
{
    apr_pool_t *pool;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    *state = pool;
    return 0;
}

int unit_pool_teardown(void **state)
{
    apr_pool_destroy(*state);
    return 0;
}

void unit_assert_slice(gc_slice_t s, const char *text, const char *file, int line)
{
    if (!gc_slice_equal(s, gc_slice_of(text))) {
        print_error("got '%.*s', wanted '%s'\n", (int)s.len, s.len ? s.data : "", text);
        _fail(file, line);
    }
}
