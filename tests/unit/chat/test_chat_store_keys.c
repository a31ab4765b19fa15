#include "store_fixture.h"
#include "unit_events.h"

static chat_append_t keyed(const char *room, const char *text, const char *job_key, const char *key)
{
    chat_append_t append = job(room, text, job_key);

    append.event.key = gc_slice_of(key);
    append.digest = text;
    return append;
}

static void answers_a_known_idempotency_key_with_the_message_that_has_it(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t jobs[] = {keyed("a", "hello", "j1", "k"), keyed("a", "hello", "j2", "k"),
                            keyed("a", "hello", "j3", "K"), keyed("b", "hello", "j4", "k")};
    chat_append_t later = keyed("a", "hello", "j5", "k");

    append_ok(db, jobs, COUNT_OF(jobs), *state);
    assert_int_equal(jobs[0].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[1].outcome, CHAT_APPEND_KNOWN);
    assert_int_equal(jobs[1].event.id, jobs[0].event.id);
    assert_int_equal(jobs[1].event.position, 1);
    assert_int_equal(jobs[2].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[3].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[3].event.position, 1);
    assert_int_equal(unit_store(chat_store_append, db, &later, 1, NOW + apr_time_from_sec(100000),
                                ((unit_temp_t *)*state)->pool),
                     APR_SUCCESS);
    assert_int_equal(later.outcome, CHAT_APPEND_KNOWN);
    assert_int_equal(later.event.id, jobs[0].event.id);
    assert_true(later.event.created_ms == NOW / 1000);
    assert_events(newest(db, "", "a", 10, *state), 2, 1);
    assert_slice_equal(newest(db, "", "a", 10, *state).events[1].key, "k");
}

static void refuses_another_message_under_a_used_key_and_stores_the_others(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t first = keyed("a", "hello", "j1", "k");
    chat_append_t jobs[] = {keyed("a", "other", "j2", "k"), keyed("a", "other", "j3", "k3")};

    append_ok(db, &first, 1, *state);
    append_ok(db, jobs, COUNT_OF(jobs), *state);
    assert_int_equal(jobs[0].outcome, CHAT_APPEND_CONFLICT);
    assert_int_equal(jobs[1].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[1].event.position, 2);
}

/* The keeper died behind the COMMIT: the child sends the same job again. */
static void knows_a_repeated_job_with_an_idempotency_key_as_its_own(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t first = keyed("a", "hello", "j1", "k");
    chat_append_t again = first;

    append_ok(db, &first, 1, *state);
    again.is_repeat = 1;
    append_ok(db, &again, 1, *state);
    assert_int_equal(again.outcome, CHAT_APPEND_REPEATED);
    assert_int_equal(again.event.id, first.event.id);
}

/* An older job without its mark fails the batch in the middle; it is done again as a whole. */
static void counts_positions_in_a_batch_with_every_outcome_that_is_done_again(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t old = job("a", "0", "j0");
    chat_append_t next[] = {job("a", "7", "j7"), job("b", "8", "j8")};
    chat_append_t jobs[] = {job("a", "1", "j1"),        job("b", "2", "j2"),
                            keyed("a", "3", "j3", "k"), keyed("a", "3", "j4", "k"),
                            keyed("a", "4", "j5", "k"), job("a", "0", "j0"),
                            job("a", "5", "j6")};

    append_ok(db, &old, 1, *state);
    assert_int_equal(unit_store(chat_store_append, db, jobs, COUNT_OF(jobs),
                                NOW + apr_time_from_sec(1), ((unit_temp_t *)*state)->pool),
                     APR_SUCCESS);
    assert_int_equal(jobs[0].event.position, 2);
    assert_int_equal(jobs[1].event.position, 1);
    assert_int_equal(jobs[2].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[2].event.position, 3);
    assert_int_equal(jobs[3].outcome, CHAT_APPEND_KNOWN);
    assert_int_equal(jobs[3].event.position, 3);
    assert_int_equal(jobs[4].outcome, CHAT_APPEND_CONFLICT);
    assert_int_equal(jobs[5].outcome, CHAT_APPEND_REPEATED);
    assert_int_equal(jobs[5].event.position, 1);
    assert_int_equal(jobs[6].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[6].event.position, 4);
    append_ok(db, next, COUNT_OF(next), *state);
    assert_int_equal(next[0].event.position, 5);
    assert_int_equal(next[1].event.position, 2);
    assert_events(newest(db, "", "a", 10, *state), 5, 1);
}

static void shows_no_key_where_none_was_given(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);

    fill(db, "a", 2, *state);
    assert_int_equal(newest(db, "", "a", 10, *state).events[0].key.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(answers_a_known_idempotency_key_with_the_message_that_has_it),
        TEMP_TEST(refuses_another_message_under_a_used_key_and_stores_the_others),
        TEMP_TEST(knows_a_repeated_job_with_an_idempotency_key_as_its_own),
        TEMP_TEST(counts_positions_in_a_batch_with_every_outcome_that_is_done_again),
        TEMP_TEST(shows_no_key_where_none_was_given),
    };

    return UNIT_RUN(tests);
}
