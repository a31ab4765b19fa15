#include "gc_percent.h"

void gc_percent_append(gc_buffer_t *buffer, gc_slice_t text)
{
    static const char hex[] = "0123456789ABCDEF";

    while (text.len) {
        apr_size_t plain = 0;

        while (plain < text.len && gc_percent_is_unreserved(text.data[plain])) {
            plain++;
        }
        gc_buffer_append(buffer, gc_slice(text.data, plain));
        if (plain < text.len) {
            unsigned char byte = (unsigned char)text.data[plain++];
            char escaped[3] = {'%', hex[byte >> 4], hex[byte & 15]};

            gc_buffer_append(buffer, gc_slice(escaped, sizeof(escaped)));
        }
        text = gc_slice(text.data + plain, text.len - plain);
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
    gc_slice_t plain;

    while (gc_slice_until(&text, '%', &plain) == APR_SUCCESS) {
        if (text.len < 2 || hex_value(text.data[0]) < 0 || hex_value(text.data[1]) < 0) {
            return APR_EINVAL;
        }
        memcpy(data + len, plain.data, plain.len);
        len += plain.len;
        data[len++] = (char)(hex_value(text.data[0]) * 16 + hex_value(text.data[1]));
        text = gc_slice(text.data + 2, text.len - 2);
    }
    if (text.len) {
        memcpy(data + len, text.data, text.len);
        len += text.len;
    }
    data[len] = '\0';
    *out = gc_slice(data, len);
    return APR_SUCCESS;
}
