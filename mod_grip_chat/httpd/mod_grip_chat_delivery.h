/* From a room that was read to its readers: each gets what it has not, in one piece that readers with the
 * same position share. Belongs to the loop's thread. */
#ifndef MOD_GRIP_CHAT_DELIVERY_H
#define MOD_GRIP_CHAT_DELIVERY_H

#include "mod_grip_chat_room.h"

/** What deliveries are made with. */
typedef struct grip_chat_delivery_t {
    chat_account_t *account;
    apr_pool_t *scratch; /**< cleared by whoever uses it next */
    gc_moment_t now;     /**< of the delivery */
} grip_chat_delivery_t;

/** Called for each reader that was written to, with the state that it was in before. */
typedef void grip_chat_delivery_fn(grip_chat_held_t *held, grip_chat_held_state_e before,
                                   void *baton);

/** Make it; pool is the loop's. @return APR_SUCCESS or APR_ENOMEM */
apr_status_t grip_chat_delivery_init(grip_chat_delivery_t *delivery, apr_pool_t *pool);

/**
 * Give the readers of a room what its snapshot has and they have not. Readers whose connection is full get
 * it later. One whose position cannot be had from the snapshot is told to start over, or ended, so that it
 * comes back with its position.
 */
void grip_chat_delivery_give(grip_chat_delivery_t *delivery, grip_chat_room_t *room,
                             grip_chat_delivery_fn *written, void *baton);

#endif
