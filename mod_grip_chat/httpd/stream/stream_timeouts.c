#include "stream_timeouts.h"

void stream_timeouts_leave(stream_connection_t *held)
{
    stream_timeouts_t *queue = held->queue;

    if (!queue) {
        return;
    }
    *(held->queue_prev ? &held->queue_prev->queue_next : &queue->first) = held->queue_next;
    *(held->queue_next ? &held->queue_next->queue_prev : &queue->last) = held->queue_prev;
    held->queue = NULL;
}

void stream_timeouts_put(stream_timeouts_t *queue, stream_connection_t *held, gc_moment_t now)
{
    stream_timeouts_leave(held);
    held->queue = queue;
    held->queued = now;
    held->queue_next = NULL;
    held->queue_prev = queue->last;
    *(queue->last ? &queue->last->queue_next : &queue->first) = held;
    queue->last = held;
}

stream_connection_t *stream_timeouts_due(const stream_timeouts_t *queue, gc_moment_t now)
{
    return queue->first && queue->first->queued + queue->interval <= now ? queue->first : NULL;
}

gc_moment_t stream_timeouts_next(const stream_timeouts_t *queue)
{
    return queue->first ? queue->first->queued + queue->interval : 0;
}
