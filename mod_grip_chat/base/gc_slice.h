/* Bounded views of bytes, and a cursor that parses them without ever reading past the end. */
#ifndef GC_SLICE_H
#define GC_SLICE_H

#include <string.h>

#include <apr.h>
#include <apr_pools.h>
#include <apr_strings.h>

/**
 * Bytes that another object owns; not NUL-terminated, may hold NUL. data may be NULL if len is 0.
 */
typedef struct gc_slice_t {
    const char *data;
    apr_size_t len;
} gc_slice_t;

/** View len bytes at data. Pure. */
static inline gc_slice_t gc_slice(const char *data, apr_size_t len)
{
    gc_slice_t s = {data, len};

    return s;
}

/** View a C string without its NUL. Pure; NULL gives an empty slice. */
static inline gc_slice_t gc_slice_of(const char *text)
{
    return gc_slice(text, text ? strlen(text) : 0);
}

/** Whether two slices hold the same bytes. Not constant-time: never for secrets. */
static inline int gc_slice_equal(gc_slice_t a, gc_slice_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/** Whether s begins with prefix. */
static inline int gc_slice_starts(gc_slice_t s, gc_slice_t prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

/** Copy to a NUL-terminated string owned by pool. */
static inline char *gc_slice_dup(gc_slice_t s, apr_pool_t *pool)
{
    return apr_pstrmemdup(pool, s.len ? s.data : "", s.len);
}

/** s without the spaces and tabs (OWS of RFC 9110, section 5.6.3) at both ends. */
gc_slice_t gc_slice_trim(gc_slice_t s);

/** Whether s equals text, ASCII letters compared without case and without the locale. */
int gc_slice_equal_nocase(gc_slice_t s, const char *text);

/**
 * Cut off the front of *rest up to a separator.
 *
 * @param rest       on APR_SUCCESS moved behind the separator; on APR_ENOENT untouched
 * @param separator  the byte to look for
 * @param head       the bytes before the separator
 * @return APR_SUCCESS, or APR_ENOENT if the separator does not occur
 */
apr_status_t gc_slice_until(gc_slice_t *rest, char separator, gc_slice_t *head);

/**
 * Cut off the front of *rest up to a separator, or all of it where there is none: for lists.
 *
 * @param rest       moved behind the separator; empty after the last piece
 * @param separator  the byte between pieces
 * @return the piece
 */
gc_slice_t gc_slice_piece(gc_slice_t *rest, char separator);

/**
 * Read a whole slice as a decimal number: digits only, no sign, no leading zero but "0" itself.
 *
 * @param s    the digits
 * @param max  the largest value that is taken, 0 .. APR_INT64_MAX
 * @param out  the value; untouched on failure
 * @return APR_SUCCESS, APR_EINVAL if s is not such a number, APR_EGENERAL if it is above max
 */
apr_status_t gc_slice_number(gc_slice_t s, apr_int64_t max, apr_int64_t *out);

#endif
