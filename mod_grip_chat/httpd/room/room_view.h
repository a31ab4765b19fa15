/* A child's view of a site: the rooms that it has in memory, and behind them one read-only
 * connection to the database, which the threads use in turn. */
#ifndef ROOM_VIEW_H
#define ROOM_VIEW_H

#include "chat_cache.h"
#include "chat_list.h"
#include "chat_store.h"
#include "ipc_client.h"
#include "ipc_site.h"

typedef struct room_view_t room_view_t;

/**
 * Make a view; the database is opened when it is first read.
 *
 * @param site    lives as long as the reader
 * @param keeper  asked to open the database if it cannot be read (yet)
 * @param shared  tells when a room has changed, or the database may have become another
 * @param cache   of the child, for all sites; lives as long as the reader
 * @param list_bytes  of the site's lists, at most
 * @param pool    the child's
 */
apr_status_t room_view_create(room_view_t **out, const ipc_site_t *site, ipc_client_t *keeper,
                              ipc_shared_t *shared, chat_cache_t *cache, apr_size_t list_bytes,
                              apr_pool_t *pool);

/** Whether rooms are kept. If not, messages outside the list are read by themselves. */
int room_view_keeps_rooms(const room_view_t *reader);

/**
 * Get a room as it is now, from memory if it has not changed since it was read. Thread-safe. Logs
 * nothing.
 *
 * @param slot      of the room in shared memory
 * @param history   messages of the list; the same at each call
 * @param snapshot  held until pool is cleared
 * @return as chat_cache_get
 */
apr_status_t room_view_room(room_view_t *reader, const char *room, unsigned slot, int history,
                            chat_snapshot_t **snapshot, apr_pool_t *pool);

/**
 * Let go of a snapshot of room_view_room before pool is cleared. An answer holds its own block,
 * but with the snapshot a slow reader would hold all memory of the room.
 */
void room_view_let_go(chat_snapshot_t *snapshot, apr_pool_t *pool);

/** A room's messages before a position. */
typedef struct room_view_older_t {
    chat_standing_t standing; /**< as if the room ended there */
    chat_block_t *list;       /**< NULL if a message of it is not UTF-8 */
} room_view_older_t;

/**
 * Get a room's messages before a position, read from the database: its list and its standing are
 * those of a room that ends there. Thread-safe. Logs nothing.
 *
 * @param slot     of the room in shared memory
 * @param before   the position, 0 or more
 * @param history  messages of the list
 * @param older    its list is held until pool is cleared
 * @return APR_SUCCESS, as chat_store_read_before, or APR_ENOMEM
 */
apr_status_t room_view_before(room_view_t *reader, const char *room, unsigned slot,
                              apr_int64_t before, int history, room_view_older_t *older,
                              apr_pool_t *pool);

/**
 * Get the standing that room_view_before would give now, if it is known without a read.
 * Thread-safe.
 *
 * @param standing  untouched where it is not known
 * @return whether it is known
 */
int room_view_knows_before(room_view_t *reader, const char *room, unsigned slot, apr_int64_t before,
                           chat_standing_t *standing);

/**
 * As room_view_room, for a thread that has no request but other rooms to look at. If the room
 * cannot be read now, it does not wait for the keeper.
 *
 * @param snapshot  held by the caller: release it
 */
apr_status_t room_view_look(room_view_t *reader, const char *room, int history,
                            chat_snapshot_t **snapshot);

/** As room_view_after, but it does not wait for the keeper either. */
apr_status_t room_view_look_after(room_view_t *reader, const char *room, apr_int64_t after,
                                  int limit, chat_page_t *page, apr_pool_t *pool);

/** As chat_store_read_after, from the database: messages of CHAT_PAGE_MAX_BYTES of text, and at most `limit`.
 *  Thread-safe. Logs nothing. */
apr_status_t room_view_after(room_view_t *reader, const char *room, apr_int64_t after, int limit,
                             chat_page_t *page, apr_pool_t *pool);

/** Read the secret that the keeper made for the site. Thread-safe. */
apr_status_t room_view_secret(room_view_t *reader, const char **secret, apr_pool_t *pool);

#endif
