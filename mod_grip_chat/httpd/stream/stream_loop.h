/* A thread that owns held connections of its child, all of them or its part. It waits for all of
 * them at once, and writes to each the events of its room that it lacks. It never blocks; the
 * loader, which reads, and the ender, which logs, stand beside it. A wake-up costs work for each
 * room that moved and each reader that is behind, not for each stream that is held.
 * Lives in a child, in a thread of its own. Freed with the child's pool, after stream_loop_stop. */
#ifndef STREAM_LOOP_H
#define STREAM_LOOP_H

#include "stream_connection.h"

typedef struct stream_loop_t stream_loop_t;

/** The surroundings of a loop; all of it lives as long as the loop. */
typedef struct stream_loop_spec_t {
    server_rec *main;
    const ipc_shared_t *shared;
    const char *socket_path;   /**< the keeper's */
    int loops;                 /**< that there may be, of all children together, at least 1 */
    void (*look)(void *baton); /**< called once a second, in the loop's thread */
    void *baton;               /**< for look */
} stream_loop_spec_t;

/**
 * Start a loop.
 *
 * @param pool  the child's; the loop must be stopped in a pre-cleanup of it
 */
apr_status_t stream_loop_start(stream_loop_t **out, const stream_loop_spec_t *spec,
                               apr_pool_t *pool);

/** Hand over a parked connection. Thread-safe, from any thread. */
void stream_loop_adopt(stream_loop_t *loop, stream_connection_t *connection);

/**
 * Have all streams ended, also those that are still to come.
 *
 * @param is_graceful  one after the other, and each with time to get the sent bytes; else at once
 */
void stream_loop_drain(stream_loop_t *loop, int is_graceful);

/** End the remaining streams and join the threads. When no worker runs any more. */
apr_status_t stream_loop_stop(stream_loop_t *loop);

#endif
