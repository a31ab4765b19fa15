/* The module's own event streams: which requests this child can hold, and the hooks of httpd that
 * concern them. On the event MPM with HTTP/1.x a held request costs no worker. Everywhere else, and
 * beyond the limits, requests are answered in poll mode.
 * Lives in a child, in the threads of requests and of the MPM; the parent is told of dead children.
 * Freed with the child's pool. */
#ifndef STREAM_CHILD_H
#define STREAM_CHILD_H

#include "mod_grip_chat.h"

#include "chat_block.h"
#include "conf_site.h"

/** A request's stream: its connection, which only stream/ looks into. */
typedef struct stream_connection_t stream_connection_t;

/**
 * Start the loops that hold streams in this child, if its MPM can.
 *
 * @param socket_path  the keeper's; as long as pchild
 * @param pchild       ends it
 */
apr_status_t stream_child_child_init(const ipc_shared_t *shared, const char *socket_path,
                                     apr_pool_t *pchild, server_rec *main);

/**
 * Ask for a place for a request's stream.
 *
 * @param room  of r->pool
 * @return NULL if the request cannot be held here and now. Else the caller begins the stream, or cancels it
 */
stream_connection_t *stream_child_reserve(request_rec *r, const conf_site_t *site,
                                          const char *room);

/**
 * Answer the beginning of a stream, as any answer is: blocking, in the request's own thread.
 *
 * @param head     the first bytes; of r->pool
 * @param block    of `part`, held by the caller during the call; NULL for none
 * @param reached  the position that the head and the part lead to
 * @return SUSPENDED, to be returned by the handler; or another status, and then the place is given up
 */
int stream_child_begin(stream_connection_t *connection, gc_slice_t head, chat_block_t *block,
                       gc_slice_t part, apr_int64_t reached);

/** Give up a place whose stream was not begun. */
void stream_child_cancel(stream_connection_t *connection);

/** The streams of this child. */
typedef struct stream_child_stats_t {
    apr_uint32_t streams; /**< streams, with those that are about to begin or end */
    apr_uint32_t limit;   /**< how many it may hold; 0 where it can hold none */
} stream_child_stats_t;

/** The streams that this child holds now. Thread-safe. */
stream_child_stats_t stream_child_stats(void);

/** Register the hooks of this file. */
void stream_child_hooks(apr_pool_t *pool);

#endif
