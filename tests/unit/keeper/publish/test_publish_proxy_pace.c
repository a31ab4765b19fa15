#include "keeper_bench.h"

/* Many rooms, each within its pace: a proxy that gets a POST every few milliseconds delivers nothing. */
static void paces_the_posts_of_many_rooms(void **state)
{
    bench_t *bench = start(*state);
    gc_moment_t now = gc_clock_now();
    int i;

    bench->site.post_interval = apr_time_from_sec(10);
    for (i = 0; i < PUBLISH_PROXY_POST_BURST; i++) {
        add(bench, apr_psprintf(bench->pool, "room%d", i), 1);
        drain(bench);
    }
    assert_int_equal(keeper_stub_count(bench->stub), PUBLISH_PROXY_POST_BURST);
    add(bench, "c", 1);
    add(bench, "d", 1);
    work(bench);
    assert_false(publish_proxy_is_drained(bench->publisher));
    assert_in_range(publish_proxy_next(bench->publisher), now + apr_time_from_sec(9),
                    now + apr_time_from_sec(11));
    skip_pause(bench);
    stub_loop_turn(&bench->loop, bench->transport);
    drain(bench);
    assert_non_null(strstr(keeper_stub_posts(bench->stub, PUBLISH_PROXY_POST_BURST, bench->pool),
                           "c:0-1=c1; d:0-1=d1;"));
    stop(bench);
}

/* The position after which events of a room wait, as children see it. */
static apr_int64_t waiting(bench_t *bench, const char *room)
{
    return ipc_shared_waiting(bench->config.shared, ipc_site_tag(&bench->site, gc_slice_of(room)),
                              1, gc_clock_now());
}

static void tells_children_what_waits(void **state)
{
    bench_t *bench = start(*state);

    assert_true(waiting(bench, "a") == IPC_SHARED_NOTHING);
    add(bench, "a", 4);
    add(bench, "a", 5);
    assert_true(waiting(bench, "a") == 3);
    assert_true(waiting(bench, "b") == IPC_SHARED_NOTHING);
    work(bench);
    assert_true(waiting(bench, "a") == IPC_SHARED_NOTHING);
    add(bench, "a", 6);
    assert_true(waiting(bench, "a") == 5);
    drain(bench);
    assert_true(waiting(bench, "a") == IPC_SHARED_NOTHING);
    /* What was dropped from memory waits for nothing: a hint lets readers ask for it. */
    keeper_stub_answer(bench->stub, 503);
    add(bench, "a", 7);
    work(bench);
    add(bench, "a", 8);
    assert_true(waiting(bench, "a") == 7);
    drain(bench);
    assert_true(waiting(bench, "a") == IPC_SHARED_NOTHING);
    stop(bench);
}

/* The proxy has one queue for all rooms. */
static void hints_other_rooms_as_well_after_a_flood(void **state)
{
    bench_t *bench = start(*state);

    bench->site.publish_interval = apr_time_from_msec(50);
    bench->site.publish_burst = 1;
    add(bench, "a", 1);
    drain(bench);
    add(bench, "a", 2);
    add(bench, "b", 1);
    drain(bench);
    turn_until_count(bench, 3);
    drain(bench);
    while (publish_proxy_next(bench->publisher) != 0) {
        skip_pause(bench);
        drain(bench);
    }
    assert_non_null(strstr(keeper_stub_posts(bench->stub, 0, bench->pool), "hint(a)"));
    assert_non_null(strstr(keeper_stub_posts(bench->stub, 0, bench->pool), "hint(b)"));
    stop(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(paces_the_posts_of_many_rooms),
        POOL_TEST(tells_children_what_waits),
        POOL_TEST(hints_other_rooms_as_well_after_a_flood),
    };

    return UNIT_RUN(tests);
}
