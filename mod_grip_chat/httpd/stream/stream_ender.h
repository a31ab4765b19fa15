/* The thread beside the loop that ends requests and frees their connections. To log a request may block: a piped
 * log whose program does not read, a name that is looked up (HostnameLookups). A connection belongs to this
 * thread from when it is given to it, with its pool and its request's; the loop gets back what lingers. What
 * waits here is bounded: each connection keeps its place among the child's streams until it is freed. */
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

/** Take back those whose request is ended and whose peer is to be given time to close its side, chained by
 *  next; NULL where there are none. */
stream_connection_t *stream_ender_take(stream_ender_t *ender);

/** End and free all that are left, and end the thread. */
apr_status_t stream_ender_stop(stream_ender_t *ender);

#endif
