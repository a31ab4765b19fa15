/* The schema and every statement, by dialect. A room's row carries its last position, so that one
 * transaction gives a position and stores the message. A job's key is unique, so that no job is
 * stored twice. An idempotency key is unique in its room and has a row of its own, because it may
 * be kept longer than its message. */
#ifndef CHAT_SQL_H
#define CHAT_SQL_H

/** The schema's version, in grip_chat_meta under site '' and name 'schema'. */
#define CHAT_SQL_SCHEMA_VERSION 3

/** Under which name of a site grip_chat_meta keeps its floor: the highest stored position of its rooms whose
 *  rows were deleted. A room that has no row stands there, and goes on above it. */
#define CHAT_SQL_FLOOR_NAME "room-floor"

/** Under which name of site '' grip_chat_meta keeps the base, the number that is added to stored
 * positions: see chat_store_set_base. All statements take and answer stored ones, unless they say
 * "shown". */
#define CHAT_SQL_BASE_NAME "event-id-base"

/** The statements that are prepared; parameters in APR DBD's form. */
typedef enum chat_sql_statement_e {
    CHAT_SQL_FIND_JOB, /**< job key → id, shown position, created_ms */
    CHAT_SQL_FIND_KEY, /**< site, room, idempotency key → id, shown position, created_ms,
                                digest */
    CHAT_SQL_ROOM_NEXT, /**< site, room → room id, the position after its last, base; nothing where the
                               room has no row */
    CHAT_SQL_ROOM_MAKE, /**< site, room, created_ms, site */
    CHAT_SQL_ROOM_LAST, /**< position, created_ms, room id */
    CHAT_SQL_INSERT,    /**< room id, position, sender, body, created_ms, job key,
                               idempotency key or NULL */
    CHAT_SQL_INSERTED, /**< → the id of the message that CHAT_SQL_INSERT of this connection has just stored */
    CHAT_SQL_INSERT_KEY,  /**< id, room id, idempotency key, position, created_ms, digest */
    CHAT_SQL_READ_BEFORE, /**< shown position, site, room, rows */
    CHAT_SQL_READ_AFTER,  /**< shown position, site, room, rows */
    CHAT_SQL_ROOMS_ABOVE, /**< watermark, site */
    CHAT_SQL_ROOMS_OVER,  /**< above room id, up to room id, site, messages that are kept */
    CHAT_SQL_ROOMS_OLD,   /**< above room id, up to room id, site; created_ms of the first message
                                below, or above */
    CHAT_SQL_FRONT,       /**< room id, from position, below position → position, created_ms,
                                bytes of text */
    CHAT_SQL_ROOMS_END, /**< above room id, rooms → the highest id of so many rooms that follow, and how
                                many there are */
    CHAT_SQL_ROOMS_EMPTY,   /**< above room id, up to room id, site; written before, or after, in
                                milliseconds → id, room, position of rooms without messages and keys */
    CHAT_SQL_DELETE_ROOM,   /**< room id */
    CHAT_SQL_RAISE_FLOOR,   /**< site, position */
    CHAT_SQL_ABSENT,        /**< site → the shown position of its rooms that have no row */
    CHAT_SQL_MESSAGES_FROM, /**< above id → id, room id, position, created_ms, bytes of text, site,
                                    room, the room's first kept position */
    CHAT_SQL_KEYS_FROM,     /**< above id → id, created_ms, whether its message is gone, site */
    CHAT_SQL_KEEP_FROM,     /**< first kept position, room id */
    CHAT_SQL_DELETE_KEYS,   /**< room id, below position, created_ms below */
    CHAT_SQL_DELETE_KEY,    /**< id */
    CHAT_SQL_DELETE_MESSAGES, /**< room id, below position */
    CHAT_SQL_BASE,            /**< none */
    CHAT_SQL_HIGHEST,         /**< none → the highest shown position of all rooms */
    CHAT_SQL_LAST_ID,         /**< none → the highest id that a message ever had, or nothing */
    CHAT_SQL_FIRST_ID_ABOVE, /**< id, above which the first message gets its own, if there never was one */
    CHAT_SQL_NEXT_ID_ABOVE, /**< id, above which the next message gets its own */
    CHAT_SQL_MAX_ID,        /**< none */
    CHAT_SQL_META_GET,      /**< site, name */
    CHAT_SQL_META_SET,      /**< site, name, value */
    CHAT_SQL_CHANGES,       /**< none → a number that moves when another connection commits */
    CHAT_SQL_COUNT
} chat_sql_statement_e;

/** The SQL of one kind of database. */
typedef struct chat_sql_dialect_t {
    const char *driver;
    int is_file;               /**< params are the path of a file on this machine */
    const char *begin;         /**< starts a transaction that will write */
    const char *const *checks; /**< pairs: query, wanted answer; ends in NULL */
    const char *const *schema; /**< statements that make the tables; ends in NULL */
    const char *const *const
        *upgrades;               /**< for each version before the last, from 1 on, the statements
                                             that make the next of it; each ends in NULL */
    const char *const *for_read; /**< statements for a reader's connection; ends in NULL */
} chat_sql_dialect_t;

/** The dialect of an APR DBD driver, NULL where there is none. */
const chat_sql_dialect_t *chat_sql_dialect(const char *driver);

/** The text of a statement. */
const char *chat_sql_text(chat_sql_statement_e statement);

#endif
