/* The parts of a proxy's answer that a publish needs: when to try again, and the start of the body
 * for the log. */
#ifndef GRIP_ANSWER_H
#define GRIP_ANSWER_H

#include <apr_time.h>

#include "gc_slice.h"

/** Longer waits are told as this one. */
#define GRIP_ANSWER_WAIT_MAX_SECS 86400

/** How much of an answer's body is read before the connection is given up. */
#define GRIP_ANSWER_BODY_MAX_BYTES 16384

/** How much of it is kept for the log. */
#define GRIP_ANSWER_EXCERPT_MAX_BYTES 160

/** An answer so far. The waits are seconds from when the field was read: 1 .. GRIP_ANSWER_WAIT_MAX_SECS, or
 *  -1 if the answer does not say, says nothing sensible, or names a time that is past. */
typedef struct grip_answer_t {
    apr_int64_t retry_after_secs; /**< Retry-After, a number of seconds or a date */
    apr_int64_t limit_ends_secs;  /**< Fastly-RateLimit-Reset, a time in UTC seconds since 1970 */
    apr_size_t head_len;
    apr_size_t body_len;
    apr_size_t excerpt_len;
    char excerpt[GRIP_ANSWER_EXCERPT_MAX_BYTES + 1]; /**< NUL-terminated, printable ASCII */
} grip_answer_t;

/** Begin with an answer that says nothing. */
void grip_answer_begin(grip_answer_t *answer);

/**
 * Read one line of an answer's head. A status line discards the lines before it (an answer of 100
 * may come first). Of a field that comes twice the last one counts.
 *
 * @param line    a status line or a header field, with or without its line's end
 * @param now     the wall clock's time, which dates are compared with
 * @return whether to go on; not where the head is longer than a proxy's
 */
int grip_answer_line(grip_answer_t *answer, gc_slice_t line, apr_time_t now);

/** Read a piece of the body. Returns whether to go on; not beyond GRIP_ANSWER_BODY_MAX_BYTES. */
int grip_answer_body(grip_answer_t *answer, gc_slice_t piece);

/** Whether the body is longer than the part that is read. */
int grip_answer_is_overlong(const grip_answer_t *answer);

/** Replace each byte that is not printable ASCII by a space. */
void grip_answer_make_printable(char *text);

#endif
