/* gc_dotenv: a .env file may hold any text, though no NUL, by which a file is refused before. */
#include "gc_dotenv.h"

#include "fuzz_base.h"
#include "gc_buffer.h"

static int lines_of(gc_slice_t text)
{
    int lines = 1;
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n';
    }
    return lines;
}

/* A value that is written in single quotes is read again as it was. */
static void check_again(const char *value, apr_pool_t *pool)
{
    apr_hash_t *pairs = apr_hash_make(pool);
    gc_buffer_t text = gc_buffer_make(64, pool);
    gc_dotenv_fault_t fault;
    const char *again;
    const char *at;

    gc_buffer_append_text(&text, "K='");
    for (at = value; *at; at++) {
        gc_buffer_append_text(&text, *at == '\'' || *at == '\\' ? "\\" : "");
        gc_buffer_append(&text, gc_slice(at, 1));
    }
    gc_buffer_append_text(&text, "'");
    FUZZ_CHECK(gc_dotenv_read(pairs, gc_buffer_slice(&text), &fault, pool) == APR_SUCCESS);
    again = apr_hash_get(pairs, "K", APR_HASH_KEY_STRING);
    FUZZ_CHECK(again && strcmp(again, value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    apr_hash_t *pairs = apr_hash_make(pool);
    gc_slice_t text = fuzz_slice(data, size);
    gc_dotenv_fault_t fault = {0, NULL};
    apr_hash_index_t *each;

    if (size && memchr(data, '\0', size)) {
        apr_pool_destroy(pool);
        return 0;
    }
    if (gc_dotenv_read(pairs, text, &fault, pool) != APR_SUCCESS) {
        FUZZ_CHECK(fault.line >= 1 && fault.line <= lines_of(text) && fault.key && *fault.key);
    }
    for (each = apr_hash_first(pool, pairs); each; each = apr_hash_next(each)) {
        const char *key = apr_hash_this_key(each);
        const char *value = apr_hash_this_val(each);

        FUZZ_CHECK(*key && *key != '#' && !strchr(key, '\n') && strlen(value) < size);
        check_again(value, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
