/* The held connections of a loop, from when it took them over to when it gives them up: the wait of
 * each, its time, and its end.
 * Lives in a child, in the loop's thread, as a part of the loop. */
#ifndef STREAM_CONNECTIONS_H
#define STREAM_CONNECTIONS_H

#include "stream_connection.h"

/** Sites may have keep-alive intervals of their own; beyond so many they share the last one's. */
#define STREAM_CONNECTIONS_TIMEOUTS 16

/** The functions of the loop that the connections need. */
typedef struct stream_connections_hooks_t {
    /** Write the missing events to a connection that has been full and is not any more. */
    void (*more)(stream_connection_t *connection, void *baton);
    /** Take a connection that is to be ended out of its room. */
    void (*left)(stream_connection_t *connection, void *baton);
    /** Give up a connection: its request is to be ended, or it is to be freed; see stream_ender. */
    void (*give_up)(stream_connection_t *connection, void *baton);
    void *baton;
} stream_connections_hooks_t;

/** All connections of a loop. */
typedef struct stream_connections_t {
    server_rec *main;
    int epoll_fd;
    stream_connections_hooks_t hooks;
    stream_timeouts_t idle[STREAM_CONNECTIONS_TIMEOUTS]; /**< until their keep-alive */
    int idle_count;
    stream_timeouts_t busy;       /**< until their worker has let go, and then to be ended */
    stream_timeouts_t lingering;  /**< until their peer has closed its side */
    int count;                    /**< of those that are not ended */
    int loops;                    /**< that there may be, of which each has its part of readers */
    apr_uint32_t retry_spread_ms; /**< how far apart those that are ended come back */
    gc_moment_t drain_due;        /**< when the next are to be ended, 0 while none is */
    int is_hurried;               /**< no peer is waited for */
    apr_uint64_t dice;
} stream_connections_t;

/**
 * Make it, without connections.
 *
 * @param epoll_fd  gets the connections' descriptors, with a stream_connection_t each
 * @param loops     that there may be of all children, at least 1
 */
void stream_connections_init(stream_connections_t *connections, server_rec *main, int epoll_fd,
                             int loops, const stream_connections_hooks_t *hooks);

/** Take over a parked connection. @return 0 if it will be ended at once */
int stream_connections_take(stream_connections_t *connections, stream_connection_t *connection,
                            apr_thread_t *thread, gc_moment_t now);

/**
 * Something was written: its keep-alive is due so much later, or more is to be written when there is room
 * for it, or the peer is gone.
 *
 * @param before  the state that it was in
 */
void stream_connections_settle(stream_connections_t *connections, stream_connection_t *connection,
                               stream_connection_state_e before, gc_moment_t now);

/** Have a connection ended as soon as its worker has let go of it. */
void stream_connections_dismiss(stream_connections_t *connections, stream_connection_t *connection,
                                gc_moment_t now);

/** Something has happened at a connection, which may be destroyed by this. */
void stream_connections_serve(stream_connections_t *connections, stream_connection_t *connection,
                              unsigned events, gc_moment_t now);

/** Send the keep-alives that are due. */
void stream_connections_keep_alive(stream_connections_t *connections, gc_moment_t now);

/** A connection's request is ended: its peer has time to close its side. */
void stream_connections_linger(stream_connections_t *connections, stream_connection_t *connection,
                               gc_moment_t now);

/** Give up the connections that are due for it. */
void stream_connections_end_due(stream_connections_t *connections, gc_moment_t now);

/** Have some of the streams ended if it is time for that, or all. Call it again as stream_connections_next
 *  says. */
void stream_connections_drain(stream_connections_t *connections, int is_hurried, gc_moment_t now);

/** When something is due next, 0 for never. */
gc_moment_t stream_connections_next(const stream_connections_t *connections);

#endif
