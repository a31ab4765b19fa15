/* Storing (chat_append.c) and reading messages of rooms, and values of sites. One database holds
 * several sites, told apart by name. The thread rule is the connection's. */
#ifndef CHAT_STORE_H
#define CHAT_STORE_H

#include "chat_database.h"

/** The fate of an event to store. */
typedef enum chat_append_outcome_e {
    CHAT_APPEND_NEW,      /**< it was stored by this call */
    CHAT_APPEND_REPEATED, /**< this job was stored by a call before */
    CHAT_APPEND_KNOWN,    /**< another job with this idempotency key and the same message was */
    CHAT_APPEND_CONFLICT, /**< another job with this idempotency key and another message was */
    CHAT_APPEND_FAILED    /**< it alone could not be stored: see chat_store_append_each */
} chat_append_outcome_e;

/** An event to store, and what became of it. Strings are NUL-terminated, as are the event's. */
typedef struct chat_append_t {
    const char *site; /**< "" or a name */
    const char *room; /**< valid, decoded */
    chat_event_t
        event; /**< kind, author, payload and key: valid. Out: position, id and created_ms of what is
                              stored, now or before; untouched for CHAT_APPEND_CONFLICT */
    const char *job_key; /**< unique among all jobs */
    const char *digest;  /**< with a key: of author and payload, equal where both are; else "" */
    int is_repeat;       /**< the job may have been stored before: look for its own key first */
    chat_append_outcome_e outcome; /**< out */
} chat_append_t;

/**
 * Append events in one transaction: all of them are durable on APR_SUCCESS, none of them otherwise;
 * see each one's outcome. A writer's call.
 *
 * @param jobs          in the order in which they get their positions
 * @param count         1 or more
 * @param now           the date that new messages get
 * @param scratch_pool  for the driver's results
 * @return APR_SUCCESS; APR_EAGAIN if another process holds the database; APR_ENOENT if the file was
 *         deleted or replaced; APR_ENOSPC if the disk is full; APR_EGENERAL otherwise
 */
apr_status_t chat_store_append(chat_database_t *db, chat_append_t *const *jobs, int count,
                               apr_time_t now, apr_pool_t *scratch_pool);

/**
 * Append messages in one transaction, each that can be stored. If a room's row was changed by hand
 * so that none of its messages can be stored, the messages of other rooms still are. It takes more
 * statements than chat_store_append and is for jobs that chat_store_append could not store. A
 * writer's call.
 *
 * @return APR_SUCCESS: all are durable but those whose outcome is CHAT_APPEND_FAILED; see
 *         chat_database_last_error for the last of these. As chat_store_append where none could be stored
 *         and it was not due to the jobs
 */
apr_status_t chat_store_append_each(chat_database_t *db, chat_append_t *const *jobs, int count,
                                    apr_time_t now, apr_pool_t *scratch_pool);

/**
 * Read the newest messages of a room that lie before a position, newest first.
 *
 * @param before  the position; APR_INT64_MAX for the newest of all
 * @param most    one message at least is read
 * @param page    events and their bytes owned by pool; count 0 and last_event_id the base where
 *                the room was never written to
 * @return APR_SUCCESS, or as chat_database_ready
 */
apr_status_t chat_store_read_before(chat_database_t *db, const char *site, const char *room,
                                    apr_int64_t before, chat_bounds_t most, chat_page_t *page,
                                    apr_pool_t *pool);

/**
 * Read the messages after a position of a room, oldest first. It goes by messages and not by
 * positions, so a deleted message in between does not end it.
 *
 * @param after  the position, 0 or more; positions beyond the room's end give an empty page
 * @param most   one message at least is read
 * @return APR_SUCCESS, or as chat_database_ready
 */
apr_status_t chat_store_read_after(chat_database_t *db, const char *site, const char *room,
                                   apr_int64_t after, chat_bounds_t most, chat_page_t *page,
                                   apr_pool_t *pool);

/**
 * Have all positions of the database shown higher from now on: the first that a room can have is
 * base + 1. Stored positions stay as they are. So a file that replaced another does not show
 * positions again that the other has shown for other messages. Every reader of the old file has a
 * position below all new ones, and gets a stream-reset. A writer's call.
 *
 * @param base  0 or more; durable on APR_SUCCESS
 * @return as chat_store_meta_set
 */
apr_status_t chat_store_set_base(chat_database_t *db, apr_int64_t base, apr_pool_t *scratch_pool);

/** Read the highest id that a message of the database ever had, whether it is still there or not; 0 for
 *  none. */
apr_status_t chat_store_last_id(chat_database_t *db, apr_int64_t *id, apr_pool_t *scratch_pool);

/** Have the next message get an id above this one, and above all that there were. A writer's call; durable on
 *  APR_SUCCESS. */
apr_status_t chat_store_set_last_id(chat_database_t *db, apr_int64_t id, apr_pool_t *scratch_pool);

/** Read the base, which is added to stored positions; 0 where it was never set. */
apr_status_t chat_store_base(chat_database_t *db, apr_int64_t *base, apr_pool_t *scratch_pool);

/** Read the highest position that any room shows; the base where there is none. */
apr_status_t chat_store_highest(chat_database_t *db, apr_int64_t *position,
                                apr_pool_t *scratch_pool);

/** Takes the name of one room, valid during the call. */
typedef void chat_store_room_fn(const char *room, void *baton);

/** Name each room of a site that has a message with an id above a watermark, among the newest of all sites.
 *
 *  @param limit  how many messages are looked at, from 1 */
apr_status_t chat_store_rooms_above(chat_database_t *db, const char *site, apr_int64_t watermark,
                                    apr_int64_t limit, chat_store_room_fn *fn, void *baton,
                                    apr_pool_t *scratch_pool);

/**
 * Ask for one number.
 *
 * @param params  as in chat_database_select
 * @param number  0 where the statement answers NULL or nothing; untouched on failure
 * @return as chat_database_read
 */
apr_status_t chat_store_read_number(chat_database_t *db, chat_sql_statement_e statement,
                                    const void **params, apr_int64_t *number,
                                    apr_pool_t *scratch_pool);

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
