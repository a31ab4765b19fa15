/* The body of a POST: bounded, and read by its Content-Type. */
#ifndef REQUEST_BODY_H
#define REQUEST_BODY_H

#include "chat_form.h"
#include "mod_grip_chat.h"

/** Why a body is not taken, for request_reply_error. */
typedef struct request_refusal_t {
    int status; /**< 4xx, or 0 where nothing is to be answered because the client is gone */
    const char *code;
    const char *message;
} request_refusal_t;

/**
 * Read the body, and the form in it: see chat_form.h.
 *
 * @param form       members owned by r->pool
 * @param max_bytes  of the whole body
 * @return 1, or 0 with *refusal
 */
int request_body_read(request_rec *r, chat_form_t *form, apr_size_t max_bytes,
                      request_refusal_t *refusal);

#endif
