/* A connection that the module holds: a request for events whose handler has returned SUSPENDED. A
 * worker makes it and answers its beginning. When the MPM has let go of it, it belongs to the
 * thread of a loop (stream_loop), which writes to it. In the end it belongs to the thread of an
 * ender (stream_ender). No function that the loop calls here blocks.
 * Lives in a child. The ender frees it, with its connection's pool. */
#ifndef STREAM_CONNECTION_H
#define STREAM_CONNECTION_H

#include "mod_grip_chat.h"

#include <scoreboard.h>
#include <util_filter.h>

#include "chat_block.h"
#include "conf_site.h"
#include "gc_assert.h"
#include "stream_timeouts.h"

struct stream_backlog_t;
struct stream_ledger_client_t;
struct stream_room_t;

/** The state of a held connection, as the loop knows it. */
typedef enum stream_connection_state_e {
    STREAM_CONNECTION_OPEN,   /**< all that was to be written is on its way */
    STREAM_CONNECTION_FULL,   /**< the connection takes nothing more for now */
    STREAM_CONNECTION_GONE,   /**< nothing can be written any more; it is to be ended */
    STREAM_CONNECTION_LEAVING /**< it waits to be ended, or for the peer to close its side */
} stream_connection_state_e;

/** A held connection; of its connection's pool. */
typedef struct stream_connection_t {
    conn_rec *c;
    request_rec *r; /**< NULL once the request is logged */
    const conf_site_t *site;
    const char *room_name;
    struct stream_ledger_client_t *client; /**< the client that it counts for */
    apr_int64_t reached;                   /**< the position that everything written leads to */
    apr_socket_t *socket;
    int fd;
    int is_parked; /**< the MPM has let go of it, or is about to: see stream_connection_is_free */
    worker_score *worker;
    gc_owner_t owner; /**< the thread of its loop, or of its ender; none before */
    /* the next fields belong to the loop */
    stream_connection_state_e state;
    struct stream_room_t *room;       /**< NULL while it is in none */
    struct stream_connection_t *next; /**< in the room, or on the way to the loop */
    struct stream_connection_t *prev;
    stream_timer_t timer;    /**< for what it waits */
    int is_watched;          /**< for events of its descriptor */
    apr_uint64_t first_load; /**< the first of its room's that is not older than the reader */
    int is_aligned;          /**< it is at the begin of piece number next_piece of its room */
    apr_uint64_t next_piece;
    int is_behind; /**< the events that it lacks are read for it: see stream_backlog */
    struct stream_backlog_t *backlog; /**< the page that is being read; NULL for none */
    int is_counted;                   /**< among those of its room that are full */
    ap_filter_t *last_filter;         /**< the core's, which writes to the network */
    apr_bucket_brigade *bb;
    chat_block_t *block; /**< held for rest */
    gc_slice_t rest;     /**< bytes to write that were not given to the filters yet */
    apr_size_t chunk;    /**< bytes that may be written at once */
    int is_bare;         /**< no filter on the way does anything: see stream_connection_write_all */
} stream_connection_t;

/**
 * Answer the beginning of a stream, blocking as any answer does, in the request's own thread.
 *
 * @param head   the first bytes; of r->pool
 * @param block  the block of `part`, held by the caller during the call; NULL for none
 * @return SUSPENDED, to be returned by the handler; or the status of the connection: then it is not
 *         held
 */
int stream_connection_begin(stream_connection_t *connection, gc_slice_t head, chat_block_t *block,
                            gc_slice_t part);

/** Note, in a suspend_connection hook, that the MPM is about to let go: see stream_connection_is_free. */
void stream_connection_park(stream_connection_t *connection);

/**
 * Whether the MPM's thread has let go for good. After the hook it still writes to the connection's
 * memory, so nothing of that may be freed before.
 */
int stream_connection_is_free(const stream_connection_t *connection);

/** Make the connection fit for the loop: nothing blocks, and the kernel holds only so much of it. */
void stream_connection_prepare(stream_connection_t *connection, apr_thread_t *thread);

/**
 * Write a part of a block. Only while the state is OPEN; sets the state.
 *
 * @param block  held as long as it takes
 */
void stream_connection_write(stream_connection_t *connection, chat_block_t *block, gc_slice_t part);

/** Blocks that are written together. */
#define STREAM_CONNECTION_BLOCKS 32

/**
 * Write some blocks at once, which all readers of a room get. Only while OPEN; sets the state.
 *
 * If the only filters on the way are httpd's own that do nothing with the text, it goes to the
 * socket without them. That takes a fifth less time, which counts for thousands of readers.
 *
 * @param blocks  1 to STREAM_CONNECTION_BLOCKS, in all no more than the chunk; held as long as it takes
 */
void stream_connection_write_all(stream_connection_t *connection, chat_block_t *const *blocks,
                                 int count);

/** Write a short text, which is copied. As stream_connection_write_all. */
void stream_connection_write_text(stream_connection_t *connection, gc_slice_t text);

/** Go on writing, as the connection has become writable. Only while FULL; sets the state. */
void stream_connection_resume(stream_connection_t *connection);

/**
 * Write the end of the stream, which a peer without TLS sees at once. Only if it is free. The
 * state is LEAVING then, and the remaining work blocks: it is the ender's.
 *
 * @param farewell  the last bytes, written if nothing else waits; may be empty
 */
void stream_connection_part(stream_connection_t *connection, gc_slice_t farewell);

/**
 * End the request, which is logged with this, and begin to close the connection. Only after
 * stream_connection_part. May block, on a log or a name: in the ender's thread.
 *
 * @return whether the peer is to be given time to close its side, so that it gets all written bytes
 */
int stream_connection_end(stream_connection_t *connection, apr_thread_t *thread);

/**
 * Close the connection and free all that belongs to it. Only after stream_connection_end. May
 * block as that, if the request's log has waited for unsent bytes.
 */
void stream_connection_destroy(stream_connection_t *connection);

/** Register the hook that finds mod_logio, if that is there to count bytes. */
void stream_connection_hooks(apr_pool_t *pool);

#endif
