/* The reading of a room: an order of the loop's, and in it the pieces that the loader brings. It is
 * passed from the loop to the loader's thread and back, and only the thread that has it looks into
 * it. The loader sees nothing else of the room.
 * Lives in a child. Each room has one, which the loop's thread makes and frees with the room. */
#ifndef STREAM_LOAD_H
#define STREAM_LOAD_H

#include "conf_site.h"
#include "stream_pieces.h"

struct stream_room_t;

/** A reading. malloc'ed. */
typedef struct stream_load_t {
    struct stream_load_t *next; /**< of those that wait with it */
    struct stream_room_t *room; /**< the loop's; the loader brings it back without a look */
    const conf_site_t *site;
    unsigned slot;
    /* set by the loop */
    int is_first;      /**< the loop has nothing of the room yet: no pieces are wanted */
    apr_int64_t after; /**< the position that the pieces are to follow */
    /* brought by the loader */
    apr_status_t status;
    ipc_version_t version; /**< of the room, from before it was read */
    chat_snapshot_t
        *snapshot; /**< if status is APR_SUCCESS: held; NULL if a piece came without a read */
    stream_piece_t *pieces; /**< the events behind `after`, as far as they were read */
    apr_int64_t to;         /**< the position that the pieces lead to */
    int is_cut_off; /**< the events behind `after` cannot be had: readers there are to start over */
    char name[];    /**< of the room */
} stream_load_t;

/** Some of them, first in, first out. Made by stream_loads_init. */
typedef struct stream_loads_t {
    stream_load_t *first;
    stream_load_t **end;
} stream_loads_t;

/** Make one for a room, in the loop's thread. @return NULL without memory */
stream_load_t *stream_load_make(struct stream_room_t *room, const conf_site_t *site, unsigned slot,
                                const char *name);

/** Empty it of an earlier reading, in the thread that is about to fill it. */
void stream_load_clear(stream_load_t *load);

/** Make it empty. */
void stream_loads_init(stream_loads_t *loads);

/** Put one behind the others. */
void stream_loads_put(stream_loads_t *loads, stream_load_t *load);

/** Take the first, NULL where there is none. */
stream_load_t *stream_loads_take(stream_loads_t *loads);

#endif
