#include "retention_fixture.h"

static void keeps_the_newest_of_each_room(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 3};
    chat_sweep_t sweep = {0};
    told_t told;

    fill(db, "a", 5, *state);
    fill(db, "b", 3, *state);
    fill(db, "c", 4, *state);
    told = sweep_site(db, "", &retention, &sweep, LATER, *state);
    assert_string_equal(told.rooms, "a;c;");
    assert_kept(db, "", "a", 3, 5, *state);
    assert_kept(db, "", "b", 1, 3, *state);
    assert_kept(db, "", "c", 2, 4, *state);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, LATER, *state).rooms, "");
    fill(db, "d", 1, *state);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, LATER, *state).rooms, "");
    assert_kept(db, "", "d", 1, 1, *state);
}

/* Readers that catch up in a flood, and jobs that are sent again, are seconds behind. */
static void spares_what_is_young_whatever_its_number(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 1};
    chat_sweep_t sweep = {0};

    store_at(db, "", "a", "", 1000, *state);
    store_at(db, "", "a", "", 2000, *state);
    store_at(db, "", "b", "", 2000, *state);
    store_at(db, "", "a", "", 3600000, *state); /* the clock was ahead */
    store_at(db, "", "a", "", 3000, *state);
    store_at(db, "", "b", "", 3000, *state);
    store_at(db, "", "a", "", 3000, *state);
    (void)sweep_site(db, "", &retention, &sweep, 2000 + CHAT_RETENTION_MIN_AGE_MS - 1, *state);
    assert_kept(db, "", "a", 2, 5, *state);
    assert_kept(db, "", "b", 1, 2, *state);
    (void)sweep_site(db, "", &retention, &sweep, 2000 + CHAT_RETENTION_MIN_AGE_MS, *state);
    assert_kept(db, "", "a", 4, 5, *state);
    assert_kept(db, "", "b", 2, 2, *state);
    (void)sweep_site(db, "", &retention, &sweep, 3000 + CHAT_RETENTION_MIN_AGE_MS, *state);
    assert_kept(db, "", "a", 5, 5, *state);
}

/* More of them than one step looks at. */
static void gets_past_rooms_that_are_young(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 1};
    chat_sweep_t sweep = {0};
    int i;

    for (i = 0; i < CHAT_RETENTION_STEP + 50; i++) {
        fill(db, apr_psprintf(temp->pool, "young%d-", i), 2, temp);
    }
    store_at(db, "", "old", "", 1, temp);
    store_at(db, "", "old", "", 1, temp);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, NOW / 1000 + 1, temp).rooms, "old;");
    assert_kept(db, "", "young0-", 1, 2, temp);
}

static void deletes_much_in_small_steps(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 10};
    chat_sweep_t sweep = {0};
    int is_done = 0;
    told_t told = {"", 0};

    fill(db, "a", 3 * CHAT_RETENTION_STEP, temp);
    fill(db, "b", CHAT_RETENTION_STEP, temp);
    assert_int_equal(chat_retention_step(db, "", &retention, &sweep, &is_done, LATER, collect,
                                         &told, temp->pool),
                     APR_SUCCESS);
    assert_false(is_done);
    assert_int_equal(newest(db, "", "a", 1, temp).first_kept_event_id, CHAT_RETENTION_STEP + 1);
    (void)sweep_site(db, "", &retention, &sweep, LATER, temp);
    assert_kept(db, "", "a", 3 * CHAT_RETENTION_STEP - 9, 3 * CHAT_RETENTION_STEP, temp);
    assert_kept(db, "", "b", CHAT_RETENTION_STEP - 9, CHAT_RETENTION_STEP, temp);
}

