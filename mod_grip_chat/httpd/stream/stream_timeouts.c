#include "stream_timeouts.h"

#include <stddef.h>

#include "gc_assert.h"

void stream_timeouts_leave(stream_timer_t *timer)
{
    stream_timeouts_t *timeouts = timer->timeouts;

    if (!timeouts) {
        return;
    }
    GC_ASSERT(timer->prev ? timer->prev->next == timer : timeouts->first == timer);
    GC_ASSERT(timer->next ? timer->next->prev == timer : timeouts->last == timer);
    *(timer->prev ? &timer->prev->next : &timeouts->first) = timer->next;
    *(timer->next ? &timer->next->prev : &timeouts->last) = timer->prev;
    timer->timeouts = NULL;
}

void stream_timeouts_put(stream_timeouts_t *timeouts, stream_timer_t *timer, gc_moment_t now)
{
    GC_ASSERT(timer->connection != NULL);
    stream_timeouts_leave(timer);
    timer->timeouts = timeouts;
    timer->since = now;
    timer->next = NULL;
    timer->prev = timeouts->last;
    *(timeouts->last ? &timeouts->last->next : &timeouts->first) = timer;
    timeouts->last = timer;
}

struct stream_connection_t *stream_timeouts_first(const stream_timeouts_t *timeouts)
{
    return timeouts->first ? timeouts->first->connection : NULL;
}

struct stream_connection_t *stream_timeouts_due(const stream_timeouts_t *timeouts, gc_moment_t now)
{
    return timeouts->first && timeouts->first->since + timeouts->interval <= now
               ? timeouts->first->connection
               : NULL;
}

gc_moment_t stream_timeouts_next(const stream_timeouts_t *timeouts)
{
    return timeouts->first ? timeouts->first->since + timeouts->interval : 0;
}
