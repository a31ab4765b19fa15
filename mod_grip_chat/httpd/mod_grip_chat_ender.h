/* The thread beside the loop that ends requests and frees their connections. To log a request may block: a piped
 * log whose program does not read, a name that is looked up (HostnameLookups). A connection belongs to this
 * thread from when it is given to it, with its pool and its request's; the loop gets back what lingers. What
 * waits here is bounded: each connection keeps its place among the child's streams until it is freed. */
#ifndef MOD_GRIP_CHAT_ENDER_H
#define MOD_GRIP_CHAT_ENDER_H

#include "mod_grip_chat_held.h"

typedef struct grip_chat_ender_t grip_chat_ender_t;

/** Called by the ender's thread when grip_chat_ender_take has something. */
typedef void grip_chat_ender_notify_fn(void *baton);

/** Start an ender's thread. @param pool  the child's; the ender ends before it: grip_chat_ender_stop */
apr_status_t grip_chat_ender_start(grip_chat_ender_t **out, grip_chat_ender_notify_fn *notify,
                                   void *baton, apr_pool_t *pool);

/** Give up a connection: its request is ended, or it is freed if that was done. It belongs to no queue, and to
 *  no room. */
void grip_chat_ender_give(grip_chat_ender_t *ender, grip_chat_held_t *held);

/** Take back those whose request is ended and whose peer is to be given time to close its side, chained by
 *  next; NULL where there are none. */
grip_chat_held_t *grip_chat_ender_take(grip_chat_ender_t *ender);

/** End and free all that are left, and end the thread. */
apr_status_t grip_chat_ender_stop(grip_chat_ender_t *ender);

#endif