static void deletes_what_is_too_old_to_the_millisecond(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};

    store_at(db, "", "a", "", 10, *state);
    store_at(db, "", "b", "", 15, *state);
    store_at(db, "", "a", "", 20, *state);
    store_at(db, "", "a", "", 30, *state);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, 20010, *state).rooms, "");
    assert_string_equal(sweep_site(db, "", &retention, &sweep, 20011, *state).rooms, "a;");
    assert_kept(db, "", "a", 2, 3, *state);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, 20021, *state).rooms, "b;a;");
    assert_kept(db, "", "a", 3, 3, *state);
    assert_kept(db, "", "b", 2, 1, *state);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, 29999, *state).rooms, "a;");
    assert_kept(db, "", "a", 4, 3, *state);
    store_at(db, "", "a", "", 29999, *state);
    assert_kept(db, "", "a", 4, 4, *state);
}

/* The work of a step is in the pages of a text, not in the message. */
static void deletes_large_texts_in_small_steps(void **state)
{
    enum { BYTES = 60000, COUNT = 60, STEP = 1024 * 1024 / BYTES };
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t by_age = {20000, 0};
    chat_retention_t by_count = {0, 1};
    chat_sweep_t sweep = {0};
    char *text = apr_pcalloc(temp->pool, BYTES + 1);
    told_t told = {"", 0};

    memset(text, 'x', BYTES);
    store_text_at(db, "", "a", "", text, COUNT, 10, temp);
    store_text_at(db, "", "b", "", text, COUNT, 10, temp);
    assert_false(step_once(db, "", &by_age, &sweep, 30000, &told, temp));
    assert_int_equal(newest(db, "", "a", 1, temp).first_kept_event_id, 1 + STEP);
    memset(&sweep, 0, sizeof(sweep));
    assert_false(step_once(db, "", &by_count, &sweep, 30000, &told, temp));
    assert_int_equal(newest(db, "", "a", 1, temp).first_kept_event_id, 1 + 2 * STEP);
    assert_true(sweep_site(db, "", &by_count, &sweep, 30000, temp).steps >= 2 * COUNT / STEP - 2);
    assert_kept(db, "", "a", COUNT, COUNT, temp);
    assert_kept(db, "", "b", COUNT, COUNT, temp);
}

static void sweeps_many_by_age(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};
    told_t told;
    int i;

    for (i = 0; i < 999; i++) {
        store_at(db, "", i % 3 ? "a" : "b", "", i, temp);
    }
    told = sweep_site(db, "", &retention, &sweep, 20000 + 900, temp);
    assert_true(told.steps >= 900 / CHAT_RETENTION_STEP);
    assert_kept(db, "", "a", 601, 666, temp);
    assert_kept(db, "", "b", 301, 333, temp);
}

static void leaves_other_sites_alone(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 2};
    chat_sweep_t sweep = {0};
    int i;

    for (i = 0; i < CHAT_RETENTION_STEP + 50; i++) {
        store_at(db, "other", "a", "", 1, temp);
    }
    store_at(db, "other", "b", "", 5000, temp); /* young for us, to whom it is nothing */
    for (i = 0; i < 5; i++) {
        store_at(db, "", "a", "", 2, temp);
    }
    assert_string_equal(sweep_site(db, "", &retention, &sweep, 19900, temp).rooms, "a;");
    assert_kept(db, "", "a", 4, 5, temp);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, 21000, temp).rooms, "a;");
    assert_kept(db, "", "a", 6, 5, temp);
    assert_kept(db, "other", "a", 1, CHAT_RETENTION_STEP + 50, temp);
}

