#include "stream_timeouts.h"

void stream_timeouts_leave(stream_connection_t *connection)
{
    stream_timeouts_t *timeouts = connection->timeouts;

    if (!timeouts) {
        return;
    }
    *(connection->timeouts_prev ? &connection->timeouts_prev->timeouts_next : &timeouts->first) =
        connection->timeouts_next;
    *(connection->timeouts_next ? &connection->timeouts_next->timeouts_prev : &timeouts->last) =
        connection->timeouts_prev;
    connection->timeouts = NULL;
}

void stream_timeouts_put(stream_timeouts_t *timeouts, stream_connection_t *connection,
                         gc_moment_t now)
{
    stream_timeouts_leave(connection);
    connection->timeouts = timeouts;
    connection->timeouts_since = now;
    connection->timeouts_next = NULL;
    connection->timeouts_prev = timeouts->last;
    *(timeouts->last ? &timeouts->last->timeouts_next : &timeouts->first) = connection;
    timeouts->last = connection;
}

stream_connection_t *stream_timeouts_due(const stream_timeouts_t *timeouts, gc_moment_t now)
{
    return timeouts->first && timeouts->first->timeouts_since + timeouts->interval <= now
               ? timeouts->first
               : NULL;
}

gc_moment_t stream_timeouts_next(const stream_timeouts_t *timeouts)
{
    return timeouts->first ? timeouts->first->timeouts_since + timeouts->interval : 0;
}
