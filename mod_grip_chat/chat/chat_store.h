/* What is stored and read: messages of rooms, and values of sites. One database holds several sites,
 * told apart by name. The thread rule is the connection's. */
#ifndef CHAT_STORE_H
#define CHAT_STORE_H

#include "chat_database.h"

/** A message to store, and what became of it. */
typedef struct chat_append_t {
    const char *site;       /**< "" or a name, NUL-terminated like all that follow */
    const char *room;       /**< valid, decoded */
    const char *from;       /**< valid */
    const char *text;       /**< valid */
    const char *key;        /**< the job's key, unique among all jobs */
    int is_repeat;          /**< the job may have been stored before: look for its key first */
    apr_int64_t id;         /**< out: see chat_message_t */
    apr_int64_t event_id;   /**< out */
    apr_int64_t created_ms; /**< out */
    int was_stored_before;  /**< out: the key was there already; the outputs are those of then */
} chat_append_t;

/**
 * Append messages in one transaction: all of them are durable on APR_SUCCESS, none of them otherwise.
 * A writer's call.
 *
 * @param jobs          in the order in which they get their positions
 * @param count         1 or more
 * @param now           the date that new messages get
 * @param scratch_pool  for the driver's results
 * @return APR_SUCCESS; APR_EAGAIN if another process holds the database; APR_ENOENT if the file was
 *         deleted or replaced; APR_EGENERAL otherwise
 */
apr_status_t chat_store_append(chat_database_t *db, chat_append_t *jobs, int count, apr_time_t now,
                               apr_pool_t *scratch_pool);

/**
 * Read the newest messages of a room, newest first.
 *
 * @param page   messages and their bytes owned by pool; count 0 and last_event_id 0 where the room
 *               was never written to
 * @param limit  1 .. CHAT_HISTORY_MAX messages
 * @return APR_SUCCESS, or as chat_database_ready
 */
apr_status_t chat_store_read_newest(chat_database_t *db, const char *site, const char *room,
                                    int limit, chat_page_t *page, apr_pool_t *pool);

/**
 * Read what follows a position of a room, oldest first.
 *
 * @param after  the position, 0 or more; positions beyond the room's end give an empty page
 * @param limit  1 .. CHAT_HISTORY_MAX messages
 * @return APR_SUCCESS, or as chat_database_ready
 */
apr_status_t chat_store_read_after(chat_database_t *db, const char *site, const char *room,
                                   apr_int64_t after, int limit, chat_page_t *page,
                                   apr_pool_t *pool);

/** Takes the name of one room, valid during the call. */
typedef void chat_store_room_fn(const char *room, void *baton);

/** Name each room of a site that has a message with an id above a watermark. */
apr_status_t chat_store_rooms_above(chat_database_t *db, const char *site, apr_int64_t watermark,
                                    chat_store_room_fn *fn, void *baton, apr_pool_t *scratch_pool);

/** Read the highest message id of the database, 0 where there is none. */
apr_status_t chat_store_newest_id(chat_database_t *db, apr_int64_t *id, apr_pool_t *scratch_pool);

/**
 * Read a value kept for a site.
 *
 * @return APR_SUCCESS, APR_NOTFOUND if there is none, or as chat_database_ready
 */
apr_status_t chat_store_meta_get(chat_database_t *db, const char *site, const char *name,
                                 const char **value, apr_pool_t *pool);

/** Keep a value for a site, durably. A writer's call. */
apr_status_t chat_store_meta_set(chat_database_t *db, const char *site, const char *name,
                                 const char *value, apr_pool_t *scratch_pool);

#endif
