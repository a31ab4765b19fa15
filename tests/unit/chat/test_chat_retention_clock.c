/* Retention with dates of a clock that was wrong. */
#include "retention_fixture.h"

/* The clock was an hour ahead for a moment: that long nothing may stand in the way. */
static void passes_over_dates_that_lie_ahead(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};

    store_at(db, "", "a", "", 10, *state);
    store_at(db, "", "b", "", 3600000, *state);
    store_at(db, "", "a", "", 3600000, *state);
    store_at(db, "", "a", "", 20, *state);
    store_at(db, "", "a", "", 5000, *state);
    (void)sweep_site(db, "", &retention, &sweep, 24500, *state);
    assert_kept(db, "", "a", 4, 4, *state);
    assert_kept(db, "", "b", 1, 1, *state);
    (void)sweep_site(db, "", &retention, &sweep, 3620000, *state);
    assert_kept(db, "", "a", 5, 4, *state);
    assert_kept(db, "", "b", 1, 1, *state);
    (void)sweep_site(db, "", &retention, &sweep, 24500 + HOUR_MS, *state);
    assert_kept(db, "", "b", 2, 1, *state);
}

/* Many messages may go with one old one. */
static void passes_over_many_in_small_steps(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};
    told_t told = {"", 0};
    apr_int64_t before = 1;
    int is_done = 0;

    store_many_at(db, "", "a", 1000, DAY_MS, temp);
    store_at(db, "", "a", "", 10, temp);
    store_at(db, "", "a", "", 15000, temp);
    while (!is_done) {
        apr_int64_t first;

        is_done = step_once(db, "", &retention, &sweep, 25000, &told, temp);
        first = newest(db, "", "a", 1, temp).first_kept_event_id;
        assert_in_range(first - before, 0, CHAT_RETENTION_STEP);
        before = first;
    }
    assert_kept(db, "", "a", 1002, 1002, temp);
}

/* A room without new messages; the clock was two months ahead at its last one. */
static void is_held_up_by_a_wrong_date_in_its_own_room_only(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {90 * DAY_MS, 0};
    chat_sweep_t sweep = {0};
    int day;

    store_at(db, "", "quiet", "", 60 * DAY_MS, temp);
    store_at(db, "", "quiet", "", 0, temp);
    for (day = 1; day < 170; day++) {
        store_at(db, "", "busy", "", day * DAY_MS, temp);
        (void)sweep_site(db, "", &retention, &sweep, day * DAY_MS, temp);
        assert_kept(db, "", "busy", day > 90 ? day - 90 : 1, day, temp);
        assert_kept(db, "", "quiet", day > 150 ? 3 : 1, 2, temp);
    }
}

/* Messages that were passed then, because all lay ahead, are not forgotten. */
static void comes_back_to_what_it_passed_while_the_clock_was_behind(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};

    store_many_at(db, "", "a", 300, 5 * DAY_MS, temp);
    store_many_at(db, "", "b", 3, 5 * DAY_MS + 1, temp);
    (void)sweep_site(db, "", &retention, &sweep, 1000, temp);
    assert_kept(db, "", "a", 1, 300, temp);
    (void)sweep_site(db, "", &retention, &sweep, 5 * DAY_MS + 20001, temp);
    assert_kept(db, "", "a", 301, 300, temp);
    assert_kept(db, "", "b", 1, 3, temp);
    (void)sweep_site(db, "", &retention, &sweep, 5 * DAY_MS + 20001 + HOUR_MS, temp);
    assert_kept(db, "", "b", 4, 3, temp);
}

/* A machine that starts with its clock at 1970 must not lose what it has. */
static void deletes_nothing_young_for_one_date_that_is_too_old(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};

    store_at(db, "", "a", "", 5000, *state);
    store_at(db, "", "a", "", 0, *state);
    store_at(db, "", "a", "", 5001, *state);
    (void)sweep_site(db, "", &retention, &sweep, 24500, *state);
    assert_kept(db, "", "a", 1, 3, *state);
    (void)sweep_site(db, "", &retention, &sweep, 25001, *state);
    assert_kept(db, "", "a", 3, 3, *state);
}

/* Neither in its room nor in another, and also where it is the first. */
static void takes_only_a_date_that_is_too_old_itself(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};

    store_at(db, "", "a", "", 5000, *state);
    store_at(db, "", "b", "", 0, *state);
    store_at(db, "", "b", "", 5001, *state);
    store_at(db, "", "b", "", 0, *state);
    (void)sweep_site(db, "", &retention, &sweep, 24500, *state);
    assert_kept(db, "", "a", 1, 1, *state);
    assert_kept(db, "", "b", 2, 3, *state);
}

