/* The leftovers that retention finds when the messages are gone: idempotency keys that are a day
 * old, and the rows of empty rooms. Both are found in stretches of rows, so that the rows of a step
 * are bounded for any ids. */
#ifndef CHAT_LEFTOVERS_H
#define CHAT_LEFTOVERS_H

#include "chat_store.h"

/** Keys, and rooms, that are found at once. */
#define CHAT_LEFTOVERS_MAX 200

/** How long an empty room's row is kept after its last message, in milliseconds: a day. */
#define CHAT_LEFTOVERS_ROOM_KEPT_MS CHAT_KEY_KEPT_MS

/** The rows to delete. Zeroed before it is filled. */
typedef struct chat_leftovers_t {
    apr_int64_t keys[CHAT_LEFTOVERS_MAX]; /**< their messages' ids */
    int key_count;
    apr_int64_t rooms[CHAT_LEFTOVERS_MAX];
    const char *
        names[CHAT_LEFTOVERS_MAX]; /**< of the rooms; owned by the pool that they were found with */
    int room_count;
    apr_int64_t floor; /**< the highest stored position of these rooms */
} chat_leftovers_t;

/** Which keys a search has seen, by their messages' ids. Before a search seen_id is set to done_id. */
typedef struct chat_leftovers_keys_t {
    apr_int64_t seen_id; /**< those up to here were looked at */
    apr_int64_t
        done_id; /**< those up to here were all a day old, and need not be looked at again */
} chat_leftovers_keys_t;

/**
 * Find a site's keys that outlived their messages and are a day old. A key that is a day old and whose message
 * is there goes with the message, so it is looked at once. The search ends where all keys of a stretch are
 * younger: one that has a wrong date holds up nothing.
 *
 * @param keys     moved on
 * @param is_over  1 if there is nothing more to look at for now
 * @return as chat_database_read
 */
apr_status_t chat_leftovers_find_keys(chat_leftovers_t *left, chat_database_t *db, const char *site,
                                      apr_int64_t now_ms, chat_leftovers_keys_t *keys, int *is_over,
                                      apr_pool_t *pool);

/**
 * Find a site's rooms that have neither messages nor keys, and got their last message a day ago.
 *
 * @param room_id  rooms up to here are done; moved on
 * @param is_over  1 if these were all
 * @return as chat_database_read
 */
apr_status_t chat_leftovers_find_rooms(chat_leftovers_t *left, chat_database_t *db,
                                       const char *site, apr_int64_t now_ms, apr_int64_t *room_id,
                                       int *is_over, apr_pool_t *pool);

/**
 * Delete these rows, in a transaction of the caller's. The site's floor is raised: a room that is
 * made again goes on above every position that it had. @return as chat_database_select
 */
apr_status_t chat_leftovers_delete(const chat_leftovers_t *left, chat_database_t *db,
                                   const char *site, apr_pool_t *pool);

#endif
