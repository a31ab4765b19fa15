/* gc_json: posted bodies, answers of proxies and claims of tokens are JSON that others wrote. */
#include "gc_json.h"

#include "fuzz_base.h"

/* Written text must be read back as the same bytes. */
static void check_round_trip(gc_slice_t text, apr_pool_t *pool)
{
    gc_buffer_t buffer = gc_buffer_make(16, pool);
    const gc_json_t *object = NULL;
    gc_slice_t back;

    gc_buffer_append_text(&buffer, "{\"x\":");
    if (gc_json_append_string(&buffer, text) != APR_SUCCESS) {
        FUZZ_CHECK(gc_slice_equal(gc_buffer_slice(&buffer), gc_slice_of("{\"x\":")));
        return;
    }
    gc_buffer_append_text(&buffer, "}");
    FUZZ_CHECK(!memchr(buffer.data, '\n', buffer.len) && !memchr(buffer.data, '\0', buffer.len));
    FUZZ_CHECK(gc_json_parse_object(&object, gc_buffer_slice(&buffer), pool) == APR_SUCCESS);
    FUZZ_CHECK(gc_json_get_string(&back, object, "x") == APR_SUCCESS);
    FUZZ_CHECK(gc_slice_equal(back, text));
}

static void check_member(const gc_json_t *object, const char *name, apr_pool_t *pool)
{
    gc_slice_t text = {NULL, 0};
    double number = 0;
    apr_status_t as_text = gc_json_get_string(&text, object, name);
    apr_status_t as_number = gc_json_get_number(&number, object, name);

    FUZZ_CHECK((as_text == APR_ENOENT) == (as_number == APR_ENOENT));
    FUZZ_CHECK(as_text != APR_SUCCESS || as_number == APR_EINVAL);
    if (as_text == APR_SUCCESS) {
        gc_buffer_t buffer = gc_buffer_make(1, pool);

        FUZZ_CHECK(gc_json_append_string(&buffer, text) == APR_SUCCESS);
        check_round_trip(text, pool);
    }
    FUZZ_CHECK(as_number != APR_SUCCESS || number == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    const gc_json_t *object = NULL;
    apr_status_t rv = gc_json_parse_object(&object, fuzz_slice(data, size), pool);

    FUZZ_CHECK(rv == APR_SUCCESS || rv == APR_EINVAL);
    FUZZ_CHECK((rv == APR_SUCCESS) == (object != NULL));
    if (object) {
        check_member(object, "from", pool);
        check_member(object, "text", pool);
        check_member(object, "exp", pool);
        check_member(object, "", pool);
    }
    check_round_trip(fuzz_slice(data, size), pool);
    apr_pool_destroy(pool);
    return 0;
}
