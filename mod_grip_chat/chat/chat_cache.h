/* The rooms that a process has at hand: snapshots, each with the version of the room that it was
 * read at, valid as long as the room has no other. Bounded in bytes; the room that was used
 * longest ago goes first. Threads that miss the same room wait for one of them to read it. */
#ifndef CHAT_CACHE_H
#define CHAT_CACHE_H

#include "chat_snapshot.h"

typedef struct chat_cache_t chat_cache_t;

/** When a room was read: equal versions say that nothing has changed in between. */
typedef struct chat_version_t {
    apr_uint64_t epoch;      /**< another one: all knowledge of the database is void */
    apr_uint64_t generation; /**< another one: there may be new messages, or fewer old ones */
} chat_version_t;

/** How rooms are looked at and read. All are called from any thread, for the thread's own room. */
typedef struct chat_cache_source_t {
    /** The room's version now. Called with the cache locked: must not block. */
    chat_version_t (*version)(void *baton);
    /** As chat_store_read_before, for the newest messages. */
    apr_status_t (*newest)(void *baton, chat_bounds_t most, chat_page_t *page, apr_pool_t *pool);
    /** As chat_store_read_after. */
    apr_status_t (*after)(void *baton, apr_int64_t after, chat_bounds_t most, chat_page_t *page,
                          apr_pool_t *pool);
} chat_cache_source_t;

/** A room, as one thread asks for it. */
typedef struct chat_cache_room_t {
    const void *site;      /**< tells sites apart, by its address */
    const char *name;      /**< valid, decoded */
    int history;           /**< messages of the list; the same at each call for the site */
    apr_size_t list_bytes; /**< bytes of the list, likewise */
    const chat_cache_source_t *source;
    void *baton; /**< for the source */
} chat_cache_room_t;

/** The contents and the counts of a cache. */
typedef struct chat_cache_stats_t {
    apr_uint64_t hits;  /**< answered without a read */
    apr_uint64_t loads; /**< rooms that were read, or tried to be */
    apr_uint64_t waits; /**< times that a thread waited for the load of another */
    apr_size_t rooms;   /**< kept */
    apr_size_t bytes;   /**< of those rooms, at most the limit */
    apr_size_t
        bytes_alive; /**< of all snapshots and blocks, those included that only readers hold */
} chat_cache_stats_t;

/**
 * Make a cache.
 *
 * @param out    untouched on failure
 * @param limit  bytes that are kept; 0 keeps nothing, so that each room is read when it is asked for
 * @param pool   owns it; its cleanup lets go of all rooms, but not of snapshots that others hold
 */
apr_status_t chat_cache_create(chat_cache_t **out, apr_size_t limit, apr_pool_t *pool);

/** Whether anything is kept. */
int chat_cache_is_on(const chat_cache_t *cache);

/**
 * The account of its snapshots, for a snapshot that is not to be kept; lives as long as the cache.
 */
chat_account_t *chat_cache_account(const chat_cache_t *cache);

/**
 * Get a room as it is now: all messages that were stored before the call are in it. Thread-safe.
 *
 * Blocks while the room is read, by this thread or another. If the read fails, all threads that
 * waited for it fail too. They have waited as long as a failing read of their own would take. One
 * after the other they would wait very long if the database is locked. The next call reads again.
 *
 * @param out   held by the caller: release it
 * @return APR_SUCCESS, also if the room was never written to; else the source's status, or APR_ENOMEM
 */
apr_status_t chat_cache_get(chat_cache_t *cache, const chat_cache_room_t *room,
                            chat_snapshot_t **out);

/** The contents and counts of the cache. Thread-safe. */
chat_cache_stats_t chat_cache_stats(chat_cache_t *cache);

#endif
