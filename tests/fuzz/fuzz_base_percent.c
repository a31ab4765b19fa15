/* gc_percent: rooms in paths, positions in queries and link tokens are decoded from a client's bytes. */
#include "gc_percent.h"

#include "fuzz_base.h"

/* Any bytes encode to ASCII that decodes to them. */
static void check_encoding(gc_slice_t bytes, apr_pool_t *pool)
{
    gc_buffer_t buffer = gc_buffer_make(1, pool);
    gc_slice_t back;
    apr_size_t i;

    gc_percent_append(&buffer, bytes);
    for (i = 0; i < buffer.len; i++) {
        FUZZ_CHECK(buffer.data[i] > ' ' && buffer.data[i] < 127 &&
                   !strchr("/,;\"<>", buffer.data[i]));
    }
    FUZZ_CHECK(gc_percent_decode(&back, gc_buffer_slice(&buffer), pool) == APR_SUCCESS);
    FUZZ_CHECK(gc_slice_equal(back, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    gc_slice_t text = fuzz_slice(data, size);
    gc_slice_t bytes;

    check_encoding(text, pool);
    if (gc_percent_decode(&bytes, text, pool) == APR_SUCCESS) {
        FUZZ_CHECK(bytes.len <= text.len && bytes.data[bytes.len] == '\0');
        check_encoding(bytes, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
