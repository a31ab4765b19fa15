#include "publish_backoff.h"
#include "unit.h"

/* The byte that moves a pause by nothing, but for a rounding. */
#define IN_THE_MIDDLE 128

static grip_transport_result_t answer(int http_status, apr_int64_t retry_after,
                                      apr_int64_t limit_ends)
{
    grip_transport_result_t result = {
        GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, http_status, retry_after, limit_ends, "", ""};

    return result;
}

static apr_int64_t msecs(publish_backoff_t *backoff, grip_transport_result_t result)
{
    return apr_time_as_msec(publish_backoff_next(backoff, &result, IN_THE_MIDDLE));
}

static void waits_twice_as_long_each_time(void **state)
{
    static const apr_int64_t expected[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    publish_backoff_t backoff;
    int i;

    publish_backoff_reset(&backoff);
    for (i = 0; i < 8; i++) {
        apr_int64_t waited = msecs(&backoff, answer(500, -1, -1));

        assert_in_range(waited, expected[i], expected[i] * 101 / 100);
    }
    publish_backoff_reset(&backoff);
    assert_in_range(msecs(&backoff, answer(500, -1, -1)), 100, 101);
}

static void waits_up_to_a_minute_for_a_limit_of_which_nothing_is_said(void **state)
{
    static const apr_int64_t expected[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    publish_backoff_t backoff;
    int i;

    publish_backoff_reset(&backoff);
    for (i = 0; i < 9; i++) {
        apr_int64_t waited = msecs(&backoff, answer(429, -1, -1));

        assert_in_range(waited, expected[i] * 1000, expected[i] * 1010);
    }
    /* A failure that is no limit is tried as often as before. */
    assert_in_range(msecs(&backoff, answer(500, -1, -1)), 5000, 5050);
}

static void is_patient_where_the_answer_was_cut_off_too(void **state)
{
    grip_transport_result_t result = answer(429, -1, -1);
    publish_backoff_t backoff;

    publish_backoff_reset(&backoff);
    result.outcome = GRIP_TRANSPORT_UNCERTAIN;
    assert_in_range(msecs(&backoff, result), 1000, 1010);
}

static void obeys_retry_after_before_all_else(void **state)
{
    publish_backoff_t backoff;

    publish_backoff_reset(&backoff);
    assert_int_equal(msecs(&backoff, answer(429, 30, 20)), 30000);
    assert_int_equal(msecs(&backoff, answer(503, 7, -1)), 7000);
    /* It is shorter than the pause that is due. */
    publish_backoff_reset(&backoff);
    while (backoff.pause < PUBLISH_BACKOFF_MAX) {
        (void)msecs(&backoff, answer(503, -1, -1));
    }
    assert_in_range(msecs(&backoff, answer(503, 3, -1)), 5000, 5050);
}

/* One answer must not silence a proxy for an hour. */
static void obeys_retry_after_for_a_minute_at_most(void **state)
{
    publish_backoff_t backoff;

    publish_backoff_reset(&backoff);
    assert_int_equal(msecs(&backoff, answer(503, 3600, -1)), 60000);
    assert_int_equal(msecs(&backoff, answer(429, 86400, -1)), 60000);
}

static void waits_for_the_end_of_a_limit_a_minute_at_most(void **state)
{
    publish_backoff_t backoff;
    int i;

    publish_backoff_reset(&backoff);
    for (i = 0; i < 20; i++) {
        assert_int_equal(msecs(&backoff, answer(429, -1, 3600 - 60 * i)), 60000);
    }
    /* As many waits as there were, the last one is not longer than it has to be. */
    assert_int_equal(msecs(&backoff, answer(429, -1, 17)), 17000);
}

static void does_not_believe_for_ever_in_an_end_that_is_near(void **state)
{
    publish_backoff_t backoff;
    apr_int64_t waited = 0;
    int i;

    publish_backoff_reset(&backoff);
    for (i = 0; i < 8; i++) {
        waited = msecs(&backoff, answer(429, -1, 1));
    }
    assert_in_range(waited, 60000, 60600);
}

static void knows_no_end_of_what_is_no_limit(void **state)
{
    publish_backoff_t backoff;

    publish_backoff_reset(&backoff);
    assert_in_range(msecs(&backoff, answer(500, -1, 3600)), 100, 101);
    assert_in_range(msecs(&backoff, answer(0, -1, -1)), 200, 202);
}

static void is_moved_by_a_quarter_at_most(void **state)
{
    grip_transport_result_t failure = answer(500, -1, -1);
    publish_backoff_t backoff;

    publish_backoff_reset(&backoff);
    assert_int_equal(publish_backoff_next(&backoff, &failure, 0), PUBLISH_BACKOFF_MIN * 3 / 4);
    publish_backoff_reset(&backoff);
    assert_int_equal(publish_backoff_next(&backoff, &failure, 255), PUBLISH_BACKOFF_MIN * 5 / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(waits_twice_as_long_each_time),
        POOL_TEST(waits_up_to_a_minute_for_a_limit_of_which_nothing_is_said),
        POOL_TEST(is_patient_where_the_answer_was_cut_off_too),
        POOL_TEST(obeys_retry_after_before_all_else),
        POOL_TEST(obeys_retry_after_for_a_minute_at_most),
        POOL_TEST(waits_for_the_end_of_a_limit_a_minute_at_most),
        POOL_TEST(does_not_believe_for_ever_in_an_end_that_is_near),
        POOL_TEST(knows_no_end_of_what_is_no_limit),
        POOL_TEST(is_moved_by_a_quarter_at_most),
    };

    return UNIT_RUN(tests);
}
