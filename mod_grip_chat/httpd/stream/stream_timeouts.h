/* Connections that wait equally long for something, as their keep-alive or their peer's end: the
 * first is always the next. To put one in, or to take it out, costs the same however many wait.
 * Lives in a child, in a loop's thread, as a part of stream_connections_t. A timer is part of its
 * connection, and goes with that. */
#ifndef STREAM_TIMEOUTS_H
#define STREAM_TIMEOUTS_H

#include "gc_clock.h"

struct stream_connection_t;
struct stream_timeouts_t;

/** The place of a connection among the timeouts that it is in. All but the connection zero: it is in none. */
typedef struct stream_timer_t {
    struct stream_connection_t *connection; /**< that it is part of */
    struct stream_timeouts_t *timeouts;     /**< NULL for none */
    struct stream_timer_t *next;
    struct stream_timer_t *prev;
    gc_moment_t since; /**< when the wait began */
} stream_timer_t;

/** Timeouts. With all but interval zero there are none. */
typedef struct stream_timeouts_t {
    apr_interval_time_t interval;
    stream_timer_t *first;
    stream_timer_t *last;
} stream_timeouts_t;

/** Put a timer at the end, out of the timeouts that it is in. */
void stream_timeouts_put(stream_timeouts_t *timeouts, stream_timer_t *timer, gc_moment_t now);

/** Take a timer out of the timeouts that it is in, if it is in some. */
void stream_timeouts_leave(stream_timer_t *timer);

/** The connection that waits longest; NULL where there is none. It stays in. */
struct stream_connection_t *stream_timeouts_first(const stream_timeouts_t *timeouts);

/** The same, if it has waited as long as these take; else NULL. */
struct stream_connection_t *stream_timeouts_due(const stream_timeouts_t *timeouts, gc_moment_t now);

/** When the first will have waited long enough, 0 where there is none. */
gc_moment_t stream_timeouts_next(const stream_timeouts_t *timeouts);

#endif
