/* Deleting messages that are older, or more, than a site keeps: from the front of each room, in steps
 * so small that they do not keep posts waiting. */
#ifndef CHAT_RETENTION_H
#define CHAT_RETENTION_H

#include "chat_leftovers.h"

/** What is kept of each room; 0 for no limit. */
typedef struct chat_retention_t {
    apr_int64_t max_age_ms; /**< at least CHAT_RETENTION_MIN_AGE_MS, else that counts */
    apr_int64_t max_count;
} chat_retention_t;

/** Nothing younger is deleted, in milliseconds: who is just catching up shall not be told that it is gone,
 *  and a job that a child sends again shall be recognised. */
#define CHAT_RETENTION_MIN_AGE_MS 10000

/** Messages that one step deletes at most; fewer where their texts come to more than 1 MB. */
#define CHAT_RETENTION_STEP 200

/** Where a sweep through a site has got; zeroed before the first. Belongs to whoever runs the step. */
typedef struct chat_sweep_t {
    apr_uint64_t epoch;      /**< the caller's: of another database file a sweep starts anew */
    int phase;               /**< which part of it the next step does */
    int is_full;             /**< this one does the parts that are done once an hour */
    apr_int64_t full_due_ms; /**< when the next of these is due */
    apr_int64_t room_id;     /**< in the part that goes through rooms, those up to here are done */
    apr_int64_t seen_id;     /**< messages up to here were old, or not to be told by their dates */
    chat_leftovers_keys_t keys; /**< which keys are done */
} chat_sweep_t;

/**
 * Do one step of a sweep: delete at most CHAT_RETENTION_STEP messages, in one transaction, and move
 * their rooms' first kept positions on. An idempotency key goes with its message, or after a day, within
 * an hour, if that is later. A writer's call.
 *
 * What goes by age. Dates are of the wall clock, which may have been wrong; the order of ids, and of
 * positions in a room, is right whatever it said. So a message goes if its own date is old enough and no
 * message before it in its room has a date that is young. One that is dated ahead of the clock is known
 * to have a wrong date: it goes with the first message behind it in its room that goes, or when its date
 * is old enough.
 *
 * A date that is wrong can so hold up no more than its own room, and no longer than it is wrong by. One
 * that is wrong in the past makes no other message go, but those before it that are dated ahead of the
 * clock: to lose a message too early takes two wrong dates.
 *
 * How they are found. All messages of the database are gone through in the order of their ids, from where
 * the sweep before has stopped to the first young one, so that a sweep passes over nothing that is kept.
 * What that misses because a date was wrong (rooms behind one young date, messages that were passed while
 * the clock was behind) is found by a full sweep, the first and one an hour: it looks at the first message
 * of every room. It also looks at each key once, when that has become a day old, and deletes the rows of rooms
 * that have neither messages nor keys and got their last message a day ago. A room that is made again goes on
 * above all positions that rooms of its site had when they were deleted.
 *
 * @param sweep   on APR_SUCCESS moved on; else as it was, to be tried again
 * @param is_done 1 if this was the sweep's last step, else 0; untouched on failure
 * @param now_ms  the wall clock
 * @param fn      called after the commit for each room whose history has changed
 * @return APR_SUCCESS, or as chat_store_append
 */
apr_status_t chat_retention_step(chat_database_t *db, const char *site,
                                 const chat_retention_t *retention, chat_sweep_t *sweep,
                                 int *is_done, apr_int64_t now_ms, chat_store_room_fn *fn,
                                 void *baton, apr_pool_t *scratch_pool);

#endif
