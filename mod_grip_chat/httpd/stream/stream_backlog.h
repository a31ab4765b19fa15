/* A page of the events that a reader lacks who is behind all pieces of its room. It is read for
 * this reader alone, the next page when the one before is written, so a reader has its own pace and
 * one page in memory.
 * Lives in a child: the loop's thread makes and frees it, the loader's thread has it in between. */
#ifndef STREAM_BACKLOG_H
#define STREAM_BACKLOG_H

#include "stream_room.h"

/** Bytes of event stream that a page has at most, unless its first event is longer; and where there is much in
 *  memory already. */
#define STREAM_BACKLOG_BYTES       STREAM_PIECE_BYTES
#define STREAM_BACKLOG_LEAST_BYTES (4 * 1024)

/** A page that is asked for, or was read. malloc'ed. */
typedef struct stream_backlog_t {
    struct stream_backlog_t *next;   /**< of those that wait with it */
    stream_connection_t *connection; /**< the loop's; NULL once the reader has left */
    int has_failed;      /**< the loop's: it could not be read, and is to be tried again */
    stream_room_t *room; /**< the loop's; stays as long as this: see stream_room_t.backlogs */
    const conf_site_t *site;
    const char *name;  /**< of the room, and as long as it */
    apr_int64_t after; /**< the position that it follows */
    apr_size_t bytes;  /**< how long it may be */
    /* the loader fills these in */
    apr_status_t status;
    int is_unfit; /**< if that failed: a message cannot be shown, and others' pages can be read */
    chat_block_t *block;       /**< the events, held; NULL for none */
    apr_int64_t reached;       /**< the position that they lead to */
    apr_int64_t last_event_id; /**< the room's */
    int is_cut_off;            /**< the next events cannot be had: the reader is to start over */
} stream_backlog_t;

/** Some of them, first in, first out. Made by stream_backlogs_init. */
typedef struct stream_backlogs_t {
    stream_backlog_t *first;
    stream_backlog_t **end;
} stream_backlogs_t;

/** Make it empty. */
void stream_backlogs_init(stream_backlogs_t *backlogs);

/** Put one behind the others. */
void stream_backlogs_put(stream_backlogs_t *backlogs, stream_backlog_t *backlog);

/** Take the first, NULL where there is none. */
stream_backlog_t *stream_backlogs_take(stream_backlogs_t *backlogs);

/** Take all out that ask for the same as this one, and chain them behind it: one read is good for all. */
void stream_backlogs_join(stream_backlogs_t *backlogs, stream_backlog_t *first);

/** Take all of the same site out, and chain them behind this one: where it cannot be read, they cannot either. */
void stream_backlogs_join_site(stream_backlogs_t *backlogs, stream_backlog_t *first);

/**
 * Ask for the events after the reader's position. The caller gives it to the loader. @return NULL
 * without memory
 */
stream_backlog_t *stream_backlog_make(stream_connection_t *connection, apr_size_t bytes);

/** Free it, and let go of the events that were read. */
void stream_backlog_free(stream_backlog_t *backlog);

/** The reader leaves while the page is asked for; nothing where none is. */
void stream_backlog_leave(stream_connection_t *connection);

/** Give all that are chained behind this one the events that were read for it. */
void stream_backlog_share(stream_backlog_t *first);

/**
 * Read the page; blocks. In the loader's thread. @param pool for the rows; may be cleared
 * afterwards
 */
void stream_backlog_read(stream_backlog_t *backlog, chat_account_t *account, apr_pool_t *pool);

#endif