/* Neither deletes their keys, nor is held up by them. */
static void leaves_the_keys_of_other_sites_alone(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 1};
    chat_sweep_t sweep = {0};
    chat_append_t other = job("a", "x", "again");

    store_at(db, "other", "a", "old", 10, temp);
    store_at(db, "other", "a", "", 10, temp);
    store_at(db, "other", "b", "young", DAY_MS, temp);
    store_at(db, "", "a", "k", 10, temp);
    store_at(db, "", "a", "", 10, temp);
    (void)sweep_site(db, "other", &retention, &sweep, 20000, temp);
    assert_kept(db, "other", "a", 2, 2, temp);
    memset(&sweep, 0, sizeof(sweep));
    (void)sweep_site(db, "", &retention, &sweep, 20000, temp);
    assert_int_equal(post_again(db, "a", "k", temp), CHAT_APPEND_KNOWN);
    (void)sweep_site(db, "", &retention, &sweep, 20000 + DAY_MS, temp);
    assert_int_equal(post_again(db, "a", "k", temp), CHAT_APPEND_NEW);
    other.site = "other";
    other.event.key = gc_slice_of("old");
    other.digest = "d";
    append_ok(db, &other, 1, temp);
    assert_int_equal(other.outcome, CHAT_APPEND_KNOWN);
}

static void sweeps_more_rooms_than_one_step_looks_at(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 2};
    chat_sweep_t sweep = {0};
    told_t told;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    (void)unit_sqlite(temp->path,
                      "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
                      " WHERE i < 10100)"
                      " INSERT INTO grip_chat_room (site, name, last_event_id)"
                      " SELECT '', 'r' || i, 1 FROM c",
                      temp->pool);
    store_many_at(db, "", "last", 3, 10, temp);
    told = sweep_site(db, "", &retention, &sweep, 20000, temp);
    assert_string_equal(told.rooms, "last;");
    assert_kept(db, "", "last", 2, 3, temp);
    assert_in_range(told.steps, 7, 9);
    /* And again from the first. */
    store_many_at(db, "", "r1", 2, 20000, temp);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, 40000, temp).rooms, "r1;");
}

/* A sweep that finds nothing to do costs as much with a million messages as with none. */
static void does_not_go_again_through_what_is_kept(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};

    store_at(db, "", "ahead", "", 3 * DAY_MS, temp);
    store_many_at(db, "other", "a", 1000, 1, temp);
    store_many_at(db, "", "a", 1000, 1000, temp);
    store_many_at(db, "", "b", 1000, 2000, temp);
    assert_in_range(sweep_site(db, "", &retention, &sweep, 21500, temp).steps, 11, 20);
    assert_kept(db, "", "a", 1001, 1000, temp);
    assert_int_equal(sweep_site(db, "", &retention, &sweep, 21600, temp).steps, 1);
    assert_in_range(sweep_site(db, "", &retention, &sweep, 22001, temp).steps, 5, 7);
    assert_kept(db, "", "b", 1001, 1000, temp);
    assert_int_equal(sweep_site(db, "", &retention, &sweep, 22002, temp).steps, 1);
}

static void keeps_a_key_for_a_day_though_its_message_is_gone(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};
    int i;

    store_at(db, "", "a", "k", 10, temp);
    store_at(db, "", "b", "k", 10, temp);
    for (i = 0; i < CHAT_RETENTION_STEP + 1; i++) {
        store_at(db, "", "c", apr_psprintf(temp->pool, "c%d", i), 10, temp);
    }
    (void)sweep_site(db, "", &retention, &sweep, 21000, temp);
    assert_kept(db, "", "a", 2, 1, temp);
    assert_int_equal(post_again(db, "a", "k", temp), CHAT_APPEND_KNOWN);
    (void)sweep_site(db, "", &retention, &sweep, 10 + DAY_MS, temp);
    assert_int_equal(post_again(db, "a", "k", temp), CHAT_APPEND_KNOWN);
    (void)sweep_site(db, "", &retention, &sweep, 11 + DAY_MS, temp);
    assert_int_equal(post_again(db, "a", "k", temp), CHAT_APPEND_KNOWN);
    (void)sweep_site(db, "", &retention, &sweep, 10 + DAY_MS + HOUR_MS, temp);
    assert_int_equal(post_again(db, "a", "k", temp), CHAT_APPEND_NEW);
    assert_int_equal(post_again(db, "b", "k", temp), CHAT_APPEND_NEW);
    assert_int_equal(post_again(db, "c", "c0", temp), CHAT_APPEND_NEW);
    assert_int_equal(post_again(db, "c", "c200", temp), CHAT_APPEND_NEW);
}

