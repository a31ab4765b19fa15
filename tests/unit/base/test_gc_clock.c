#include "gc_clock.h"
#include "unit_wall_clock.h"

#include <unistd.h>

#include <sys/mman.h>
#include <sys/wait.h>

static void counts_microseconds_from_above_zero(void **state)
{
    gc_moment_t start = gc_clock_now();
    gc_moment_t end;

    assert_true(start > 0);
    apr_sleep(apr_time_from_msec(20));
    end = gc_clock_now();
    assert_in_range(end - start, apr_time_from_msec(20), apr_time_from_sec(5));
}

static void never_goes_back(void **state)
{
    gc_moment_t last = gc_clock_now();
    int i;

    for (i = 0; i < 100000; i++) {
        gc_moment_t now = gc_clock_now();

        assert_true(now >= last);
        last = now;
    }
}

static void goes_on_when_the_wall_clock_is_set(void **state)
{
    apr_time_t wall = apr_time_now();
    gc_moment_t start = gc_clock_now();

    unit_wall_clock_set(-3600);
    assert_true(apr_time_now() < wall - apr_time_from_sec(3500));
    assert_in_range(gc_clock_now() - start, 0, apr_time_from_sec(5));
    unit_wall_clock_set(3600);
    assert_true(apr_time_now() > wall + apr_time_from_sec(3500));
    assert_in_range(gc_clock_now() - start, 0, apr_time_from_sec(5));
    unit_wall_clock_set(0);
}

/* The keeper compares moments that a child notes in shared memory. */
static void is_the_same_in_another_process(void **state)
{
    gc_moment_t *noted =
        mmap(NULL, sizeof(*noted), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    gc_moment_t before = gc_clock_now();
    pid_t pid;

    assert_true(noted != MAP_FAILED);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        *noted = gc_clock_now();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_in_range(*noted, before, gc_clock_now());
    assert_int_equal(munmap(noted, sizeof(*noted)), 0);
}

static void takes_the_earlier_moment_and_never_for_the_last(void **state)
{
    assert_true(gc_clock_earlier(5, 7) == 5);
    assert_true(gc_clock_earlier(7, 5) == 5);
    assert_true(gc_clock_earlier(0, 5) == 5);
    assert_true(gc_clock_earlier(5, 0) == 5);
    assert_true(gc_clock_earlier(0, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(counts_microseconds_from_above_zero),
        POOL_TEST(never_goes_back),
        POOL_TEST(goes_on_when_the_wall_clock_is_set),
        POOL_TEST(is_the_same_in_another_process),
        POOL_TEST(takes_the_earlier_moment_and_never_for_the_last),
    };

    return cmocka_run_group_tests(tests, unit_wall_clock_setup, unit_apr_teardown);
}
