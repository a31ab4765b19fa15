/* Form fields out of a multipart/form-data body (RFC 7578, RFC 2046 section 5.1) that lies complete
 * in memory. The parser is strict: the output of browsers, curl and the common HTTP libraries is
 * taken, and whatever two parsers could read in two ways is refused. It copies nothing but escaped
 * names. */
#ifndef CHAT_MULTIPART_H
#define CHAT_MULTIPART_H

#include "gc_slice.h"

/** Longest boundary, in bytes (RFC 2046, section 5.1.1). */
#define CHAT_MULTIPART_BOUNDARY_MAX 70
/** Most parts of one body. */
#define CHAT_MULTIPART_PARTS_MAX 32
/** Most header lines of one part; browsers send two. */
#define CHAT_MULTIPART_HEADERS_MAX 8
/** Longest header line of a part, in bytes without its CRLF. */
#define CHAT_MULTIPART_LINE_MAX 1024
/** Most bytes before the first delimiter and, again, after the closing one. */
#define CHAT_MULTIPART_OUTSIDE_MAX 1024

/** One part of a form. */
typedef struct chat_multipart_part_t {
    gc_slice_t name;         /**< not empty; any bytes but control characters that were not escaped:
                                  compare it, do not print it */
    gc_slice_t value;        /**< exactly the bytes sent, may hold anything */
    gc_slice_t content_type; /**< as sent; empty if there was none, which means text/plain */
    int is_file;             /**< has a file name, which is not handed out */
} chat_multipart_part_t;

/** Where a reader stands in a body. Filled by chat_multipart_open; callers read only why. */
typedef struct chat_multipart_t {
    const char *why;   /**< after APR_EINVAL the reason: a constant phrase for the client */
    gc_slice_t rest;   /**< the bytes after the last delimiter */
    int parts;         /**< read so far */
    apr_status_t done; /**< APR_SUCCESS while there may be more, then the final answer */
    apr_size_t delimiter_len;
    char delimiter[4 + CHAT_MULTIPART_BOUNDARY_MAX]; /**< CRLF, two dashes, the boundary */
} chat_multipart_t;

/**
 * Get the boundary out of a Content-Type header. Pure, thread-safe, does not log.
 *
 * @param content_type  the value of the header, any bytes
 * @param boundary      1 .. CHAT_MULTIPART_BOUNDARY_MAX bytes inside content_type; untouched on
 *                      failure
 * @param why           on failure a constant phrase for the client; otherwise untouched
 * @return APR_SUCCESS, or APR_EINVAL if the type is not multipart/form-data or it does not have
 *         exactly one boundary parameter that RFC 9110 and RFC 2046 allow
 */
apr_status_t chat_multipart_boundary(gc_slice_t content_type, gc_slice_t *boundary,
                                     const char **why);

/**
 * Begin to read a body. Pure, thread-safe with cursors of one's own, does not log.
 *
 * @param cursor    filled in any case
 * @param body      the whole body; must outlive the cursor and the parts
 * @param boundary  as chat_multipart_boundary gave it; copied
 * @return APR_SUCCESS, or APR_EINVAL if the boundary cannot be one or the body does not begin with a
 *         delimiter after at most CHAT_MULTIPART_OUTSIDE_MAX bytes; cursor->why says which
 */
apr_status_t chat_multipart_open(chat_multipart_t *cursor, gc_slice_t body, gc_slice_t boundary);

/**
 * Read the next part. Only APR_EOF says that the whole body is well formed, so a caller that acts on
 * a part reads on to the end first. Parts of the same name are all handed out, in order.
 * Thread-safe with cursors and pools of one's own; does not log.
 *
 * A part is refused unless it has exactly one Content-Disposition, of type form-data with exactly
 * one name. In names and file names a backslash stands for itself except before a quote or another
 * backslash (curl --form-escape). Browsers send %22, %0D and %0A for a quote, CR and LF. Other
 * headers are ignored (RFC 7578, section 4.8). Folded headers and transfer encodings that change
 * the bytes are refused. So is a field with a charset in which its bytes mean something else than
 * in UTF-8. A body of no parts, as browsers send for an empty form, is well formed.
 *
 * @param cursor  an opened one; once this failed or came to the end it repeats that answer
 * @param part    slices of the body; name may be owned by pool instead; untouched on failure
 * @param pool    owns unescaped names, at most CHAT_MULTIPART_LINE_MAX bytes each
 * @return APR_SUCCESS, APR_EOF behind the last part, or APR_EINVAL, and cursor->why says why
 */
apr_status_t chat_multipart_next(chat_multipart_t *cursor, chat_multipart_part_t *part,
                                 apr_pool_t *pool);

#endif
