/* Reading and writing JSON (RFC 8259). The one file that uses jansson is gc_json.c. */
#ifndef GC_JSON_H
#define GC_JSON_H

#include "gc_buffer.h"

/** A parsed value; lives as long as the pool that it was parsed into. */
typedef struct gc_json_t gc_json_t;

/**
 * Parse one JSON object. Any other value at the top, a name that occurs twice, invalid UTF-8, bytes
 * behind the end and nesting beyond jansson's limit (2,048) are refused. So is an
 * integer beyond 64 bits, or a real that overflows, anywhere in it. A NUL written as \u0000 is kept in
 * values: the caller validates text.
 *
 * @param out   the object, owned by pool; untouched on failure
 * @param text  the bytes; the caller limits their number
 * @param pool  owns *out
 * @return APR_SUCCESS, or APR_EINVAL. Thread-safe with pools of one's own; does not log.
 */
apr_status_t gc_json_parse_object(const gc_json_t **out, gc_slice_t text, apr_pool_t *pool);

/**
 * Get a string member of an object.
 *
 * @param out  the bytes, valid as long as the object
 * @return APR_SUCCESS, APR_ENOENT if there is no such member, APR_EINVAL if it is not a string
 */
apr_status_t gc_json_get_string(gc_slice_t *out, const gc_json_t *object, const char *name);

/**
 * Get a number member of an object, integer or real.
 *
 * @return APR_SUCCESS, APR_ENOENT if there is no such member, APR_EINVAL if it is not a number
 */
apr_status_t gc_json_get_number(double *out, const gc_json_t *object, const char *name);

/**
 * Append a JSON string, quotes included. Only characters that RFC 8259 demands are escaped, so
 * UTF-8 stays as it is.
 *
 * @param text  UTF-8, may hold NUL
 * @return APR_SUCCESS, or APR_EINVAL if text is not valid UTF-8; buffer is then unchanged
 */
apr_status_t gc_json_append_string(gc_buffer_t *buffer, gc_slice_t text);

#endif