/* A message whose date lies ahead goes with an old one behind it, but not with a young one. */
static void keeps_what_lies_ahead_before_what_is_young(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {20000, 0};
    chat_sweep_t sweep = {0};

    store_at(db, "", "a", "", 10, *state);
    store_at(db, "", "a", "", DAY_MS, *state);
    store_at(db, "", "a", "", 5000, *state);
    store_at(db, "", "b", "", DAY_MS, *state);
    store_at(db, "", "b", "", 5000, *state);
    (void)sweep_site(db, "", &retention, &sweep, 24500, *state);
    assert_kept(db, "", "a", 2, 3, *state);
    assert_kept(db, "", "b", 1, 2, *state);
    (void)sweep_site(db, "", &retention, &sweep, 25001, *state);
    assert_kept(db, "", "a", 4, 3, *state);
    assert_kept(db, "", "b", 3, 2, *state);
}

static void deletes_keys_behind_one_that_is_dated_ahead(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 1};
    chat_sweep_t sweep = {0};

    store_at(db, "", "a", "ahead", 9 * DAY_MS, temp);
    store_at(db, "", "a", "k", 10, temp);
    store_at(db, "", "a", "", 10, temp);
    (void)sweep_site(db, "", &retention, &sweep, 20000, temp);
    assert_kept(db, "", "a", 3, 3, temp);
    assert_int_equal(post_again(db, "a", "k", temp), CHAT_APPEND_KNOWN);
    (void)sweep_site(db, "", &retention, &sweep, 20000 + DAY_MS, temp);
    assert_int_equal(post_again(db, "a", "k", temp), CHAT_APPEND_NEW);
    assert_int_equal(post_again(db, "a", "ahead", temp), CHAT_APPEND_KNOWN);
    /* Not ahead any longer, but young. */
    store_at(db, "", "b", "k", DAY_MS, temp);
    store_at(db, "", "b", "", DAY_MS, temp);
    (void)sweep_site(db, "", &retention, &sweep, 20000 + DAY_MS, temp);
    (void)sweep_site(db, "", &retention, &sweep, 9 * DAY_MS + 1, temp);
    assert_int_equal(post_again(db, "b", "k", temp), CHAT_APPEND_NEW);
    (void)sweep_site(db, "", &retention, &sweep, 11 * DAY_MS, temp);
    assert_int_equal(post_again(db, "a", "ahead", temp), CHAT_APPEND_NEW);
}

/* While the clock was ahead all keys were old, and those that had their messages stayed. */
static void deletes_keys_that_it_passed_while_the_clock_was_ahead(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_retention_t retention = {0, 1};
    chat_sweep_t sweep = {0};

    if (!unit_sqlite_is_there()) {
        skip();
    }
    store_at(db, "", "a", "one", 10, temp);
    (void)sweep_site(db, "", &retention, &sweep, 5 * DAY_MS, temp);
    assert_int_equal(count_rows("grip_chat_key", temp), 1);
    store_at(db, "", "a", "two", 20000, temp);
    (void)sweep_site(db, "", &retention, &sweep, 40000, temp);
    assert_kept(db, "", "a", 2, 2, temp);
    assert_int_equal(count_rows("grip_chat_key", temp), 2);
    (void)sweep_site(db, "", &retention, &sweep, 40000 + DAY_MS, temp);
    assert_int_equal(count_rows("grip_chat_key", temp), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(passes_over_dates_that_lie_ahead),
        TEMP_TEST(passes_over_many_in_small_steps),
        TEMP_TEST(is_held_up_by_a_wrong_date_in_its_own_room_only),
        TEMP_TEST(comes_back_to_what_it_passed_while_the_clock_was_behind),
        TEMP_TEST(deletes_nothing_young_for_one_date_that_is_too_old),
        TEMP_TEST(takes_only_a_date_that_is_too_old_itself),
        TEMP_TEST(keeps_what_lies_ahead_before_what_is_young),
        TEMP_TEST(deletes_keys_behind_one_that_is_dated_ahead),
        TEMP_TEST(deletes_keys_that_it_passed_while_the_clock_was_ahead),
    };

    return UNIT_RUN(tests);
}
