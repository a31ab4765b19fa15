/* base64url without padding (RFC 4648, section 5), as JOSE uses it (RFC 7515, appendix C). */
#ifndef GC_B64URL_H
#define GC_B64URL_H

#include "gc_slice.h"

/**
 * Encode bytes, without padding.
 *
 * @param bytes  at most 1 MiB
 * @return a NUL-terminated string owned by pool
 */
char *gc_b64url_encode(gc_slice_t bytes, apr_pool_t *pool);

/**
 * Decode strictly: only the alphabet, no padding, no white space, unused bits zero.
 *
 * @param out   the bytes, owned by pool, followed by a NUL; untouched on failure
 * @param text  at most 1 MiB
 * @return APR_SUCCESS, or APR_EINVAL
 */
apr_status_t gc_b64url_decode(gc_slice_t *out, gc_slice_t text, apr_pool_t *pool);

#endif
