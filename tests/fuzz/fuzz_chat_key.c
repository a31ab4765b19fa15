/* chat_key: the header Idempotency-Key is anybody's to write. */
#include "chat_key.h"

#include "chat_types.h"
#include "fuzz_base.h"

/* Write a key as a string, so that it can be read again. */
static gc_slice_t quote(gc_slice_t key, char *out)
{
    apr_size_t len = 0;
    apr_size_t i;

    out[len++] = '"';
    for (i = 0; i < key.len; i++) {
        if (key.data[i] == '"' || key.data[i] == '\\') {
            out[len++] = '\\';
        }
        out[len++] = key.data[i];
    }
    out[len++] = '"';
    return gc_slice(out, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    char quoted[2 * CHAT_KEY_MAX_CHARS + 2];
    gc_slice_t key = gc_slice(NULL, 0);
    gc_slice_t again;

    if (chat_key_parse(&key, fuzz_slice(data, size), pool) == APR_SUCCESS) {
        FUZZ_CHECK(chat_key_is_valid(key));
        FUZZ_CHECK(key.data[key.len] == '\0');
        FUZZ_CHECK(chat_key_parse(&again, quote(key, quoted), pool) == APR_SUCCESS);
        FUZZ_CHECK(gc_slice_equal(key, again));
    }
    else {
        FUZZ_CHECK(key.data == NULL);
    }
    apr_pool_destroy(pool);
    return 0;
}
