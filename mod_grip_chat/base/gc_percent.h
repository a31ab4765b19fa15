/* Percent-encoding of URIs (RFC 3986, section 2.1). */
#ifndef GC_PERCENT_H
#define GC_PERCENT_H

#include "gc_buffer.h"

/** Append text with every byte that is not unreserved (letters, digits, "-._~") as %XX in upper case. */
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
