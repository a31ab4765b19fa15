#include "chat_sql.h"

#include <string.h>

/* APR's driver ends "PRAGMA x=y" with an error where it answers a row, so each of these is a query
 * whose one answer is compared. The limit is four times the size of a log between two checkpoints.
 * A log that grew while a process read for long, as for a backup, is cut back to it. */
static const char *const sqlite3_checks[] = {
    "PRAGMA journal_mode=WAL",
    "wal",
    "PRAGMA synchronous",
    "2",
    "PRAGMA journal_size_limit=16777216",
    "16777216",
    NULL,
};

/* By the message's id, so that old keys lie together. */
#define SQLITE3_KEY_TABLE                                                                          \
    "CREATE TABLE IF NOT EXISTS grip_chat_key ("                                                   \
    " message_id INTEGER PRIMARY KEY,"                                                             \
    " room_id INTEGER NOT NULL REFERENCES grip_chat_room (id),"                                    \
    " idempotency_key TEXT NOT NULL,"                                                              \
    " event_id INTEGER NOT NULL,"                                                                  \
    " created_ms INTEGER NOT NULL,"                                                                \
    " digest TEXT NOT NULL,"                                                                       \
    " UNIQUE (room_id, idempotency_key))"

static const char *const sqlite3_schema[] = {
    "CREATE TABLE IF NOT EXISTS grip_chat_meta ("
    " site TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (site, name))",
    "CREATE TABLE IF NOT EXISTS grip_chat_room ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " site TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " last_event_id INTEGER NOT NULL,"
    " first_kept_event_id INTEGER NOT NULL DEFAULT 1,"
    " written_ms INTEGER NOT NULL DEFAULT 0," /* when the room got its last message */
    " UNIQUE (site, name))",
    /* AUTOINCREMENT: without it an emptied table starts ids at 1 again. */
    "CREATE TABLE IF NOT EXISTS grip_chat_message ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " room_id INTEGER NOT NULL REFERENCES grip_chat_room (id),"
    " event_id INTEGER NOT NULL,"
    " sender TEXT NOT NULL,"
    " body TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " job_key TEXT NOT NULL UNIQUE,"
    " idempotency_key TEXT,"
    " UNIQUE (room_id, event_id))",
    SQLITE3_KEY_TABLE,
    NULL,
};

static const char *const sqlite3_of_1[] = {
    "ALTER TABLE grip_chat_message ADD COLUMN idempotency_key TEXT",
    SQLITE3_KEY_TABLE,
    NULL,
};
static const char *const sqlite3_of_2[] = {
    "ALTER TABLE grip_chat_room ADD COLUMN written_ms INTEGER NOT NULL DEFAULT 0",
    NULL,
};
static const char *const *const sqlite3_upgrades[] = {sqlite3_of_1, sqlite3_of_2};

static const char *const sqlite3_for_read[] = {"PRAGMA query_only=1", NULL};

static const chat_sql_dialect_t dialects[] = {
    {"sqlite3", 1, "BEGIN IMMEDIATE", sqlite3_checks, sqlite3_schema, sqlite3_upgrades,
     sqlite3_for_read},
};

const chat_sql_dialect_t *chat_sql_dialect(const char *driver)
{
    unsigned i;

    for (i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
        if (strcmp(dialects[i].driver, driver) == 0) {
            return &dialects[i];
        }
    }
    return NULL;
}

/* The number that is added to a stored position. It is asked for once in a statement. */
#define BASE                                                                                       \
    "(SELECT coalesce(max(CAST(value AS BIGINT)), 0) FROM grip_chat_meta"                          \
    " WHERE site = '' AND name = '" CHAT_SQL_BASE_NAME "')"

/* The floor of a site, which is the placeholder. */
#define FLOOR                                                                                      \
    "(SELECT coalesce(max(CAST(value AS BIGINT)), 0) FROM grip_chat_meta"                          \
    " WHERE site = %s AND name = '" CHAT_SQL_FLOOR_NAME "')"

/* The columns of READ_BEFORE and READ_AFTER. One statement reads the room's row and its messages,
 * so that both are of one snapshot. It goes by rows: where positions have gaps, a range of them may
 * hold nothing. */
#define READ                                                                                       \
    "SELECT r.last_event_id, r.first_kept_event_id, " BASE ","                                     \
    " m.id, m.event_id, m.created_ms, m.sender, m.body, m.idempotency_key"                         \
    " FROM grip_chat_room r LEFT JOIN grip_chat_message m ON m.room_id = r.id AND m.event_id "

