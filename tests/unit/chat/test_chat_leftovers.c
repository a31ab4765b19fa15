#include "retention_fixture.h"

#define DAY_AFTER (10 + DAY_MS + HOUR_MS)

static const chat_retention_t by_age = {20000, 0};

/* A room of which everything is old, a day and more after it was written. */
static told_t sweep_away(chat_database_t *db, const unit_temp_t *temp)
{
    chat_sweep_t sweep = {0};

    return sweep_site(db, "", &by_age, &sweep, DAY_AFTER, temp);
}

static void deletes_an_empty_room_a_day_after_its_last_message(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_sweep_t sweep = {0};

    if (!unit_sqlite_is_there()) {
        skip();
    }
    store_many_at(db, "", "a", 5, 10, temp);
    store_many_at(db, "", "b", 2, DAY_MS + HOUR_MS, temp);
    store_many_at(db, "other", "a", 1, 10, temp);
    assert_string_equal(sweep_site(db, "", &by_age, &sweep, 21000, temp).rooms, "a;");
    assert_string_equal(sweep_site(db, "", &by_age, &sweep, 21000 + HOUR_MS, temp).rooms, "");
    assert_int_equal(count_rows("grip_chat_room", temp), 3);
    assert_string_equal(sweep_site(db, "", &by_age, &sweep, DAY_AFTER, temp).rooms, "a;");
    assert_int_equal(count_rows("grip_chat_room", temp), 2);
}

static void has_a_room_that_is_made_again_go_on_above_what_it_gave_out(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    apr_int64_t highest;

    store_many_at(db, "", "a", 5, 10, temp);
    store_many_at(db, "", "b", 3, 10, temp);
    (void)sweep_away(db, temp);
    /* Every older reader stands at or below the floor. */
    assert_kept(db, "", "a", 6, 5, temp);
    assert_kept(db, "", "b", 6, 5, temp);
    assert_kept(db, "", "new", 6, 5, temp);
    assert_kept(db, "other", "a", 1, 0, temp);
    assert_int_equal(chat_store_highest(db, &highest, temp->pool), APR_SUCCESS);
    assert_int_equal(highest, 5);
    store_many_at(db, "", "b", 2, DAY_AFTER, temp);
    assert_kept(db, "", "b", 6, 7, temp);
    store_many_at(db, "other", "a", 1, DAY_AFTER, temp);
    assert_kept(db, "other", "a", 1, 1, temp);
    /* A floor is never lowered. */
    store_many_at(db, "", "c", 1, 10, temp);
    (void)sweep_away(db, temp);
    assert_kept(db, "", "c", 7, 6, temp);
    assert_kept(db, "", "b", 6, 7, temp);
}

static void adds_the_base_to_the_floor(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);

    store_many_at(db, "", "a", 5, 10, temp);
    (void)sweep_away(db, temp);
    assert_int_equal(chat_store_set_base(db, 100, temp->pool), APR_SUCCESS);
    assert_kept(db, "", "a", 106, 105, temp);
    store_many_at(db, "", "a", 1, DAY_AFTER, temp);
    assert_kept(db, "", "a", 106, 106, temp);
}

static void keeps_a_room_as_long_as_a_key_of_it(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);

    /* A row from a version before 3 does not say when it was written. */
    if (!unit_sqlite_is_there()) {
        skip();
    }
    store_at(db, "", "a", "k", 10, temp);
    (void)unit_sqlite(temp->path, "UPDATE grip_chat_room SET written_ms = 0", temp->pool);
    {
        chat_sweep_t sweep = {0};

        (void)sweep_site(db, "", &by_age, &sweep, 21000, temp);
    }
    assert_int_equal(post_again(db, "a", "k", temp), CHAT_APPEND_KNOWN);
    assert_string_equal(sweep_away(db, temp).rooms, "a;");
    assert_int_equal(count_rows("grip_chat_room", temp), 0);
}

static void deletes_many_empty_rooms_in_small_steps(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);

    if (!unit_sqlite_is_there()) {
        skip();
    }
    (void)unit_sqlite(
        temp->path,
        "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1010)"
        " INSERT INTO grip_chat_room (site, name, last_event_id, first_kept_event_id)"
        " SELECT '', 'r' || i, 1, 2 FROM c",
        temp->pool);
    store_many_at(db, "", "kept", 1, DAY_AFTER, temp);
    assert_in_range(sweep_away(db, temp).steps, 1010 / CHAT_LEFTOVERS_MAX, 20);
    assert_int_equal(count_rows("grip_chat_room", temp), 1);
}

static void uses_up_an_id_for_each_room_and_none_for_a_message(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    int i;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    for (i = 0; i < 50; i++) {
        store_many_at(db, "", i % 2 ? "a" : "b", 1, 10, temp);
    }
    store_many_at(db, "", "c", 1, 10, temp);
    assert_string_equal(unit_sqlite(temp->path, "SELECT max(id) FROM grip_chat_room", temp->pool),
                        "3");
}

/* As databases have them whose ids grew with posts. */
static void sweeps_rooms_and_not_the_ids_between_them(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t by_both = {20000, 2};
    chat_sweep_t sweep = {0};

    if (!unit_sqlite_is_there()) {
        skip();
    }
    (void)unit_sqlite(temp->path,
                      "INSERT INTO grip_chat_room (id, site, name, last_event_id) VALUES"
                      " (1, '', 'a', 1), (1000000000, '', 'b', 1), (1000000000000, '', 'c', 1)",
                      temp->pool);
    store_many_at(db, "", "c", 3, 10, temp);
    assert_in_range(sweep_site(db, "", &by_both, &sweep, LATER, temp).steps, 3, 10);
    assert_in_range(sweep_site(db, "", &by_both, &sweep, LATER + 1, temp).steps, 1, 4);
    assert_kept(db, "", "c", 5, 4, temp);
}

static void looks_once_at_a_key_whose_message_is_kept(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t by_count = {0, 100000};
    chat_sweep_t sweep = {0};
    int first;
    int i;

    for (i = 0; i < 4500; i++) {
        store_at(db, "", "a", apr_psprintf(temp->pool, "k%d", i), 10, temp);
    }
    first = sweep_site(db, "", &by_count, &sweep, DAY_AFTER, temp).steps;
    assert_in_range(first - sweep_site(db, "", &by_count, &sweep, DAY_AFTER + HOUR_MS, temp).steps,
                    4, 5);
    assert_int_equal(post_again(db, "a", "k7", temp), CHAT_APPEND_KNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(deletes_an_empty_room_a_day_after_its_last_message),
        TEMP_TEST(has_a_room_that_is_made_again_go_on_above_what_it_gave_out),
        TEMP_TEST(adds_the_base_to_the_floor),
        TEMP_TEST(keeps_a_room_as_long_as_a_key_of_it),
        TEMP_TEST(deletes_many_empty_rooms_in_small_steps),
        TEMP_TEST(uses_up_an_id_for_each_room_and_none_for_a_message),
        TEMP_TEST(sweeps_rooms_and_not_the_ids_between_them),
        TEMP_TEST(looks_once_at_a_key_whose_message_is_kept),
    };

    return UNIT_RUN(tests);
}
