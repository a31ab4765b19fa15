/* The rooms that a loop has readers of, found by the slot that the keeper tells.
 * Lives in a child, in the loop's thread, outside pools, as rooms come and go. The loop frees a
 * room with its last reader. */
#ifndef STREAM_ROOM_H
#define STREAM_ROOM_H

#include "ipc_notice.h"
#include "stream_connection.h"
#include "stream_load.h"

typedef struct stream_room_t stream_room_t;

/** Events that the keeper has told and that are to be given to the readers. All zero is none. */
typedef struct stream_fresh_t {
    char *text; /**< malloc'ed */
    apr_size_t len;
    apr_size_t size;
    apr_int64_t to; /**< the position that they lead to */
    ipc_version_t version;
} stream_fresh_t;

/** A room with readers. */
struct stream_room_t {
    stream_room_t *chain; /**< the next of this slot */
    stream_room_t *next;  /**< of all rooms */
    stream_room_t *prev;
    const conf_site_t *site;
    unsigned slot;
    stream_connection_t *first; /**< its readers */
    int full;                   /**< readers with a full connection, which go on from the pieces */
    int backlogs;               /**< pages that are being read for readers behind */
    ipc_version_t version;      /**< from before it was read last, or of the last notice */
    apr_int64_t tail;           /**< the position that the pieces lead to */
    stream_pieces_t pieces;
    stream_fresh_t fresh; /**< follows tail; not while it is loading */
    stream_room_t *due;   /**< the next that is due */
    int is_due;           /**< it had fresh events in this turn */
    stream_load_t *load;  /**< NULL while the loader has it: the room is loading */
    apr_int64_t expected; /**< the furthest position that was told while it was loading */
    apr_uint64_t loads;   /**< how often its load was given to the loader */
    int is_read;          /**< version and tail are something */
    int is_stale;         /**< it is to be read once more when its load comes back */
    int has_failed;       /**< it could not be read, and is to be tried again */
    int is_unfit;         /**< a message that cannot be shown was told of */
    char name[];
};

/** All rooms of a loop. All zero is none. */
typedef struct stream_rooms_t {
    stream_room_t *by_slot[IPC_SHARED_SLOTS];
    stream_room_t *first;
} stream_rooms_t;

/** Find a room, or make it; NULL without memory.
 *  @param is_new_slot  set to whether it is the first of its slot */
stream_room_t *stream_rooms_get(stream_rooms_t *rooms, const conf_site_t *site, const char *name,
                                int *is_new_slot);

/**
 * Take an event that the keeper has told of a room.
 *
 * @return 1 if it is fresh, known, or on its way with the load; 0 if the room is to be read for it
 */
int stream_room_take(stream_room_t *room, const ipc_notice_t *notice);

/** Make a piece of a room's fresh events, as if the loader had brought it: in its load.
 *  @return 0 without memory: the room is to be read */
int stream_room_cut_fresh(stream_room_t *room, chat_account_t *account);

/** Whether the loader has the room's load. */
static inline int stream_room_is_loading(const stream_room_t *room)
{
    return room->load == NULL;
}

/** Begin to load a room, which is not loading. @return its load, for the loader */
stream_load_t *stream_room_begin_load(stream_room_t *room);

/** Take back a load that the loader brings. */
void stream_room_end_load(stream_load_t *load);

/** Forget the fresh events: the room is to be read. */
void stream_room_drop_fresh(stream_room_t *room);

/** Free a room without readers that is neither loading nor due. @return whether it was the last of its slot */
int stream_rooms_remove(stream_rooms_t *rooms, stream_room_t *room);

/** Put a reader into a room. */
void stream_room_enter(stream_room_t *room, stream_connection_t *connection);

/** Note whether a reader's connection is full: while there is one, the pieces are kept. */
void stream_room_note_full(stream_connection_t *connection, int is_full);

/** Take a reader out of its room. */
void stream_room_leave(stream_connection_t *connection);

#endif