static const char *const texts[CHAT_SQL_COUNT] = {
    [CHAT_SQL_FIND_JOB] = "SELECT id, event_id + " BASE ", created_ms FROM grip_chat_message"
                          " WHERE job_key = %s",
    [CHAT_SQL_FIND_KEY] = "SELECT k.message_id, k.event_id + " BASE ", k.created_ms, k.digest"
                          " FROM grip_chat_room r JOIN grip_chat_key k ON k.room_id = r.id"
                          " WHERE r.site = %s AND r.name = %s AND k.idempotency_key = %s",
    [CHAT_SQL_ROOM_NEXT] = "SELECT id, last_event_id + 1, " BASE " FROM grip_chat_room"
                           " WHERE site = %s AND name = %s",
    /* An INSERT of its own: one that becomes an UPDATE uses up an id all the same. */
    [CHAT_SQL_ROOM_MAKE] =
        "INSERT INTO grip_chat_room (site, name, written_ms, last_event_id, first_kept_event_id)"
        " SELECT %s, %s, %lld, f.position, f.position + 1 FROM (SELECT " FLOOR " AS position) f",
    [CHAT_SQL_ROOM_LAST] = "UPDATE grip_chat_room SET last_event_id = %lld, written_ms = %lld"
                           " WHERE id = %lld",
    [CHAT_SQL_INSERT] = "INSERT INTO grip_chat_message"
                        " (room_id, event_id, sender, body, created_ms, job_key,"
                        " idempotency_key)"
                        " VALUES (%lld, %lld, %s, %s, %lld, %s, %s)",
    [CHAT_SQL_INSERTED] = "SELECT last_insert_rowid()",
    [CHAT_SQL_INSERT_KEY] = "INSERT INTO grip_chat_key"
                            " (message_id, room_id, idempotency_key, event_id, created_ms,"
                            " digest) VALUES (%lld, %lld, %s, %lld, %lld, %s)",
    [CHAT_SQL_READ_BEFORE] = READ "< %lld - " BASE " WHERE r.site = %s AND r.name = %s"
                                  " ORDER BY m.event_id DESC LIMIT %lld",
    [CHAT_SQL_READ_AFTER] = READ "> %lld - " BASE " WHERE r.site = %s AND r.name = %s"
                                 " ORDER BY m.event_id LIMIT %lld",
    [CHAT_SQL_ROOMS_ABOVE] =
        "SELECT r.name FROM grip_chat_room r WHERE r.id IN (SELECT n.room_id FROM"
        " (SELECT m.room_id FROM grip_chat_message m WHERE m.id > %lld"
        " ORDER BY m.id DESC LIMIT %lld) n) AND +r.site = %s",
    /* The plus keeps SQLite from the index of sites, by which each step would look at all rooms. */
    [CHAT_SQL_ROOMS_OVER] =
        "SELECT id, name, first_kept_event_id, last_event_id FROM grip_chat_room"
        " WHERE id > %lld AND id <= %lld AND +site = %s"
        " AND last_event_id - first_kept_event_id >= %lld ORDER BY id LIMIT 200",
    [CHAT_SQL_ROOMS_OLD] =
        "SELECT r.id, r.name, r.first_kept_event_id, r.last_event_id"
        " FROM grip_chat_room r JOIN grip_chat_message m ON m.room_id = r.id AND m.event_id ="
        " (SELECT min(f.event_id) FROM grip_chat_message f WHERE f.room_id = r.id)"
        " WHERE r.id > %lld AND r.id <= %lld AND +r.site = %s"
        " AND (m.created_ms < %lld OR m.created_ms > %lld) ORDER BY r.id LIMIT 200",
    [CHAT_SQL_FRONT] = "SELECT event_id, created_ms, length(CAST(body AS BLOB))"
                       " FROM grip_chat_message"
                       " WHERE room_id = %lld AND event_id >= %lld AND event_id < %lld"
                       " ORDER BY event_id LIMIT 20",
    [CHAT_SQL_ROOMS_END] = "SELECT max(id), count(*) FROM (SELECT id FROM grip_chat_room"
                           " WHERE id > %lld ORDER BY id LIMIT %lld) stretch",
    [CHAT_SQL_ROOMS_EMPTY] =
        "SELECT r.id, r.name, r.last_event_id FROM grip_chat_room r"
        " WHERE r.id > %lld AND r.id <= %lld AND +r.site = %s"
        " AND r.last_event_id < r.first_kept_event_id"
        " AND (r.written_ms < %lld OR r.written_ms > %lld)"
        " AND NOT EXISTS (SELECT 1 FROM grip_chat_message m WHERE m.room_id = r.id)"
        " AND NOT EXISTS (SELECT 1 FROM grip_chat_key k WHERE k.room_id = r.id)"
        " ORDER BY r.id LIMIT 200",
    [CHAT_SQL_DELETE_ROOM] = "DELETE FROM grip_chat_room WHERE id = %lld",
    [CHAT_SQL_RAISE_FLOOR] =
        "INSERT INTO grip_chat_meta (site, name, value) VALUES (%s, '" CHAT_SQL_FLOOR_NAME
        "', %lld)"
        " ON CONFLICT (site, name) DO UPDATE SET value = excluded.value"
        " WHERE CAST(excluded.value AS BIGINT) > CAST(grip_chat_meta.value AS BIGINT)",
    [CHAT_SQL_ABSENT] = "SELECT " BASE " + " FLOOR,
    [CHAT_SQL_MESSAGES_FROM] =
        "SELECT m.id, m.room_id, m.event_id, m.created_ms, m.bytes, r.site, r.name,"
        " r.first_kept_event_id FROM"
        " (SELECT id, room_id, event_id, created_ms, length(CAST(body AS BLOB)) AS bytes"
        " FROM grip_chat_message WHERE id > %lld ORDER BY id LIMIT 20) m"
        " JOIN grip_chat_room r ON r.id = m.room_id ORDER BY m.id",
    [CHAT_SQL_KEYS_FROM] =
        "SELECT k.message_id, k.created_ms, k.event_id < r.first_kept_event_id, r.site FROM"
        " (SELECT message_id, room_id, event_id, created_ms FROM grip_chat_key"
        " WHERE message_id > %lld ORDER BY message_id LIMIT 1000) k"
        " LEFT JOIN grip_chat_room r ON r.id = k.room_id ORDER BY k.message_id",
    [CHAT_SQL_KEEP_FROM] = "UPDATE grip_chat_room SET first_kept_event_id = %lld"
                           " WHERE id = %lld",
    [CHAT_SQL_DELETE_KEYS] =
        "DELETE FROM grip_chat_key WHERE message_id IN (SELECT id FROM grip_chat_message"
        " WHERE room_id = %lld AND event_id < %lld) AND created_ms < %lld",
    [CHAT_SQL_DELETE_KEY] = "DELETE FROM grip_chat_key WHERE message_id = %lld",
    [CHAT_SQL_DELETE_MESSAGES] =
        "DELETE FROM grip_chat_message WHERE room_id = %lld AND event_id < %lld",
    [CHAT_SQL_BASE] = "SELECT " BASE,
    [CHAT_SQL_HIGHEST] = "SELECT max(coalesce((SELECT max(last_event_id) FROM grip_chat_room), 0),"
                         " coalesce((SELECT max(CAST(value AS BIGINT)) FROM grip_chat_meta"
                         " WHERE name = '" CHAT_SQL_FLOOR_NAME "'), 0)) + " BASE,
    [CHAT_SQL_LAST_ID] = "SELECT seq FROM sqlite_sequence WHERE name = 'grip_chat_message'",
    [CHAT_SQL_FIRST_ID_ABOVE] =
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'grip_chat_message', %lld"
        " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'grip_chat_message')",
    [CHAT_SQL_NEXT_ID_ABOVE] = "UPDATE sqlite_sequence SET seq = max(seq, %lld)"
                               " WHERE name = 'grip_chat_message'",
    [CHAT_SQL_MAX_ID] = "SELECT max(id) FROM grip_chat_message",
    [CHAT_SQL_META_GET] = "SELECT value FROM grip_chat_meta WHERE site = %s AND name = %s",
    [CHAT_SQL_META_SET] = "INSERT INTO grip_chat_meta (site, name, value) VALUES (%s, %s, %s)"
                          " ON CONFLICT (site, name) DO UPDATE SET value = excluded.value",
    [CHAT_SQL_CHANGES] = "PRAGMA data_version",
};

const char *chat_sql_text(chat_sql_statement_e statement)
{
    return texts[statement];
}
