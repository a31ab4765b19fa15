/* Percent-encoding of URIs (RFC 3986, section 2.1). */
#ifndef GC_PERCENT_H
#define GC_PERCENT_H

#include "gc_buffer.h"

/** Whether a byte is unreserved: letters, digits, "-._~". Pure. */
static inline int gc_percent_is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/** Append text with every byte that is not unreserved as %XX in upper case. */
void gc_percent_append(gc_buffer_t *buffer, gc_slice_t text);

/**
 * Decode %XX; "+" stays "+".
 *
 * @param out   the bytes, owned by pool, followed by a NUL, may hold NUL; untouched on failure
 * @param text  any bytes
 * @return APR_SUCCESS, or APR_EINVAL if a "%" is not followed by two hexadecimal digits
 */
apr_status_t gc_percent_decode(gc_slice_t *out, gc_slice_t text, apr_pool_t *pool);

#endif
