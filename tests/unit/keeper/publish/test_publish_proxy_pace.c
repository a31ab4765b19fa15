#include "keeper_fixture.h"

/* Many rooms, each within its pace: a proxy that gets a POST every few milliseconds delivers nothing. */
static void paces_the_posts_of_many_rooms(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    gc_moment_t now = gc_clock_now();
    int i;

    fixture->site.post_interval = apr_time_from_sec(10);
    for (i = 0; i < PUBLISH_PROXY_POST_BURST; i++) {
        add(fixture, apr_psprintf(fixture->pool, "room%d", i), 1);
        drain(fixture);
    }
    assert_int_equal(keeper_stub_count(fixture->stub), PUBLISH_PROXY_POST_BURST);
    add(fixture, "c", 1);
    add(fixture, "d", 1);
    work(fixture);
    assert_false(publish_proxy_is_drained(fixture->publisher));
    assert_in_range(publish_proxy_next(fixture->publisher), now + apr_time_from_sec(9),
                    now + apr_time_from_sec(11));
    skip_pause(fixture);
    stub_loop_turn(&fixture->loop, fixture->transport);
    drain(fixture);
    assert_non_null(
        strstr(keeper_stub_posts(fixture->stub, PUBLISH_PROXY_POST_BURST, fixture->pool),
               "c:0-1=c1; d:0-1=d1;"));
    stop(fixture);
}

/* The position after which events of a room wait, as children see it. */
static apr_int64_t waiting(keeper_fixture_t *fixture, const char *room)
{
    return ipc_shared_waiting(fixture->config.shared,
                              ipc_site_tag(&fixture->site, gc_slice_of(room)), 1, gc_clock_now());
}

static void tells_children_what_waits(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    assert_true(waiting(fixture, "a") == IPC_SHARED_NOTHING);
    add(fixture, "a", 4);
    add(fixture, "a", 5);
    assert_true(waiting(fixture, "a") == 3);
    assert_true(waiting(fixture, "b") == IPC_SHARED_NOTHING);
    work(fixture);
    assert_true(waiting(fixture, "a") == IPC_SHARED_NOTHING);
    add(fixture, "a", 6);
    assert_true(waiting(fixture, "a") == 5);
    drain(fixture);
    assert_true(waiting(fixture, "a") == IPC_SHARED_NOTHING);
    /* Events dropped from memory wait for nothing: a hint lets readers ask for them. */
    keeper_stub_answer(fixture->stub, 503);
    add(fixture, "a", 7);
    work(fixture);
    add(fixture, "a", 8);
    assert_true(waiting(fixture, "a") == 7);
    drain(fixture);
    assert_true(waiting(fixture, "a") == IPC_SHARED_NOTHING);
    stop(fixture);
}

/* The proxy has one queue for all rooms. */
static void hints_other_rooms_as_well_after_a_flood(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    fixture->site.publish_interval = apr_time_from_msec(50);
    fixture->site.publish_burst = 1;
    add(fixture, "a", 1);
    drain(fixture);
    add(fixture, "a", 2);
    add(fixture, "b", 1);
    drain(fixture);
    turn_until_count(fixture, 3);
    drain(fixture);
    while (publish_proxy_next(fixture->publisher) != 0) {
        skip_pause(fixture);
        drain(fixture);
    }
    assert_non_null(strstr(keeper_stub_posts(fixture->stub, 0, fixture->pool), "hint(a)"));
    assert_non_null(strstr(keeper_stub_posts(fixture->stub, 0, fixture->pool), "hint(b)"));
    stop(fixture);
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
