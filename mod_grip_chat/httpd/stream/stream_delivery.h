/* The way from a room that was read to its readers: each gets, in one write, all events that it
 * lacks and that its connection takes.
 * Lives in a child, in a loop's thread. Freed with the loop's pool. */
#ifndef STREAM_DELIVERY_H
#define STREAM_DELIVERY_H

#include "stream_backlog.h"
#include "stream_room.h"

/** Bytes of pieces and blocks, of all rooms of a loop, beyond which each room keeps only the least. */
#define STREAM_DELIVERY_BYTES (64 * 1024 * 1024)

/** The means of deliveries. */
typedef struct stream_delivery_t {
    chat_account_t *account;
    apr_pool_t *scratch;
    gc_moment_t now; /**< of the delivery */
} stream_delivery_t;

/** Called for each reader that was written to or has fallen behind, with the state that it was in before. */
typedef void stream_delivery_fn(stream_connection_t *connection, stream_connection_state_e before,
                                void *baton);

/** Make it; pool is the loop's. @return APR_SUCCESS or APR_ENOMEM */
apr_status_t stream_delivery_init(stream_delivery_t *delivery, apr_pool_t *pool);

/**
 * Take the events that the loader has brought of a room, or the keeper has told, and give them to
 * the room's readers. The pieces of the load are the room's then. Readers with a full connection
 * get them later. A reader behind all pieces is marked so: its missing events are to be read for
 * it. All readers are told to start over if their missing events are gone.
 *
 * @return whether the room has more already
 */
int stream_delivery_give(stream_delivery_t *delivery, const stream_load_t *load,
                         stream_delivery_fn *written, void *baton);

/** Give one reader, whose connection has become writable, its room's pieces for it.
 *  @return whether the pieces have all; else the room is to be read for it */
int stream_delivery_go_on(stream_connection_t *connection);

/** Give a reader the page that was read for it. Only while it is OPEN. Sets whether it is still behind. */
void stream_delivery_give_page(stream_delivery_t *delivery, stream_backlog_t *backlog);

#endif
