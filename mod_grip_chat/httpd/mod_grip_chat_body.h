/* The body of a POST: bounded, and read as what its Content-Type says. */
#ifndef MOD_GRIP_CHAT_BODY_H
#define MOD_GRIP_CHAT_BODY_H

#include "gc_slice.h"
#include "mod_grip_chat.h"

/** What a posted message says; members without data were not sent. */
typedef struct grip_chat_form_t {
    gc_slice_t from;
    gc_slice_t text;
} grip_chat_form_t;

/** Why a body is not taken, for grip_chat_reply_error. */
typedef struct grip_chat_refusal_t {
    int status; /**< 4xx, or 0 where nothing is to be answered because the client is gone */
    const char *code;
    const char *message;
} grip_chat_refusal_t;

/**
 * Read the body: application/x-www-form-urlencoded, multipart/form-data, or a JSON object. Values are
 * bytes as they were sent, not validated. Fields that are not known are passed over; one that is known
 * must not be sent twice.
 *
 * @param form       members owned by r->pool
 * @param max_bytes  of the whole body
 * @return 1, or 0 with *refusal
 */
int grip_chat_body_read(request_rec *r, grip_chat_form_t *form, apr_size_t max_bytes,
                        grip_chat_refusal_t *refusal);

#endif
