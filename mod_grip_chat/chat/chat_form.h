/* The form of a message that a client posts, in one of three media types. */
#ifndef CHAT_FORM_H
#define CHAT_FORM_H

#include "gc_slice.h"

/** The media types of a form. */
typedef enum chat_form_type_e {
    CHAT_FORM_URLENCODED, /**< application/x-www-form-urlencoded */
    CHAT_FORM_MULTIPART,  /**< multipart/form-data */
    CHAT_FORM_JSON        /**< application/json: an object */
} chat_form_type_e;

/** The fields of a form; those without data were not sent. */
typedef struct chat_form_t {
    gc_slice_t from;
    gc_slice_t text;
} chat_form_t;

/** The reason for which a form is refused, for the client. */
typedef struct chat_form_fault_t {
    const char *code;    /**< constant */
    const char *message; /**< constant, or owned by the pool of the reading */
} chat_form_fault_t;

/**
 * Find the media type of a form. Pure.
 *
 * @param out           untouched on failure
 * @param content_type  the value of the header Content-Type, any bytes
 * @return APR_SUCCESS, or APR_ENOTIMPL if it is none of the three, or in another charset than UTF-8
 */
apr_status_t chat_form_type(chat_form_type_e *out, gc_slice_t content_type);

/**
 * Read a form. Values are bytes as they were sent, not validated. Unknown fields are passed over; a
 * known one must not be there twice. Pure, thread-safe with pools of one's own, does not log.
 *
 * @param form          on failure undefined; its slices lie in body or in pool
 * @param type          as chat_form_type found it
 * @param content_type  the header, which has the boundary of a multipart form
 * @param body          the whole body, any bytes
 * @param fault         set on failure
 * @return APR_SUCCESS, or APR_EINVAL
 */
apr_status_t chat_form_read(chat_form_t *form, chat_form_type_e type, gc_slice_t content_type,
                            gc_slice_t body, chat_form_fault_t *fault, apr_pool_t *pool);

#endif
