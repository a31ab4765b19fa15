#include "mod_grip_chat_queue.h"

void grip_chat_queue_leave(grip_chat_held_t *held)
{
    grip_chat_queue_t *queue = held->queue;

    if (!queue) {
        return;
    }
    *(held->queue_prev ? &held->queue_prev->queue_next : &queue->first) = held->queue_next;
    *(held->queue_next ? &held->queue_next->queue_prev : &queue->last) = held->queue_prev;
    held->queue = NULL;
}

void grip_chat_queue_put(grip_chat_queue_t *queue, grip_chat_held_t *held, gc_moment_t now)
{
    grip_chat_queue_leave(held);
    held->queue = queue;
    held->queued = now;
    held->queue_next = NULL;
    held->queue_prev = queue->last;
    *(queue->last ? &queue->last->queue_next : &queue->first) = held;
    queue->last = held;
}

grip_chat_held_t *grip_chat_queue_due(const grip_chat_queue_t *queue, gc_moment_t now)
{
    return queue->first && queue->first->queued + queue->interval <= now ? queue->first : NULL;
}

gc_moment_t grip_chat_queue_next(const grip_chat_queue_t *queue)
{
    return queue->first ? queue->first->queued + queue->interval : 0;
}