static void keeps_a_key_as_long_as_its_message(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {9 * DAY_MS, 0};
    chat_sweep_t sweep = {0};

    store_at(db, "", "a", "k", 10, *state);
    (void)sweep_site(db, "", &retention, &sweep, 8 * DAY_MS, *state);
    assert_int_equal(post_again(db, "a", "k", *state), CHAT_APPEND_KNOWN);
    (void)sweep_site(db, "", &retention, &sweep, 11 + 9 * DAY_MS, *state);
    assert_int_equal(post_again(db, "a", "k", *state), CHAT_APPEND_NEW);
}

static void tries_again_what_failed(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 1};
    chat_sweep_t sweep = {0};
    chat_sweep_t before = sweep;
    told_t told = {"", 0};
    int is_done = 7;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    fill(db, "a", 3, temp);
    (void)unit_sqlite(temp->path,
                      "CREATE TRIGGER t BEFORE DELETE ON grip_chat_message "
                      "BEGIN SELECT RAISE(ABORT, 'no'); END",
                      temp->pool);
    assert_int_not_equal(chat_retention_step(db, "", &retention, &sweep, &is_done, LATER, collect,
                                             &told, temp->pool),
                         APR_SUCCESS);
    assert_memory_equal(&sweep, &before, sizeof(sweep));
    assert_int_equal(is_done, 7);
    assert_string_equal(told.rooms, "");
    assert_kept(db, "", "a", 1, 3, temp);
    (void)unit_sqlite(temp->path, "DROP TRIGGER t", temp->pool);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, LATER, temp).rooms, "a;");
    assert_kept(db, "", "a", 3, 3, temp);
}

static void comes_back_later_where_another_holds_the_database(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_database_t *other = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 1};
    chat_sweep_t sweep = {0};
    chat_sweep_t before = sweep;
    told_t told = {"", 0};
    unsigned openings;
    int is_done = 7;

    fill(db, "a", 3, temp);
    openings = chat_database_openings(db);
    assert_int_equal(chat_database_begin(other, temp->pool), APR_SUCCESS);
    assert_int_equal(chat_retention_step(db, "", &retention, &sweep, &is_done, LATER, collect,
                                         &told, temp->pool),
                     APR_EAGAIN);
    assert_memory_equal(&sweep, &before, sizeof(sweep));
    assert_int_equal(is_done, 7);
    assert_string_equal(told.rooms, "");
    assert_int_equal(chat_database_run(other, "COMMIT"), APR_SUCCESS);
    assert_kept(db, "", "a", 1, 3, temp);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, LATER, temp).rooms, "a;");
    assert_int_equal(chat_database_openings(db), openings); /* nothing is wrong with it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(keeps_the_newest_of_each_room),
        TEMP_TEST(spares_what_is_young_whatever_its_number),
        TEMP_TEST(gets_past_rooms_that_are_young),
        TEMP_TEST(deletes_much_in_small_steps),
        TEMP_TEST(deletes_what_is_too_old_to_the_millisecond),
        TEMP_TEST(deletes_large_texts_in_small_steps),
        TEMP_TEST(sweeps_many_by_age),
        TEMP_TEST(leaves_other_sites_alone),
        TEMP_TEST(leaves_the_keys_of_other_sites_alone),
        TEMP_TEST(sweeps_more_rooms_than_one_step_looks_at),
        TEMP_TEST(does_not_go_again_through_what_is_kept),
        TEMP_TEST(keeps_a_key_for_a_day_though_its_message_is_gone),
        TEMP_TEST(keeps_a_key_as_long_as_its_message),
        TEMP_TEST(tries_again_what_failed),
        TEMP_TEST(comes_back_later_where_another_holds_the_database),
    };

    return UNIT_RUN(tests);
}
