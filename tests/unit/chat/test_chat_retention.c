#include "chat_retention.h"
#include "store_bench.h"

/* When what fill() stored is old enough to be deleted. */
#define LATER (NOW / 1000 + CHAT_RETENTION_MIN_AGE_MS)

#define DAY_MS (APR_INT64_C(24) * 60 * 60 * 1000)

/* What a sweep has told. */
typedef struct told_t {
    char rooms[512];
    int steps;
} told_t;

static void collect(const char *room, void *baton)
{
    told_t *told = baton;
    apr_size_t len = strlen(told->rooms);

    apr_snprintf(told->rooms + len, sizeof(told->rooms) - len, "%s;", room);
}

/* Sweep a site once, from wherever the sweep stands. */
static told_t sweep_site(chat_database_t *db, const char *site, const chat_retention_t *retention,
                         chat_sweep_t *sweep, apr_int64_t now_ms, const unit_temp_t *temp)
{
    told_t told = {"", 0};
    int is_done = 0;

    while (!is_done && told.steps < 1000) {
        apr_status_t rv = chat_retention_step(db, site, retention, sweep, &is_done, now_ms, collect,
                                              &told, temp->pool);

        if (rv != APR_SUCCESS) {
            fail_msg("step %d: %s", told.steps, chat_database_last_error(db));
        }
        told.steps++;
    }
    assert_true(is_done);
    return told;
}

/* A text unlike all others: what the pool gives out is not given out twice. */
static const char *unique(const unit_temp_t *temp)
{
    return apr_psprintf(temp->pool, "%pp", apr_palloc(temp->pool, 1));
}

static void store_at(chat_database_t *db, const char *site, const char *room, const char *key,
                     apr_int64_t created_ms, const unit_temp_t *temp)
{
    chat_append_t append = job(room, "x", unique(temp));

    append.site = site;
    append.key = key;
    append.digest = *key ? "d" : "";
    assert_int_equal(chat_store_append(db, &append, 1, created_ms * 1000, temp->pool), APR_SUCCESS);
}

/* Fail unless a room keeps exactly the positions first .. last. */
static void assert_kept(chat_database_t *db, const char *site, const char *room, apr_int64_t first,
                        apr_int64_t last, const unit_temp_t *temp)
{
    chat_page_t page = newest(db, site, room, 1000, temp);

    assert_int_equal(page.first_kept_event_id, first);
    assert_int_equal(page.last_event_id, last);
    assert_int_equal(page.count, last - first + 1);
    if (page.count > 0) {
        assert_int_equal(page.messages[page.count - 1].event_id, first);
    }
}

/* Post under a key that may be known. */
static chat_append_outcome_e post_again(chat_database_t *db, const char *room, const char *key,
                                        const unit_temp_t *temp)
{
    chat_append_t append = job(room, "x", unique(temp));

    append.key = key;
    append.digest = "d";
    append_ok(db, &append, 1, temp);
    return append.outcome;
}

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
    (void)sweep_site(db, "", &retention, &sweep, 3620001, *state);
    assert_kept(db, "", "a", 5, 4, *state);
    assert_kept(db, "", "b", 2, 1, *state);
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
    for (i = 0; i < 5; i++) {
        store_at(db, "", "a", "", 2, temp);
    }
    assert_string_equal(sweep_site(db, "", &retention, &sweep, 19900, temp).rooms, "a;");
    assert_kept(db, "", "a", 4, 5, temp);
    assert_string_equal(sweep_site(db, "", &retention, &sweep, 21000, temp).rooms, "a;");
    assert_kept(db, "", "a", 6, 5, temp);
    assert_kept(db, "other", "a", 1, CHAT_RETENTION_STEP + 50, temp);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(keeps_the_newest_of_each_room),
        TEMP_TEST(spares_what_is_young_whatever_its_number),
        TEMP_TEST(gets_past_rooms_that_are_young),
        TEMP_TEST(deletes_much_in_small_steps),
        TEMP_TEST(deletes_what_is_too_old_to_the_millisecond),
        TEMP_TEST(sweeps_many_by_age),
        TEMP_TEST(passes_over_dates_that_lie_ahead),
        TEMP_TEST(deletes_nothing_young_for_one_date_that_is_too_old),
        TEMP_TEST(leaves_other_sites_alone),
        TEMP_TEST(keeps_a_key_for_a_day_though_its_message_is_gone),
        TEMP_TEST(keeps_a_key_as_long_as_its_message),
        TEMP_TEST(tries_again_what_failed),
    };

    return UNIT_RUN(tests);
}
