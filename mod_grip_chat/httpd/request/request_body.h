/* The body of a POST: bounded, and read by its Content-Type. */
#ifndef REQUEST_BODY_H
#define REQUEST_BODY_H

#include "gc_slice.h"
#include "mod_grip_chat.h"

/** The fields of a posted message; members without data were not sent. */
typedef struct request_form_t {
    gc_slice_t from;
    gc_slice_t text;
} request_form_t;

/** Why a body is not taken, for request_reply_error. */
typedef struct request_refusal_t {
    int status; /**< 4xx, or 0 where nothing is to be answered because the client is gone */
    const char *code;
    const char *message;
} request_refusal_t;

/**
 * Read the body: application/x-www-form-urlencoded, multipart/form-data, or a JSON object. Values
 * are bytes as they were sent, not validated. Unknown fields are ignored; a known one must not be
 * sent twice.
 *
 * @param form       members owned by r->pool
 * @param max_bytes  of the whole body
 * @return 1, or 0 with *refusal
 */
int request_body_read(request_rec *r, request_form_t *form, apr_size_t max_bytes,
                      request_refusal_t *refusal);

#endif
