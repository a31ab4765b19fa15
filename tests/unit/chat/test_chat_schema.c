#include "store_fixture.h"
#include "unit_events.h"

/* Store one message under a key of its own. */
static apr_status_t store(chat_database_t *db, const char *key, const unit_temp_t *temp)
{
    chat_append_t append = job("a", key, key);

    return unit_store(chat_store_append, db, &append, 1, NOW, temp->pool);
}

static int count_messages(chat_database_t *db, const unit_temp_t *temp)
{
    return newest(db, "", "a", 100, temp).count;
}

static void makes_a_schema_that_is_there_at_the_next_start(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);

    assert_int_equal(store(db, "k", temp), APR_SUCCESS);
    chat_database_close(db);
    assert_int_equal(chat_database_ready(db), APR_SUCCESS);
    assert_int_equal(count_messages(db, temp), 1);
    if (unit_sqlite_is_there()) {
        assert_string_equal(unit_sqlite(temp->path, "PRAGMA journal_mode", temp->pool), "wal");
        assert_string_equal(
            unit_sqlite(temp->path,
                        "SELECT value FROM grip_chat_meta WHERE site = '' AND name = 'schema'",
                        temp->pool),
            APR_STRINGIFY(CHAT_SQL_SCHEMA_VERSION));
    }
}

static void refuses_a_newer_schema_and_leaves_it_alone(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);

    if (!unit_sqlite_is_there()) {
        skip();
    }
    chat_database_close(db);
    (void)unit_sqlite(temp->path, "UPDATE grip_chat_meta SET value = '4' WHERE name = 'schema'",
                      temp->pool);
    assert_int_equal(chat_database_ready(db), APR_EINCOMPLETE);
    assert_non_null(strstr(chat_database_last_error(db), "version"));
    assert_int_equal(store(db, "k", temp), APR_EINCOMPLETE);
    (void)unit_sqlite(temp->path, "UPDATE grip_chat_meta SET value = '3' WHERE name = 'schema'",
                      temp->pool);
    assert_int_equal(store(db, "k", temp), APR_SUCCESS);
}

/* As the first version of this module made it. */
static const char *const first_schema =
    "PRAGMA journal_mode=WAL;"
    "CREATE TABLE grip_chat_meta (site TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (site, name));"
    "CREATE TABLE grip_chat_room (id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL,"
    " name TEXT NOT NULL, last_event_id INTEGER NOT NULL,"
    " first_kept_event_id INTEGER NOT NULL DEFAULT 1, UNIQUE (site, name));"
    "CREATE TABLE grip_chat_message (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " room_id INTEGER NOT NULL REFERENCES grip_chat_room (id), event_id INTEGER NOT NULL,"
    " sender TEXT NOT NULL, body TEXT NOT NULL, created_ms INTEGER NOT NULL,"
    " job_key TEXT NOT NULL UNIQUE, UNIQUE (room_id, event_id));"
    "INSERT INTO grip_chat_meta VALUES ('', 'schema', '1');"
    "INSERT INTO grip_chat_room (site, name, last_event_id) VALUES ('', 'a', 1);"
    "INSERT INTO grip_chat_message (room_id, event_id, sender, body, created_ms, job_key)"
    " VALUES (1, 1, 'al', 'old', 7, 'old');";

static void brings_the_first_schema_up_to_date_and_keeps_what_is_stored(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    (void)unit_sqlite(temp->path, first_schema, temp->pool);
    db = open_as(temp, CHAT_DATABASE_WRITER);
    assert_int_equal(store(db, "k", temp), APR_SUCCESS);
    assert_int_equal(count_messages(db, temp), 2);
    chat_database_close(db);
    assert_int_equal(chat_database_ready(db), APR_SUCCESS);
    assert_string_equal(
        unit_sqlite(temp->path,
                    "SELECT value FROM grip_chat_meta WHERE name = 'schema';"
                    "SELECT group_concat(body || coalesce(idempotency_key, '-'), ',')"
                    " FROM grip_chat_message; SELECT count(*) FROM grip_chat_key",
                    temp->pool),
        "3\nold-,k-\n0");
}

/* The additions of this module's second version to the first. */
static const char *const second_schema =
    "ALTER TABLE grip_chat_message ADD COLUMN idempotency_key TEXT;"
    "CREATE TABLE grip_chat_key (message_id INTEGER PRIMARY KEY,"
    " room_id INTEGER NOT NULL REFERENCES grip_chat_room (id), idempotency_key TEXT NOT NULL,"
    " event_id INTEGER NOT NULL, created_ms INTEGER NOT NULL, digest TEXT NOT NULL,"
    " UNIQUE (room_id, idempotency_key));"
    "INSERT INTO grip_chat_key VALUES (1, 1, 'kept', 1, 7, 'd');"
    "UPDATE grip_chat_meta SET value = '2' WHERE name = 'schema';";

static void brings_the_second_schema_up_to_date_and_keeps_its_keys(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    (void)unit_sqlite(temp->path, first_schema, temp->pool);
    (void)unit_sqlite(temp->path, second_schema, temp->pool);
    db = open_as(temp, CHAT_DATABASE_WRITER);
    assert_int_equal(store(db, "k", temp), APR_SUCCESS);
    assert_int_equal(count_messages(db, temp), 2);
    assert_string_equal(unit_sqlite(temp->path,
                                    "SELECT value FROM grip_chat_meta WHERE name = 'schema';"
                                    "SELECT group_concat(idempotency_key) FROM grip_chat_key;"
                                    "SELECT written_ms > 0 FROM grip_chat_room",
                                    temp->pool),
                        "3\nkept\n1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(makes_a_schema_that_is_there_at_the_next_start),
        TEMP_TEST(refuses_a_newer_schema_and_leaves_it_alone),
        TEMP_TEST(brings_the_first_schema_up_to_date_and_keeps_what_is_stored),
        TEMP_TEST(brings_the_second_schema_up_to_date_and_keeps_its_keys),
    };

    return UNIT_RUN(tests);
}
