/* The types of the chat, and the highest values of its limits. A limit that can be configured has
 * its default in conf_directives.c. */
#ifndef CHAT_TYPES_H
#define CHAT_TYPES_H

#include <apr_time.h>

#include "gc_slice.h"

/** Characters of a room's name, decoded. */
#define CHAT_ROOM_MAX_CHARS 64

/** The most characters of a sender's name that can be configured (GripChatMaxName). */
#define CHAT_NAME_MAX_CHARS 256

/**
 * The most bytes of a text that can be configured (GripChatMaxText). As an event in a publish item
 * a byte takes up to seven, and Pushpin takes bodies of 1,000,000 bytes.
 */
#define CHAT_TEXT_MAX_BYTES (128 * 1024)

/** The most messages in a list that can be configured (GripChatHistory). */
#define CHAT_HISTORY_MAX 1000

/**
 * The bounds of the bytes of a list that can be configured (GripChatListSize); a list has at least
 * one message.
 */
#define CHAT_LIST_MIN_BYTES 1024
#define CHAT_LIST_MAX_BYTES (64 * 1024 * 1024)

/** Characters of an idempotency key. */
#define CHAT_KEY_MAX_CHARS 64

/** How long an idempotency key is kept where its message is not: a day. */
#define CHAT_KEY_KEPT_MS (APR_INT64_C(24) * 60 * 60 * 1000)

/** Events and bytes of one answer; a page over 100,000 bytes was answered 502 by Pushpin. */
#define CHAT_PAGE_MAX_EVENTS 100
#define CHAT_PAGE_MAX_BYTES  (64 * 1024)

/** One event of a room, stored or to be stored. A room is a log of these, in the order of their positions. */
typedef struct chat_event_t {
    int kind; /**< a number of chat_kind.h */
    apr_int64_t
        position;   /**< in its room: grows, from 1 unless the base was moved; gaps are normal */
    apr_int64_t id; /**< unique across rooms, growing, from 1 */
    apr_int64_t created_ms; /**< milliseconds since 1970-01-01T00:00:00Z */
    gc_slice_t author;      /**< UTF-8, without control characters */
    gc_slice_t
        payload; /**< as its kind says; of a message its text: UTF-8, without NUL; old ones may have
                                 other control characters */
    gc_slice_t key; /**< the idempotency key that its sender gave; empty for none */
} chat_event_t;

/** Some events of a room and where the room stood when they were read, both from one snapshot. */
typedef struct chat_page_t {
    apr_int64_t
        last_event_id; /**< of the newest event; base_event_id where none was ever written */
    apr_int64_t
        first_kept_event_id; /**< of the oldest that is still stored; base_event_id + 1 at first */
    int count;
    chat_event_t *events;
    apr_int64_t
        base_event_id; /**< see chat_store_set_base; of a room that has no row the position at which
                                    all of these stand, see CHAT_SQL_FLOOR_NAME */
    int has_more;      /**< more may be stored beyond the last of them */
} chat_page_t;

/** How much a read takes: so many messages, and no further one once their texts have so many bytes. */
typedef struct chat_bounds_t {
    int count; /**< 1 .. CHAT_HISTORY_MAX */
    apr_size_t bytes;
} chat_bounds_t;

#endif
