/* The kinds of events, a row each. Jobs, notices, publishes and streams go by the row. The database
 * keeps no kind yet: each event that is read from it is a message. So a second kind needs a place in the
 * database, and rules for lists and for replay, beside its number and its row. */
#ifndef CHAT_KIND_H
#define CHAT_KIND_H

#include "chat_types.h"
#include "gc_buffer.h"

/** The numbers by which processes name kinds to each other: none ever gets another meaning. */
#define CHAT_KIND_MESSAGE 0

/** A kind. Constant, for any thread. */
typedef struct chat_kind_t {
    int number;
    const char *name; /**< in the stream's field "event" */
    /**
     * Whether an event may be stored; one that a child of another version lets through must not
     * make a room unreadable.
     */
    int (*is_valid)(const chat_event_t *event);
    /**
     * Append the event's data, which holds no line end. @return APR_SUCCESS, or APR_EINVAL if it
     * cannot be shown; the bytes appended before that stay
     */
    apr_status_t (*append_data)(gc_buffer_t *buffer, const chat_event_t *event);
} chat_kind_t;

/** Find a kind by its number. @return NULL where there is none: an event of a newer version */
const chat_kind_t *chat_kind_find(int number);

#endif
