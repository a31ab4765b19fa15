/* gc_slice: numbers in positions and headers. The first line of an input is the greatest number
 * allowed, what follows is the number to read. */
#include "fuzz_base.h"

#include <errno.h>

static void check_number(gc_slice_t text, apr_int64_t max, apr_pool_t *pool)
{
    apr_int64_t number = -1;
    apr_status_t rv = gc_slice_number(text, max, &number);
    const char *copy = gc_slice_dup(text, pool);
    apr_int64_t wanted;

    FUZZ_CHECK((rv == APR_SUCCESS) == (number != -1));
    if (rv == APR_EINVAL) {
        return;
    }
    FUZZ_CHECK(strspn(copy, "0123456789") == text.len);
    errno = 0;
    wanted = strtoll(copy, NULL, 10);
    if (rv == APR_SUCCESS) {
        FUZZ_CHECK(errno == 0 && number == wanted && number <= max);
        FUZZ_CHECK(
            gc_slice_equal(gc_slice_of(apr_psprintf(pool, "%" APR_INT64_T_FMT, number)), text));
    }
    else {
        FUZZ_CHECK(rv == APR_EGENERAL && (errno == ERANGE || wanted > max));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    gc_slice_t rest = fuzz_slice(data, size);
    gc_slice_t line = {NULL, 0};
    gc_slice_t trimmed = gc_slice_trim(rest);
    apr_int64_t max = APR_INT64_MAX;

    FUZZ_CHECK(trimmed.len <= rest.len && gc_slice_equal(gc_slice_trim(trimmed), trimmed));
    if (gc_slice_until(&rest, '\n', &line) == APR_SUCCESS) {
        FUZZ_CHECK(line.len + 1 + rest.len == size);
    }
    if (gc_slice_number(line, APR_INT64_MAX, &max) != APR_SUCCESS) {
        max = APR_INT64_MAX;
    }
    check_number(rest, max, pool);
    FUZZ_CHECK(gc_slice_equal_nocase(rest, gc_slice_dup(rest, pool)) ||
               memchr(rest.data, '\0', rest.len));
    apr_pool_destroy(pool);
    return 0;
}
