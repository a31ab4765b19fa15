/* The rooms that a loop has readers of, found by the slot that the keeper tells; and the thread beside the loop
 * that reads them, because to read may block. Rooms lie outside pools, as they come and go. */
#ifndef MOD_GRIP_CHAT_ROOM_H
#define MOD_GRIP_CHAT_ROOM_H

#include "keeper_shared.h"
#include "mod_grip_chat_held.h"

typedef struct grip_chat_room_t grip_chat_room_t;

/** A room with readers. Belongs to the loop but for what the loader has while is_loading. */
struct grip_chat_room_t {
    grip_chat_room_t *chain; /**< the next of this slot */
    grip_chat_room_t *next;  /**< of all rooms */
    grip_chat_room_t *prev;
    const grip_chat_site_t *site;
    unsigned slot;
    grip_chat_held_t *first;  /**< its readers */
    keeper_version_t version; /**< from before it was read last */
    apr_int64_t last_event_id;
    apr_uint64_t loads; /**< how often it was given to the loader */
    int is_read;        /**< version and last_event_id are something */
    int is_loading;     /**< the loader has it */
    int is_stale;       /**< it is to be read once more when it comes back */
    int has_failed;     /**< it could not be read, and is to be tried again */
    /* what the loader fills in */
    grip_chat_room_t *queued;
    keeper_version_t loaded_version;
    chat_snapshot_t *snapshot; /**< if status is APR_SUCCESS: held */
    apr_status_t status;
    char name[];
};

/** All rooms of a loop. All zero is none. */
typedef struct grip_chat_rooms_t {
    grip_chat_room_t *by_slot[KEEPER_SHARED_SLOTS];
    grip_chat_room_t *first;
} grip_chat_rooms_t;

/** Find a room, or make it; NULL without memory.
 *  @param is_new_slot  set to whether it is the first of its slot */
grip_chat_room_t *grip_chat_rooms_get(grip_chat_rooms_t *rooms, const grip_chat_site_t *site,
                                      const char *name, int *is_new_slot);

/** Free a room without readers that is not loading. @return whether it was the last of its slot */
int grip_chat_rooms_remove(grip_chat_rooms_t *rooms, grip_chat_room_t *room);

/** Put a reader into a room. */
void grip_chat_room_enter(grip_chat_room_t *room, grip_chat_held_t *held);

/** Take a reader out of its room. */
void grip_chat_room_leave(grip_chat_held_t *held);

typedef struct grip_chat_loader_t grip_chat_loader_t;

/** Called by the loader's thread when grip_chat_loader_take has something. */
typedef void grip_chat_loader_notify_fn(void *baton);

/** Start a loader's thread. @param pool  the child's; the loader ends before it: grip_chat_loader_stop */
apr_status_t grip_chat_loader_start(grip_chat_loader_t **out, const keeper_shared_t *shared,
                                    grip_chat_loader_notify_fn *notify, void *baton,
                                    apr_pool_t *pool);

/** Have a room read, which is not loading. */
void grip_chat_loader_push(grip_chat_loader_t *loader, grip_chat_room_t *room);

/** Take back a room that was read, NULL where there is none. */
grip_chat_room_t *grip_chat_loader_take(grip_chat_loader_t *loader);

/** End the thread, after the read that it is at. Rooms that wait are not read. */
apr_status_t grip_chat_loader_stop(grip_chat_loader_t *loader);

#endif
