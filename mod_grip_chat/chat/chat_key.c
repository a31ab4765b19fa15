#include "chat_key.h"

#include "chat_types.h"

int chat_key_is_valid(gc_slice_t key)
{
    apr_size_t i;

    for (i = 0; i < key.len; i++) {
        if (key.data[i] <= 0x20 || key.data[i] >= 0x7F) {
            return 0;
        }
    }
    return key.len > 0 && key.len <= CHAT_KEY_MAX_CHARS;
}

/* Undo the quotes of a string that begins with one; 0 if it is not whole. */
static int unquote(gc_slice_t value, char *out, apr_size_t *len)
{
    apr_size_t i;

    *len = 0;
    for (i = 1; i < value.len && value.data[i] != '"'; i++) {
        if (value.data[i] == '\\') {
            i++;
            if (i == value.len || (value.data[i] != '"' && value.data[i] != '\\')) {
                return 0;
            }
        }
        out[(*len)++] = value.data[i];
    }
    return i + 1 == value.len;
}

apr_status_t chat_key_parse(gc_slice_t *key, gc_slice_t value, apr_pool_t *pool)
{
    char *text;
    apr_size_t len;

    value = gc_slice_trim(value);
    if (value.len == 0 || value.len > 2 * CHAT_KEY_MAX_CHARS + 2) {
        return APR_EINVAL;
    }
    text = gc_slice_dup(value, pool);
    len = value.len;
    if (value.data[0] == '"') {
        if (!unquote(value, text, &len)) {
            return APR_EINVAL;
        }
        text[len] = '\0';
    }
    else if (strcspn(text, "\",;\\") != len) {
        return APR_EINVAL;
    }
    if (!chat_key_is_valid(gc_slice(text, len))) {
        return APR_EINVAL;
    }
    *key = gc_slice(text, len);
    return APR_SUCCESS;
}
