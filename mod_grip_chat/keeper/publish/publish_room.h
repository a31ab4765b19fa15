/* A room as one publisher sees it: the events that its proxy is yet to be told, gathered into
 * items.
 * Lives in the keeper, in the loop's thread, outside pools. Its publish_rooms_t frees it. */
#ifndef PUBLISH_ROOM_H
#define PUBLISH_ROOM_H

#include <apr_ring.h>
#include "gc_clock.h"
#include "gc_slice.h"
#include "ipc_shared.h"

/** Consecutive events that travel as one item. */
typedef struct publish_item_t {
    apr_int64_t prev_id;          /**< the event before the first */
    apr_int64_t id;               /**< the last event */
    apr_int64_t first_message_id; /**< of the first event */
    char *content;                /**< len bytes of event stream, malloc'ed */
    apr_size_t len;
    apr_size_t capacity;
    struct publish_item_t *next;
} publish_item_t;

/** A room that a publisher has something to do with. malloc'ed; see publish_room_free. */
typedef struct publish_room_t {
    APR_RING_ENTRY(publish_room_t) queue;   /**< of rooms with something to send */
    APR_RING_ENTRY(publish_room_t) hints;   /**< of rooms with a hint due, soonest first */
    APR_RING_ENTRY(publish_room_t) sending; /**< of rooms in the POST under way */
    APR_RING_ENTRY(publish_room_t) resting; /**< of rooms whose pace is used up */
    APR_RING_ENTRY(publish_room_t) lost;    /**< of rooms that are dirty */
    const char *name;                       /**< decoded, NUL-terminated */
    const char *channel;                    /**< as the proxy knows it, NUL-terminated */
    apr_uint64_t tag;                       /**< in shared memory */
    apr_int64_t told_waiting;               /**< there: after which position its items wait */
    publish_item_t *first;                  /**< waiting to be sent */
    publish_item_t *last;
    publish_item_t *sent_first; /**< in the POST under way */
    publish_item_t *sent_last;
    apr_size_t pending_bytes;   /**< of all items */
    apr_int64_t unpublished_id; /**< the lowest message id that may not be published, 0 for none */
    gc_moment_t hint_due;       /**< 0 for none */
    gc_moment_t
        paced_until; /**< its next event is as far ahead of its pace as this is ahead of now */
    gc_moment_t rests_until; /**< 0 while it does not rest */
    gc_moment_t gap_until;   /**< it sends no event before */
    int has_news;            /**< events came since the last POST of it was taken */
    int is_flooded;          /**< it had to rest with events since its last trailing hint */
    int is_dirty;            /**< readers may miss something, and a hint is to tell them */
    int is_queued;
    int is_sending;   /**< part of the POST under way */
    int is_hint_sent; /**< with a hint in it */
    int refusals;     /**< of its hint, one after the other */
    gc_moment_t refused_since;
} publish_room_t;

/** Make a room without anything to send. @return NULL if memory is short */
publish_room_t *publish_room_create(const char *name, const char *channel, apr_uint64_t tag);

/**
 * Add an event behind the others.
 *
 * @param max_bytes  the length up to which events share an item
 * @return APR_SUCCESS; APR_ENOMEM; APR_EINVAL if its position is not above the others, as in a room that
 *         was changed by hand; then nothing was added
 */
apr_status_t publish_room_add(publish_room_t *room, apr_int64_t message_id, apr_int64_t event_id,
                              gc_slice_t text, apr_size_t max_bytes);

/** The first item goes into the POST under way. */
void publish_room_send_first(publish_room_t *room);

/** The POST was not taken, and nothing of it: its items wait again, before all others. */
void publish_room_take_back(publish_room_t *room);

/** Take away the items of the POST under way. @return how many bytes they were */
apr_size_t publish_room_drop_sent(publish_room_t *room);

/** Take away all items. @return how many bytes they were */
apr_size_t publish_room_drop_all(publish_room_t *room);

/** Take away all items and the room. It must be in no ring. */
void publish_room_free(publish_room_t *room);

#endif
