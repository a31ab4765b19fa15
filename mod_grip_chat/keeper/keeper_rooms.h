/* The rooms that one publisher has something to do with: found by name, and lined up by what they wait
 * for. A room with nothing to wait for is forgotten. */
#ifndef KEEPER_ROOMS_H
#define KEEPER_ROOMS_H

#include <apr_hash.h>

#include "keeper_room.h"
#include "keeper_site.h"

/** From one trailing hint to the next: upon each the proxy asks at least once, and Pushpin asks ten times
 *  a second, those included that heal what is known to be lost. */
#define KEEPER_ROOMS_HINT_GAP apr_time_from_msec(200)

APR_RING_HEAD(keeper_room_ring_t, keeper_room_t);

/** The rooms, and their lines. */
typedef struct keeper_rooms_t {
    const keeper_site_t *site;
    apr_pool_t *scratch;
    apr_hash_t *by_name;
    gc_moment_t hints_from; /**< no trailing hint goes before */
    gc_moment_t flooded;    /**< when a room last had events and no pace left, 0 for never */
    struct keeper_room_ring_t queue;   /**< with something to send now, in the order it came */
    struct keeper_room_ring_t resting; /**< whose pace is used up, soonest first */
    struct keeper_room_ring_t hints;   /**< with a trailing hint due, soonest first */
    struct keeper_room_ring_t sending; /**< in the POST under way */
} keeper_rooms_t;

/** Make empty lines. @param pool  owns them, as long as the publisher. @return APR_SUCCESS, or APR_ENOMEM */
apr_status_t keeper_rooms_init(keeper_rooms_t *rooms, const keeper_site_t *site, apr_pool_t *pool);

/** Find a room, or make it. @return NULL if memory is short */
keeper_room_t *keeper_rooms_get(keeper_rooms_t *rooms, const char *name);

/** Forget a room that waits for nothing, and whose pace is as if it had never sent. */
void keeper_rooms_forget_if_idle(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t now);

/** Line a room up for sending, at once. */
void keeper_rooms_enqueue(keeper_rooms_t *rooms, keeper_room_t *room);

/** The same, before all others. */
void keeper_rooms_enqueue_first(keeper_rooms_t *rooms, keeper_room_t *room);

/** Line a room with new events up for sending, as soon as its pace allows. */
void keeper_rooms_schedule(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t now);

/** Take a room out of the line for sending. */
void keeper_rooms_dequeue(keeper_room_t *room);

/** A room has one item in the POST under way; an item with events counts for its pace. */
void keeper_rooms_mark_sending(keeper_rooms_t *rooms, keeper_room_t *room, int is_events,
                               gc_moment_t now);

/** Take a room out of the POST that has ended, NULL when there is none left. */
keeper_room_t *keeper_rooms_pop_sending(keeper_rooms_t *rooms);

/** A room gets a trailing hint at a time that is not before any other's; 0 for none. */
void keeper_rooms_set_hint(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t due);

/** Line up what has become due. */
void keeper_rooms_wake(keeper_rooms_t *rooms, gc_moment_t now);

/** When keeper_rooms_wake has something to do next, 0 for never. */
gc_moment_t keeper_rooms_next(const keeper_rooms_t *rooms);

#endif
