/* Held connections that all wait equally long for something, so that the first is always the next: their
 * keep-alive, their peer's end. To put one in, or take it out, costs the same however many wait. Belongs
 * to the loop's thread. */
#ifndef STREAM_TIMEOUTS_H
#define STREAM_TIMEOUTS_H

#include "stream_connection.h"

/** Timeouts. With all but interval zero there are none. */
typedef struct stream_timeouts_t {
    apr_interval_time_t interval;
    stream_connection_t *first;
    stream_connection_t *last;
} stream_timeouts_t;

/** Put a connection at the end, out of the timeouts that it is in. */
void stream_timeouts_put(stream_timeouts_t *timeouts, stream_connection_t *connection,
                         gc_moment_t now);

/** Take a connection out of the timeouts that it is in, if it is in some. */
void stream_timeouts_leave(stream_connection_t *connection);

/** The first, if it has waited as long as these take; else NULL. It stays in. */
stream_connection_t *stream_timeouts_due(const stream_timeouts_t *timeouts, gc_moment_t now);

/** When the first will have waited long enough, 0 where there is none. */
gc_moment_t stream_timeouts_next(const stream_timeouts_t *timeouts);

#endif
