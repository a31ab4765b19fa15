#include "gc_clock.h"
#include "store_fixture.h"
#include "unit_events.h"

/* Have a room's next position be one that a message has. */
static void poison(const unit_temp_t *temp, const char *room)
{
    (void)unit_sqlite(temp->path,
                      apr_psprintf(temp->pool,
                                   "UPDATE grip_chat_room SET last_event_id = 0 WHERE name = '%s'",
                                   room),
                      temp->pool);
}

static chat_database_t *open_poisoned(const unit_temp_t *temp)
{
    chat_database_t *db;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    db = open_as(temp, CHAT_DATABASE_WRITER);
    fill(db, "bad", 1, temp);
    poison(temp, "bad");
    return db;
}

static void stores_all_but_the_job_that_cannot_be(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_poisoned(temp);
    chat_append_t jobs[] = {job("a", "1", "k1"), job("bad", "2", "k2"), job("a", "3", "k3"),
                            job("b", "4", "k4"), job("bad", "5", "k5"), job("a", "6", "k6")};

    assert_int_equal(unit_store(chat_store_append, db, jobs, COUNT_OF(jobs), NOW, temp->pool),
                     APR_EGENERAL);
    assert_int_equal(unit_store(chat_store_append_each, db, jobs, COUNT_OF(jobs), NOW, temp->pool),
                     APR_SUCCESS);
    assert_int_equal(jobs[0].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[1].outcome, CHAT_APPEND_FAILED);
    assert_int_equal(jobs[2].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[3].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[4].outcome, CHAT_APPEND_FAILED);
    assert_int_equal(jobs[5].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[0].is_repeat, 0);
    assert_int_equal(jobs[5].event.position, 3);
    assert_non_null(strstr(chat_database_last_error(db), "UNIQUE"));
    assert_events(newest(db, "", "a", 10, temp), 3, 1);
    assert_events(newest(db, "", "b", 10, temp), 1, 1);
}

/* No other message of the batch shows that the database is well, and it is. */
static void tells_one_job_that_fails_from_a_database_that_does(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_poisoned(temp);
    chat_append_t bad = job("bad", "2", "k2");

    assert_int_equal(unit_store(chat_store_append_each, db, &bad, 1, NOW, temp->pool), APR_SUCCESS);
    assert_int_equal(bad.outcome, CHAT_APPEND_FAILED);
    assert_int_equal(chat_database_run(db, "PRAGMA query_only=1"), APR_SUCCESS);
    assert_int_equal(unit_store(chat_store_append_each, db, &bad, 1, NOW, temp->pool),
                     APR_EGENERAL);
}

static void finds_what_a_transaction_of_before_has_stored(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_poisoned(temp);
    chat_append_t jobs[] = {job("a", "1", "k1"), job("bad", "2", "k2")};

    append_ok(db, jobs, 1, temp);
    assert_int_equal(unit_store(chat_store_append_each, db, jobs, COUNT_OF(jobs), NOW, temp->pool),
                     APR_SUCCESS);
    assert_int_equal(jobs[0].outcome, CHAT_APPEND_NEW); /* no reader knows of it yet */
    assert_int_equal(jobs[0].event.position, 1);
    jobs[0].is_repeat = 1;
    assert_int_equal(unit_store(chat_store_append_each, db, jobs, COUNT_OF(jobs), NOW, temp->pool),
                     APR_SUCCESS);
    assert_int_equal(jobs[0].outcome, CHAT_APPEND_REPEATED);
    assert_events(newest(db, "", "a", 10, temp), 1, 1);
}

static void does_not_try_each_of_many_where_all_wait_for_a_lock(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_database_t *other = open_as(temp, CHAT_DATABASE_WRITER);
    chat_append_t jobs[64];
    gc_moment_t start = gc_clock_now();
    int i;

    for (i = 0; i < COUNT_OF(jobs); i++) {
        jobs[i] = job("a", "x", apr_psprintf(temp->pool, "k%d", i));
    }
    assert_int_equal(chat_database_run(other, "BEGIN IMMEDIATE"), APR_SUCCESS);
    assert_int_equal(unit_store(chat_store_append_each, db, jobs, COUNT_OF(jobs), NOW, temp->pool),
                     APR_EAGAIN);
    /* The driver waits for 1.6 s; for each it would be a hundred. */
    assert_true(gc_clock_now() - start < apr_time_from_sec(30));
    assert_int_equal(chat_database_run(other, "ROLLBACK"), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(stores_all_but_the_job_that_cannot_be),
        TEMP_TEST(tells_one_job_that_fails_from_a_database_that_does),
        TEMP_TEST(finds_what_a_transaction_of_before_has_stored),
        TEMP_TEST(does_not_try_each_of_many_where_all_wait_for_a_lock),
    };

    return UNIT_RUN(tests);
}
