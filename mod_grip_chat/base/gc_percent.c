#include "gc_percent.h"

static int is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void gc_percent_append(gc_buffer_t *buffer, gc_slice_t text)
{
    static const char hex[] = "0123456789ABCDEF";
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        char escaped[3] = {'%', hex[byte >> 4], hex[byte & 15]};

        if (is_unreserved(text.data[i])) {
            gc_buffer_append(buffer, gc_slice(text.data + i, 1));
        }
        else {
            gc_buffer_append(buffer, gc_slice(escaped, sizeof(escaped)));
        }
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

apr_status_t gc_percent_decode(gc_slice_t *out, gc_slice_t text, apr_pool_t *pool)
{
    char *data = apr_palloc(pool, text.len + 1);
    apr_size_t len = 0;
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] != '%') {
            data[len++] = text.data[i];
            continue;
        }
        if (text.len - i < 3 || hex_value(text.data[i + 1]) < 0 || hex_value(text.data[i + 2]) < 0)
        {
            return APR_EINVAL;
        }
        data[len++] = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
        i += 2;
    }
    data[len] = '\0';
    *out = gc_slice(data, len);
    return APR_SUCCESS;
}
