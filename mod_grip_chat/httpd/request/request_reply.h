/* Answers: their headers, and errors as JSON. */
#ifndef REQUEST_REPLY_H
#define REQUEST_REPLY_H

#include "chat_block.h"
#include "gc_buffer.h"
#include "mod_grip_chat.h"

/** For answers that no shared cache may keep, and that a browser asks about again. */
#define REQUEST_REPLY_PRIVATE "private, no-cache"

/** The media type of an event stream. */
#define REQUEST_REPLY_EVENT_STREAM "text/event-stream"

/** Seconds after which to repeat a request that cannot be served now. */
#define REQUEST_REPLY_RETRY_AFTER "2"

/** Set the headers that all our answers have. */
void request_reply_headers(request_rec *r, const char *content_type);

/**
 * Answer with a body.
 *
 * @param body  of r->pool, or of something that lives longer
 * @return OK, or the status of the connection
 */
int request_reply_body(request_rec *r, gc_slice_t body);

/**
 * Answer 304, with the headers that were set so far.
 *
 * @return as request_reply_body
 */
int request_reply_not_modified(request_rec *r);

/**
 * Answer with a body whose last part lies in a block. A large part of the block is sent from its
 * place, and the block is held until it is sent. A small part is copied, so that a slow reader does
 * not hold much memory for little text. Each part may be empty.
 *
 * @param constant  the first part; lives as long as the process
 * @param head      the second part; of r->pool, or of something that lives longer
 * @param block     held by the caller during the call; not looked at where the part is empty
 * @param part      of the block's text
 * @return as request_reply_body
 */
int request_reply_block(request_rec *r, gc_slice_t constant, gc_slice_t head, chat_block_t *block,
                        gc_slice_t part);

/**
 * Answer with an error: {"error": {"code": …, "message": …}}.
 *
 * @param status   4xx or 5xx; 503 gets Retry-After
 * @param code     a word for programs: letters and dashes
 * @param message  a sentence for people, which names the field if it is about one
 * @return as request_reply_body
 */
int request_reply_error(request_rec *r, int status, const char *code, const char *message);

/** Answer 405 with Allow. */
int request_reply_not_allowed(request_rec *r, const char *allow);

/** Answer OPTIONS with Allow. */
int request_reply_options(request_rec *r, const char *allow);

/**
 * Answer with a redirect to a path with a slash at its end, the query kept: 301, or 308 for a
 * request with a body.
 *
 * @param path  the path that the client asked for, decoded
 */
int request_reply_add_slash(request_rec *r, gc_slice_t path);

/** A decoded path, percent-encoded in the one form that fits into a header, slashes kept; owned by pool. */
const char *request_reply_encode_path(gc_slice_t path, apr_pool_t *pool);

#endif
