#include "stream_timeouts.h"
#include "unit.h"

#define INTERVAL 10

/* Timeouts look at no connection; a number tells which timer it was. */
static struct stream_connection_t *numbered(intptr_t number)
{
    return (struct stream_connection_t *)number;
}

static void the_first_that_came_is_the_first_that_is_due(void **state)
{
    stream_timeouts_t timeouts = {INTERVAL, NULL, NULL};
    stream_timer_t one = {numbered(1), NULL, NULL, NULL, 0};
    stream_timer_t two = {numbered(2), NULL, NULL, NULL, 0};

    assert_null(stream_timeouts_first(&timeouts));
    assert_int_equal(stream_timeouts_next(&timeouts), 0);
    stream_timeouts_put(&timeouts, &one, 100);
    stream_timeouts_put(&timeouts, &two, 105);
    assert_int_equal(stream_timeouts_next(&timeouts), 110);
    assert_null(stream_timeouts_due(&timeouts, 109));
    assert_ptr_equal(stream_timeouts_due(&timeouts, 110), numbered(1));
    assert_ptr_equal(stream_timeouts_first(&timeouts), numbered(1));
    stream_timeouts_leave(&one);
    assert_null(stream_timeouts_due(&timeouts, 110));
    assert_ptr_equal(stream_timeouts_due(&timeouts, 115), numbered(2));
    stream_timeouts_leave(&two);
    assert_null(stream_timeouts_first(&timeouts));
    assert_int_equal(stream_timeouts_next(&timeouts), 0);
}

static void one_that_is_put_again_waits_anew(void **state)
{
    stream_timeouts_t timeouts = {INTERVAL, NULL, NULL};
    stream_timer_t one = {numbered(1), NULL, NULL, NULL, 0};
    stream_timer_t two = {numbered(2), NULL, NULL, NULL, 0};

    stream_timeouts_put(&timeouts, &one, 100);
    stream_timeouts_put(&timeouts, &two, 101);
    stream_timeouts_put(&timeouts, &one, 102);
    assert_ptr_equal(stream_timeouts_first(&timeouts), numbered(2));
    stream_timeouts_put(&timeouts, &two, 103);
    assert_ptr_equal(stream_timeouts_first(&timeouts), numbered(1));
    assert_int_equal(stream_timeouts_next(&timeouts), 112);
}

static void a_timer_is_in_one_place_at_a_time(void **state)
{
    stream_timeouts_t idle = {INTERVAL, NULL, NULL};
    stream_timeouts_t lingering = {INTERVAL, NULL, NULL};
    stream_timer_t timers[3] = {
        {numbered(1), NULL, NULL, NULL, 0},
        {numbered(2), NULL, NULL, NULL, 0},
        {numbered(3), NULL, NULL, NULL, 0},
    };
    int i;

    for (i = 0; i < 3; i++) {
        stream_timeouts_put(&idle, &timers[i], 100);
    }
    stream_timeouts_put(&lingering, &timers[1], 100); /* out of the middle */
    assert_ptr_equal(stream_timeouts_first(&lingering), numbered(2));
    stream_timeouts_leave(&timers[0]);
    assert_ptr_equal(stream_timeouts_first(&idle), numbered(3));
    stream_timeouts_leave(&timers[0]); /* it is in none */
    stream_timeouts_leave(&timers[2]);
    assert_null(stream_timeouts_first(&idle));
    assert_ptr_equal(stream_timeouts_first(&lingering), numbered(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(the_first_that_came_is_the_first_that_is_due),
        POOL_TEST(one_that_is_put_again_waits_anew),
        POOL_TEST(a_timer_is_in_one_place_at_a_time),
    };

    return UNIT_RUN(tests);
}
