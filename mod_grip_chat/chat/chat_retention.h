/* Deleting messages that are older, or more, than a site keeps: from the front of each room, in steps
 * so small that they do not keep posts waiting. */
#ifndef CHAT_RETENTION_H
#define CHAT_RETENTION_H

#include "chat_store.h"

/** What is kept of each room; 0 for no limit. */
typedef struct chat_retention_t {
    apr_int64_t max_age_ms; /**< at least CHAT_RETENTION_MIN_AGE_MS, else that counts */
    apr_int64_t max_count;
} chat_retention_t;

/** Nothing younger is deleted, in milliseconds: who is just catching up shall not be told that it is gone,
 *  and a job that a child sends again shall be recognised. */
#define CHAT_RETENTION_MIN_AGE_MS 10000

/** Messages that one step deletes at most. */
#define CHAT_RETENTION_STEP 200

/** Where a sweep through a site has got; zeroed before the first. Belongs to whoever runs the step. */
typedef struct chat_sweep_t {
    apr_uint64_t epoch;  /**< the caller's: of another database file a sweep starts anew */
    int phase;           /**< which part of it the next step does */
    apr_int64_t room_id; /**< rooms up to here have been counted in this sweep */
    apr_int64_t gone_id; /**< no message of the site up to here is left */
    apr_int64_t seen_id; /**< messages up to here have been seen in this sweep */
    int has_kept;        /**< one of them, behind gone_id, stays */
    apr_int64_t key_id;  /**< keys up to here were a day old, and are gone or have their message */
} chat_sweep_t;

/**
 * Do one step of a sweep: delete at most CHAT_RETENTION_STEP messages, in one transaction, and move
 * their rooms' first kept positions on. An idempotency key goes with its message, or after a day if
 * that is later. A writer's call.
 *
 * Ages go by the dates that messages have, in the order of their ids: one that is not old enough ends
 * the sweep of the ages. One whose date lies ahead of the clock, because that was wrong, ends nothing.
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
