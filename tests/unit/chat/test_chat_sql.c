#include "chat_database.h"
#include "chat_sql.h"
#include "unit_temp.h"

/* A statement as SQLite itself would read it: numbers and texts in place of APR's placeholders. */
static const char *plain_sql(chat_sql_statement_e statement, apr_pool_t *pool)
{
    const char *rest = chat_sql_text(statement);
    char *out = apr_pcalloc(pool, strlen(rest) * 2 + 1);
    char *to = out;

    while (*rest) {
        if (strncmp(rest, "%lld", 4) == 0) {
            *to++ = '7';
            rest += 4;
        }
        else if (strncmp(rest, "%s", 2) == 0) {
            memcpy(to, "'x'", 3);
            to += 3;
            rest += 2;
        }
        else {
            *to++ = *rest++;
        }
    }
    return out;
}

/* SQLite's plan for a statement. */
static const char *plan_of(const unit_temp_t *temp, chat_sql_statement_e statement)
{
    chat_database_spec_t spec = {"sqlite3", temp->path};
    chat_database_t *db = chat_database_create(&spec, CHAT_DATABASE_WRITER, temp->pool);

    if (!unit_sqlite_is_there()) {
        skip();
    }
    assert_int_equal(chat_database_global_init(temp->pool), APR_SUCCESS);
    assert_int_equal(chat_database_ready(db), APR_SUCCESS);
    chat_database_close(db);
    return unit_sqlite(
        temp->path,
        apr_pstrcat(temp->pool, "EXPLAIN QUERY PLAN ", plain_sql(statement, temp->pool), NULL),
        temp->pool);
}

static void assert_planned(const char *plan, const char *step)
{
    if (!strstr(plan, step)) {
        fail_msg("no '%s' in the plan:\n%s", step, plan);
    }
}

static void assert_not_planned(const char *plan, const char *step)
{
    if (strstr(plan, step)) {
        fail_msg("'%s' in the plan:\n%s", step, plan);
    }
}

static void knows_sqlite_and_refuses_to_guess(void **state)
{
    assert_non_null(chat_sql_dialect("sqlite3"));
    assert_true(chat_sql_dialect("sqlite3")->is_file);
    assert_null(chat_sql_dialect("sqlite2"));
    assert_null(chat_sql_dialect(""));
    assert_null(chat_sql_dialect("SQLite3"));
}

/* Only so an acknowledged message survives a loss of power. */
static void checks_that_a_commit_reaches_the_disk(void **state)
{
    const char *const *checks = chat_sql_dialect("sqlite3")->checks;

    assert_string_equal(checks[0], "PRAGMA journal_mode=WAL");
    assert_string_equal(checks[1], "wal");
    assert_string_equal(checks[2], "PRAGMA synchronous");
    assert_string_equal(checks[3], "2");
    assert_string_equal(checks[4], "PRAGMA journal_size_limit=16777216");
    assert_string_equal(checks[5], "16777216");
    assert_null(checks[6]);
}

/* APR binds NULL to what it does not know as a placeholder, silently. */
static void writes_only_placeholders_that_apr_knows(void **state)
{
    int i;

    for (i = 0; i < CHAT_SQL_COUNT; i++) {
        assert_non_null(chat_sql_text(i));
        assert_null(strchr(chat_sql_text(i), '?'));
        assert_null(strchr(plain_sql(i, *state), '%'));
    }
}

/* SQLite knows RETURNING since 3.35, and RHEL 9 has 3.34. */
static void says_nothing_that_an_older_sqlite_does_not_know(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < CHAT_SQL_COUNT; i++) {
        assert_null(strstr(chat_sql_text((chat_sql_statement_e)i), "RETURNING"));
    }
}

static void reads_the_newest_by_index(void **state)
{
    const char *plan = plan_of(*state, CHAT_SQL_READ_BEFORE);

    assert_planned(plan,
                   "SEARCH r USING INDEX sqlite_autoindex_grip_chat_room_1 (site=? AND name=?)");
    assert_planned(plan, "SEARCH m USING INDEX sqlite_autoindex_grip_chat_message_2 (room_id=? AND "
                         "event_id<?)");
    assert_not_planned(plan, "SCAN g");
    assert_not_planned(plan, "SCAN r");
    assert_not_planned(plan, "SCAN m");
    assert_not_planned(plan, "TEMP B-TREE");
}

