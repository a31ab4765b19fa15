#include "gc_slice.h"

#include <apr_cstr.h>

gc_slice_t gc_slice_trim(gc_slice_t s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }
    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

int gc_slice_equal_nocase(gc_slice_t s, const char *text)
{
    return s.len == strlen(text) && apr_cstr_casecmpn(s.len ? s.data : "", text, s.len) == 0;
}

apr_status_t gc_slice_until(gc_slice_t *rest, char separator, gc_slice_t *head)
{
    const char *at = rest->len ? memchr(rest->data, separator, rest->len) : NULL;

    if (!at) {
        return APR_ENOENT;
    }
    *head = gc_slice(rest->data, (apr_size_t)(at - rest->data));
    rest->len -= head->len + 1;
    rest->data = at + 1;
    return APR_SUCCESS;
}

gc_slice_t gc_slice_piece(gc_slice_t *rest, char separator)
{
    gc_slice_t piece;

    if (gc_slice_until(rest, separator, &piece) != APR_SUCCESS) {
        piece = *rest;
        rest->data += rest->len;
        rest->len = 0;
    }
    return piece;
}

apr_status_t gc_slice_number(gc_slice_t s, apr_int64_t max, apr_int64_t *out)
{
    apr_int64_t value = 0;
    apr_size_t i;

    if (s.len == 0 || (s.len > 1 && s.data[0] == '0')) {
        return APR_EINVAL;
    }
    for (i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return APR_EINVAL;
        }
    }
    for (i = 0; i < s.len; i++) {
        int digit = s.data[i] - '0';

        if (digit > max || value > (max - digit) / 10) {
            return APR_EGENERAL;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return APR_SUCCESS;
}
