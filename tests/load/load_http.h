/* Reads answers of HTTP/1.1 from whatever pieces they come in, and passes their bodies on unbuffered. */
#ifndef LOAD_HTTP_H
#define LOAD_HTTP_H

#include "load_line.h"

/** Where in an answer the next byte belongs. */
typedef enum load_http_e {
    LOAD_HTTP_HEAD,
    LOAD_HTTP_LENGTH, /**< in a body of known length */
    LOAD_HTTP_TO_END, /**< in a body that the end of the connection ends */
    LOAD_HTTP_CHUNK_SIZE,
    LOAD_HTTP_CHUNK,
    LOAD_HTTP_CHUNK_END,
    LOAD_HTTP_TRAILER,
    LOAD_HTTP_DONE
} load_http_e;

/** An answer that is being read; begin with load_http_begin. */
typedef struct load_http_t {
    load_http_e at;
    int status;          /**< 0 until the status line is there */
    int is_close;        /**< the connection takes no further request */
    int is_event_stream; /**< the body is one */
    int retry_after;     /**< of the header, in SECONDS; -1: none */
    int is_chunked;
    int has_length;
    apr_int64_t left; /**< bytes of the body, or of its chunk, that have not come */
    load_line_t line;
} load_http_t;

/** Takes a piece of the body. */
typedef void load_http_body_f(void *context, gc_slice_t piece);

/** Make ready for the next answer; all zero is fit for it too. */
void load_http_begin(load_http_t *http);

/** Whether the head is there. */
static inline int load_http_has_head(const load_http_t *http)
{
    return http->at != LOAD_HTTP_HEAD;
}

/**
 * Take bytes of a connection, up to the end of this answer.
 *
 * @param rest  moved behind what was used; what is left belongs to the next answer
 * @param body  called for each piece of the body
 * @return 1, or 0 if this is no answer of HTTP
 */
int load_http_feed(load_http_t *http, gc_slice_t *rest, load_http_body_f *body, void *context);

/** Whether the answer is whole, now that the connection has ended. */
int load_http_is_whole(const load_http_t *http);

/** Give memory back. */
void load_http_clear(load_http_t *http);

#endif
