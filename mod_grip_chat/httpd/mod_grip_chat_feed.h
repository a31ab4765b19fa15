/* What the readers of a loop get: its rooms, and what comes to them from the keeper's notices, from the
 * loader, and by looking. Belongs to the loop's thread. */
#ifndef MOD_GRIP_CHAT_FEED_H
#define MOD_GRIP_CHAT_FEED_H

#include "ipc_subscription.h"
#include "mod_grip_chat_crowd.h"
#include "mod_grip_chat_delivery.h"
#include "mod_grip_chat_loader.h"

/** A feed. All zero has no rooms; who makes it sets what stands before rooms, and delivery. */
typedef struct grip_chat_feed_t {
    server_rec *main;
    const ipc_shared_t *shared;
    ipc_subscription_t *watcher;
    grip_chat_loader_t *loader;
    grip_chat_crowd_t *crowd;
    grip_chat_rooms_t rooms;
    grip_chat_room_t *due; /**< the first room with fresh events */
    grip_chat_delivery_t delivery;
    grip_chat_backlogs_t failed; /**< pages that could not be read, and are to be tried again */
    apr_uint64_t epochs;
    gc_moment_t look_due; /**< when grip_chat_feed_look_around is to be called next */
    int has_failed;       /**< a room could not be read, and this was logged */
} grip_chat_feed_t;

/** Make what it has of its own. @return APR_SUCCESS or APR_ENOMEM */
apr_status_t grip_chat_feed_init(grip_chat_feed_t *feed, apr_pool_t *pool);

/** Take a reader whom the crowd has taken: it gets what its room has and it has not. */
void grip_chat_feed_enter(grip_chat_feed_t *feed, grip_chat_held_t *held, gc_moment_t now);

/** Take what the loader has read, and give it to the readers. */
void grip_chat_feed_take_loaded(grip_chat_feed_t *feed, gc_moment_t now);

/** Give what the keeper told in this turn. */
void grip_chat_feed_give_fresh(grip_chat_feed_t *feed, gc_moment_t now);

/** Look at the rooms whose moves nobody tells, or that could not be read. */
void grip_chat_feed_look_around(grip_chat_feed_t *feed, gc_moment_t now);

/** A room of this slot may have changed: see ipc_subscription_hooks_t. */
void grip_chat_feed_moved(grip_chat_feed_t *feed, unsigned slot);

/** The keeper tells an event, which is given to the readers together with all that come in this turn. */
void grip_chat_feed_stored(grip_chat_feed_t *feed, unsigned slot, const ipc_notice_t *notice);

/** The connection of a reader has room again: write what it lacks. */
void grip_chat_feed_more(grip_chat_feed_t *feed, grip_chat_held_t *held);

/** A reader is about to be ended, and leaves its room. */
void grip_chat_feed_left(grip_chat_feed_t *feed, grip_chat_held_t *held);

#endif
