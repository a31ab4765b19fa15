/* The rooms of a loop, and the ways that events come to their readers: the keeper's notices, the
 * loader, and a look each second.
 * Lives in a child, in the loop's thread. Part of the loop, and freed with it. */
#ifndef STREAM_FEED_H
#define STREAM_FEED_H

#include "ipc_subscription.h"
#include "stream_connections.h"
#include "stream_delivery.h"
#include "stream_loader.h"

/** A feed. All zero has no rooms; its maker sets the fields before rooms, and delivery. */
typedef struct stream_feed_t {
    server_rec *main;
    const ipc_shared_t *shared;
    ipc_subscription_t *subscription;
    stream_loader_t *loader;
    stream_connections_t *connections;
    stream_rooms_t rooms;
    stream_room_t *due; /**< the first room with fresh events */
    stream_delivery_t delivery;
    stream_backlogs_t failed; /**< pages that could not be read, and are to be tried again */
    apr_uint64_t epochs;
    gc_moment_t look_due; /**< when stream_feed_look_around is to be called next */
    int troubles;         /**< rooms and pages that could not be read */
} stream_feed_t;

/** Make its own parts. @return APR_SUCCESS or APR_ENOMEM */
apr_status_t stream_feed_init(stream_feed_t *feed, apr_pool_t *pool);

/** Take a reader that the connections have taken: it gets the events of its room that it lacks. */
void stream_feed_enter(stream_feed_t *feed, stream_connection_t *connection, gc_moment_t now);

/** Take the loads and pages that the loader has read, and give them to the readers. */
void stream_feed_take_loaded(stream_feed_t *feed, gc_moment_t now);

/** Give the events that the keeper told in this turn. */
void stream_feed_give_fresh(stream_feed_t *feed, gc_moment_t now);

/** Look at the rooms whose moves are not told, or that could not be read. */
void stream_feed_look_around(stream_feed_t *feed, gc_moment_t now);

/** A room of this slot may have changed: see ipc_subscription_hooks_t. */
void stream_feed_moved(stream_feed_t *feed, unsigned slot);

/** The keeper tells an event, which is given to the readers together with all that come in this turn. */
void stream_feed_stored(stream_feed_t *feed, unsigned slot, const ipc_notice_t *notice);

/** The connection of a reader has room again: write the missing events. */
void stream_feed_more(stream_feed_t *feed, stream_connection_t *connection);

/** A reader is about to be ended, and leaves its room. */
void stream_feed_left(stream_feed_t *feed, stream_connection_t *connection);

#endif
