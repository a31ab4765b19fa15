/* gc_b64url: the three parts of a Grip-Sig come from any sender of a request. */
#include "gc_b64url.h"

#include "fuzz_base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    gc_slice_t text = fuzz_slice(data, size);
    gc_slice_t bytes = {NULL, 0};
    gc_slice_t back;

    /* There is one spelling of each value: what decodes is what encoding gives. */
    if (gc_b64url_decode(&bytes, text, pool) == APR_SUCCESS) {
        FUZZ_CHECK(bytes.data[bytes.len] == '\0');
        FUZZ_CHECK(gc_slice_equal(gc_slice_of(gc_b64url_encode(bytes, pool)), text));
    }
    else {
        FUZZ_CHECK(bytes.data == NULL);
    }
    FUZZ_CHECK(gc_b64url_decode(&back, gc_slice_of(gc_b64url_encode(text, pool)), pool) ==
               APR_SUCCESS);
    FUZZ_CHECK(gc_slice_equal(back, text));
    apr_pool_destroy(pool);
    return 0;
}
