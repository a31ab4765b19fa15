#include "gc_b64url.h"

#include <apr_encode.h>

char *gc_b64url_encode(gc_slice_t bytes, apr_pool_t *pool)
{
    const unsigned char *data = (const unsigned char *)(bytes.len ? bytes.data : "");

    return (char *)apr_pencode_base64_binary(pool, data, (apr_ssize_t)bytes.len,
                                             APR_ENCODE_BASE64URL, NULL);
}

apr_status_t gc_b64url_decode(gc_slice_t *out, gc_slice_t text, apr_pool_t *pool)
{
    const unsigned char *data;
    apr_size_t len = 0;
    gc_slice_t bytes;

    if (text.len == 0) {
        *out = gc_slice("", 0);
        return APR_SUCCESS;
    }
    data = apr_pdecode_base64_binary(pool, text.data, (apr_ssize_t)text.len, APR_ENCODE_NONE, &len);
    if (!data) {
        return APR_EINVAL;
    }
    bytes = gc_slice((const char *)data, len);
    /* APR takes padding, the other alphabet and stray bits as well: a text that it would not write
     * itself is not base64url. */
    if (!gc_slice_equal(gc_slice_of(gc_b64url_encode(bytes, pool)), text)) {
        return APR_EINVAL;
    }
    *out = bytes;
    return APR_SUCCESS;
}
