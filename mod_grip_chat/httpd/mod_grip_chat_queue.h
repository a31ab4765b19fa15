/* Held connections that all wait equally long for something, so that the first is always the next: their
 * keep-alive, their peer's end. To put one in, or take it out, costs the same however many wait. Belongs
 * to the loop's thread. */
#ifndef MOD_GRIP_CHAT_QUEUE_H
#define MOD_GRIP_CHAT_QUEUE_H

#include "mod_grip_chat_held.h"

/** A queue. With all but interval zero it is empty. */
typedef struct grip_chat_queue_t {
    apr_interval_time_t interval;
    grip_chat_held_t *first;
    grip_chat_held_t *last;
} grip_chat_queue_t;

/** Put a connection at the end, out of whichever queue it is in. */
void grip_chat_queue_put(grip_chat_queue_t *queue, grip_chat_held_t *held, gc_moment_t now);

/** Take a connection out of the queue that it is in, if it is in one. */
void grip_chat_queue_leave(grip_chat_held_t *held);

/** The first, if it has waited as long as the queue takes; else NULL. It stays in. */
grip_chat_held_t *grip_chat_queue_due(const grip_chat_queue_t *queue, gc_moment_t now);

/** When the first will have waited long enough, 0 where there is none. */
gc_moment_t grip_chat_queue_next(const grip_chat_queue_t *queue);

#endif
