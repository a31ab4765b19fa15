/* The rooms that one publisher has work for: found by name, and lined up by the kind of their wait.
 * A room that waits for nothing is forgotten.
 * Lives in the keeper, in the loop's thread, as a part of a publisher. */
#ifndef PUBLISH_ROOMS_H
#define PUBLISH_ROOMS_H

#include <apr_hash.h>

#include "ipc_site.h"
#include "publish_room.h"

/**
 * How many rooms are remembered for a proxy. Beyond it, rooms that only wait for a hint and had no
 * hold lately are forgotten: their readers find out at the next event, or by their links' timeouts.
 */
#define PUBLISH_ROOMS_MAX 10000

/** How many hints of any kind to a proxy may go at once; see IPC_SITE_HINT_INTERVAL. */
#define PUBLISH_ROOMS_HINT_BURST 50

/** A hint that is refused is tried again after so long, doubled up to the second. */
#define PUBLISH_ROOMS_REFUSED_MIN apr_time_from_sec(1)
#define PUBLISH_ROOMS_REFUSED_MAX apr_time_from_sec(60)

/** A reader's hold that was answered up to this long before an event was published may have been registered
 *  after it. */
#define PUBLISH_ROOMS_HOLD_WINDOW apr_time_from_sec(3)

/**
 * A flood in one room may have overrun the proxy's queue, which all rooms share. A full queue
 * takes this long to drain (25,000 deliveries at 2,500 a second).
 */
#define PUBLISH_ROOMS_FLOOD_WINDOW apr_time_from_sec(10)

/**
 * From one trailing hint to the next. On each hint the proxy asks at least once. Pushpin asks ten
 * times a second, and that includes the requests that heal known losses.
 */
#define PUBLISH_ROOMS_HINT_GAP apr_time_from_msec(200)

APR_RING_HEAD(publish_room_ring_t, publish_room_t);

/** The rooms, and their lines. */
typedef struct publish_rooms_t {
    const ipc_site_t *site;
    const ipc_shared_t *shared; /**< where holds are noted */
    apr_pool_t *scratch;
    apr_hash_t *by_name;
    unsigned forgotten;      /**< how many waiting rooms were forgotten since it was zeroed */
    gc_moment_t hints_until; /**< hints are as far ahead of their pace as this is ahead of now */
    gc_moment_t hints_from;  /**< no trailing hint goes before */
    gc_moment_t flooded;     /**< when a room last had events and no pace left, 0 for never */
    struct publish_room_ring_t queue;   /**< with something to send now, in the order it came */
    struct publish_room_ring_t resting; /**< whose pace is used up, soonest first */
    struct publish_room_ring_t hints;   /**< with a trailing hint due, soonest first */
    struct publish_room_ring_t lost;    /**< that are dirty, oldest first */
    struct publish_room_ring_t sending; /**< in the POST under way */
} publish_rooms_t;

/** Make empty lines. @param pool  owns them, as long as the publisher. @return APR_SUCCESS, or APR_ENOMEM */
apr_status_t publish_rooms_init(publish_rooms_t *rooms, const ipc_site_t *site,
                                const ipc_shared_t *shared, apr_pool_t *pool);

/** Find a room, or make it; where there are PUBLISH_ROOMS_MAX another is forgotten for it. @return NULL if
 *  memory is short, or all rooms wait for more than a hint; that is counted as forgotten */
publish_room_t *publish_rooms_get(publish_rooms_t *rooms, const char *name, gc_moment_t now);

/** Forget a room that waits for nothing, and whose pace is as if it had never sent. */
void publish_rooms_forget_if_idle(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now);

/** Line a room up for sending, at once. */
void publish_rooms_enqueue(publish_rooms_t *rooms, publish_room_t *room);

/** The same, before all others. */
void publish_rooms_enqueue_first(publish_rooms_t *rooms, publish_room_t *room);

/** Line a room with new events up for sending, as soon as its pace allows. */
void publish_rooms_schedule(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now);

/** Take a room out of the line for sending. */
void publish_rooms_dequeue(publish_room_t *room);

/** A room's readers may miss something. */
void publish_rooms_set_dirty(publish_rooms_t *rooms, publish_room_t *room);

/** Whether the pace of hints allows one. */
int publish_rooms_may_hint(const publish_rooms_t *rooms, gc_moment_t now);

/** When the pace allows the next hint of a dirty room; 0 where none is dirty, 1 or more where there is. */
gc_moment_t publish_rooms_hint_due(const publish_rooms_t *rooms);

/** The room whose hint is to go next: one with a hold within its link's timeout before all others. NULL
 *  where no room is dirty, or the pace allows none. */
publish_room_t *publish_rooms_next_hint(const publish_rooms_t *rooms, gc_moment_t now);

/** The hint of a dirty room goes: it is not dirty any more. */
void publish_rooms_spend_hint(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now);

/** The POST under way was not taken: a hint of the room in it is due again, and was not spent. */
void publish_rooms_return_hint(publish_rooms_t *rooms, publish_room_t *room);

/**
 * A room's hint was refused: it is due again later. It is given up once it has been refused for
 * longer than the link timeout, since the readers have asked by then.
 */
void publish_rooms_refuse_hint(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now);

/** A room has one item in the POST under way; an item with events counts for its pace. */
void publish_rooms_mark_sending(publish_rooms_t *rooms, publish_room_t *room, int is_events,
                                gc_moment_t now);

/** Take a room out of the POST that has ended, NULL when there is none left. */
publish_room_t *publish_rooms_pop_sending(publish_rooms_t *rooms);

/** A room gets a hint at this time in any case; 0 for none. */
void publish_rooms_set_hint(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t due);

/** Line up the rooms that have become due. */
void publish_rooms_wake(publish_rooms_t *rooms, gc_moment_t now);

/** When publish_rooms_wake has something to do next, 0 for never. */
gc_moment_t publish_rooms_next(const publish_rooms_t *rooms);

/**
 * Whether a reader of a room may have missed the items that the proxy just took. The proxy does
 * not say so; it happens if a hold was being registered, or a queue was full. @param posted when
 * the POST began
 */
int publish_rooms_may_miss(const publish_rooms_t *rooms, const publish_room_t *room,
                           gc_moment_t posted);

/** The message id up to which no room has anything unpublished, newest_id where none has. */
apr_int64_t publish_rooms_reached(const publish_rooms_t *rooms, apr_int64_t newest_id);

#endif
