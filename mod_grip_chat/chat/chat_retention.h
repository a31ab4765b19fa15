/* Deleting messages that are older, or more, than a site keeps: from the front of each room, in steps
 * so small that they do not keep posts waiting. */
#ifndef CHAT_RETENTION_H
#define CHAT_RETENTION_H

#include "chat_leftovers.h"

/** The limits of each room; 0 for no limit. */
typedef struct chat_retention_t {
    apr_int64_t max_age_ms; /**< at least CHAT_RETENTION_MIN_AGE_MS, else that counts */
    apr_int64_t max_count;
} chat_retention_t;

/**
 * No younger message is deleted, in milliseconds. A reader who is just catching up must not be
 * told that it is gone, and a job that a child sends again must be recognised.
 */
#define CHAT_RETENTION_MIN_AGE_MS 10000

/** Messages that one step deletes at most; fewer where their texts come to more than 1 MB. */
#define CHAT_RETENTION_STEP 200

/**
 * Where a sweep through a site has got; zeroed before the first. Belongs to the caller of the
 * step.
 */
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
 * Do one step of a sweep: delete at most CHAT_RETENTION_STEP messages, in one transaction, and
 * move their rooms' first kept positions on. An idempotency key goes with its message, or within an
 * hour after a day, if that is later. A writer's call.
 *
 * Messages that go by age. Dates are of the wall clock, which may have been wrong; the order of
 * ids, and of positions in a room, is right in any case. So a message goes if its own date is old
 * enough and no message before it in its room has a young date. A message that is dated ahead of
 * the clock has a wrong date. It goes with the first message behind it in its room that goes, or
 * when its date is old enough.
 *
 * So a wrong date can hold up only its own room, and no longer than it is wrong by. A wrong date
 * in the past makes no other message go, except messages before it that are dated ahead of the
 * clock. To lose a message too early takes two wrong dates.
 *
 * How a sweep finds them. It goes through all messages of the database in the order of their ids,
 * from the end of the sweep before to the first young message. So a sweep passes over no message
 * that is kept. Wrong dates make it miss some: rooms behind one young date, or messages that were
 * passed while the clock was behind. A full sweep, the first one and then one an hour, finds those:
 * it looks at the first message of every room. It also looks at each key once, when the key has
 * become a day old. It deletes the rows of rooms that have neither messages nor keys and got their
 * last message a day ago. A room that is made again goes on above all positions that rooms of its
 * site had when they were deleted.
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
