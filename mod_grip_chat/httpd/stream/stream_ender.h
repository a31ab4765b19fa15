/* The thread beside the loop that ends requests and frees their connections. Logging a request may
 * block, because a piped log's program does not read, or a name is looked up (HostnameLookups). A
 * connection belongs to this thread from when it is given to it, with its pool and its request's.
 * The loop gets back connections that linger. The number of waiting connections is bounded: each
 * keeps its place among the child's streams until it is freed.
 * Lives in a child, in a thread of its own; the loop's thread gives and takes. Freed with the
 * child's pool. */
#ifndef STREAM_ENDER_H
#define STREAM_ENDER_H

#include "stream_connection.h"

typedef struct stream_ender_t stream_ender_t;

/** Called by the ender's thread when stream_ender_take has something. */
typedef void stream_ender_notify_fn(void *baton);

/** Start an ender's thread. @param pool  the child's; the ender ends before it: stream_ender_stop */
apr_status_t stream_ender_start(stream_ender_t **out, stream_ender_notify_fn *notify, void *baton,
                                apr_pool_t *pool);

/** Give up a connection: its request is ended, or it is freed if that was done. It belongs to no timeouts, and to
 *  no room. */
void stream_ender_give(stream_ender_t *ender, stream_connection_t *connection);

/**
 * Take back the connections whose request is ended and that give their peer time to close its
 * side, chained by next; NULL where there are none.
 */
stream_connection_t *stream_ender_take(stream_ender_t *ender);

/** End and free all that are left, and end the thread. */
apr_status_t stream_ender_stop(stream_ender_t *ender);

#endif