static void reads_a_page_by_index(void **state)
{
    const char *plan = plan_of(*state, CHAT_SQL_READ_AFTER);

    assert_planned(plan,
                   "SEARCH r USING INDEX sqlite_autoindex_grip_chat_room_1 (site=? AND name=?)");
    assert_planned(plan, "SEARCH m USING INDEX sqlite_autoindex_grip_chat_message_2 (room_id=? AND "
                         "event_id>?)");
    assert_not_planned(plan, "SCAN");
    assert_not_planned(plan, "TEMP B-TREE");
}

static void finds_keys_by_index(void **state)
{
    const char *plan = plan_of(*state, CHAT_SQL_FIND_JOB);

    assert_planned(plan, "INDEX sqlite_autoindex_grip_chat_message_1 (job_key=?)");
    assert_not_planned(plan, "SCAN");
    plan = plan_of(*state, CHAT_SQL_FIND_KEY);
    assert_planned(plan, "INDEX sqlite_autoindex_grip_chat_key_1 (room_id=? AND "
                         "idempotency_key=?)");
    assert_not_planned(plan, "SCAN");
}

/* A sweep looks at the front of what is stored, and does not pass over it all. */
static void sweeps_by_index(void **state)
{
    static const chat_sql_statement_e statements[] = {
        CHAT_SQL_ROOMS_OVER, CHAT_SQL_ROOMS_OLD,   CHAT_SQL_FRONT,           CHAT_SQL_ROOMS_END,
        CHAT_SQL_KEYS_FROM,  CHAT_SQL_ROOMS_EMPTY, CHAT_SQL_DELETE_ROOM,     CHAT_SQL_MESSAGES_FROM,
        CHAT_SQL_KEEP_FROM,  CHAT_SQL_DELETE_KEYS, CHAT_SQL_DELETE_MESSAGES, CHAT_SQL_DELETE_KEY,
    };
    unsigned i;

    for (i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        const char *plan = plan_of(*state, statements[i]);

        assert_not_planned(plan, "SCAN grip");
        assert_not_planned(plan, "SCAN r");
        assert_not_planned(plan, "(site=?)");
    }
    assert_planned(plan_of(*state, CHAT_SQL_ROOMS_OLD),
                   "SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
    assert_planned(plan_of(*state, CHAT_SQL_ROOMS_EMPTY),
                   "SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
    assert_planned(plan_of(*state, CHAT_SQL_FRONT), "(room_id=? AND event_id>? AND event_id<?)");
}

/* A start reads what is new since the watermark, not all that was ever said. */
static void looks_for_rooms_only_above_the_watermark(void **state)
{
    const char *plan = plan_of(*state, CHAT_SQL_ROOMS_ABOVE);

    assert_planned(plan, "SEARCH m USING INTEGER PRIMARY KEY (rowid>?)");
    assert_not_planned(plan, "SCAN");
}

static void finds_values_and_the_newest_id_by_index(void **state)
{
    assert_not_planned(plan_of(*state, CHAT_SQL_META_GET), "SCAN");
    assert_planned(plan_of(*state, CHAT_SQL_MAX_ID), "SEARCH grip_chat_message");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(knows_sqlite_and_refuses_to_guess),
        POOL_TEST(checks_that_a_commit_reaches_the_disk),
        POOL_TEST(writes_only_placeholders_that_apr_knows),
        POOL_TEST(says_nothing_that_an_older_sqlite_does_not_know),
        TEMP_TEST(reads_the_newest_by_index),
        TEMP_TEST(reads_a_page_by_index),
        TEMP_TEST(finds_keys_by_index),
        TEMP_TEST(sweeps_by_index),
        TEMP_TEST(looks_for_rooms_only_above_the_watermark),
        TEMP_TEST(finds_values_and_the_newest_id_by_index),
    };

    return UNIT_RUN(tests);
}
