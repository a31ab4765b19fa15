#include "keeper_fixture.h"
#include "publish_backoff.h"

static void sends_events_of_several_rooms_in_order_as_items(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    add(fixture, "a", 4);
    add(fixture, "b", 1);
    add(fixture, "a", 5);
    add(fixture, "caf\xc3\xa9", 9);
    drain(fixture);
    assert_posts(fixture, "a:3-5=a4;a5; b:0-1=b1; caf%C3%A9:8-9=caf\xc3\xa9"
                          "9;");
    assert_true(publish_proxy_next(fixture->publisher) == 0);
    stop(fixture);
}

static void puts_the_site_s_prefix_before_the_channel(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    fixture->site.channel_prefix = "tenant-";
    add(fixture, "a", 1);
    drain(fixture);
    assert_posts(fixture, "a channel of another site");
    stop(fixture);
}

static void gathers_what_comes_while_a_post_is_under_way(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    keeper_stub_answer(fixture->stub, KEEPER_STUB_WAITS);
    add(fixture, "a", 1);
    turn_until_count(fixture, 1);
    add(fixture, "a", 2);
    add(fixture, "b", 1);
    add(fixture, "a", 3);
    work(fixture);
    stub_loop_turn(&fixture->loop, fixture->transport);
    assert_int_equal(keeper_stub_count(fixture->stub), 1);
    assert_false(publish_proxy_is_drained(fixture->publisher));
    keeper_stub_answer(fixture->stub, 200);
    drain(fixture);
    assert_posts(fixture, "a:0-1=a1; | a:1-3=a2;a3; b:0-1=b1;");
    stop(fixture);
}

static void keeps_bodies_within_what_a_proxy_takes(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    char *text = apr_palloc(*state, 300000);
    apr_int64_t i;

    memset(text, 'x', 300000);
    for (i = 1; i <= 4; i++) {
        add_text(fixture, "a", i, gc_slice(text, 300000));
    }
    drain(fixture);
    assert_posts(fixture, "a:0-1=300000 bytes a:1-2=300000 bytes a:2-3=300000 bytes | "
                          "a:3-4=300000 bytes");
    stop(fixture);
}

static void splits_what_waits_at_the_size_of_an_item(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    char *text = apr_palloc(*state, 1025);
    apr_int64_t i;

    memset(text, 'x', 1025);
    fixture->site.item_bytes = 1024;
    for (i = 1; i <= 3; i++) {
        add_text(fixture, "a", i, gc_slice(text, 512)); /* two fill an item */
    }
    add_text(fixture, "a", 4, gc_slice(text, 513));  /* one byte too long to go along */
    add_text(fixture, "a", 5, gc_slice(text, 1025)); /* too long for any: alone */
    add_text(fixture, "a", 6, gc_slice(text, 1));
    add_text(fixture, "b", 1, gc_slice(text, 1023));
    add_text(fixture, "b", 2, gc_slice(text, 1));
    drain(fixture);
    assert_posts(fixture,
                 "a:0-2=1024 bytes a:2-3=512 bytes a:3-4=513 bytes a:4-5=1025 bytes a:5-6=x "
                 "b:0-2=1024 bytes");
    stop(fixture);
}

/* With any characters: JSON writes each of these as two. */
static void sends_the_largest_item_that_can_be_configured(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    apr_size_t half = IPC_SITE_ITEM_MAX_BYTES / 2;
    char *text = apr_palloc(*state, half);
    char *room = apr_palloc(*state, 257);

    memset(text, '\n', half);
    memset(room, '%', 256);
    room[256] = '\0';
    fixture->site.item_bytes = IPC_SITE_ITEM_MAX_BYTES;
    add_text(fixture, room, 1, gc_slice(text, half));
    add_text(fixture, room, 2, gc_slice(text, half));
    drain(fixture);
    assert_non_null(strstr(keeper_stub_posts(fixture->stub, 0, *state), ":0-2=983040 bytes"));
    assert_null(strstr(keeper_stub_posts(fixture->stub, 0, *state), "hint"));
    stop(fixture);
}

static void hints_instead_of_an_event_that_no_body_has_room_for(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    char *text = apr_palloc(*state, 1000000);

    memset(text, 'x', 1000000);
    add_text(fixture, "a", 1, gc_slice(text, 1000000));
    add(fixture, "b", 1);
    drain(fixture);
    assert_string_equal(keeper_stub_posts(fixture->stub, 1, *state), "b:0-1=b1; | hint(a)");
    stop(fixture);
}

/* A failed POST may have been taken all the same, so it is never sent again. */
static void hints_after_a_failure_and_replays_nothing(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    fail_once(fixture, 500);
    add(fixture, "a", 2);
    add(fixture, "b", 7);
    skip_pause(fixture);
    drain(fixture);
    add(fixture, "a", 3);
    drain(fixture);
    assert_posts(fixture, "a:0-1=a1; | hint(a) hint(b) | a:2-3=a3;");
    stop(fixture);
}

static void hints_after_an_end_without_an_answer(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    fail_once(fixture, KEEPER_STUB_HANGS_UP);
    skip_pause(fixture);
    drain(fixture);
    assert_posts(fixture, "a:0-1=a1; | hint(a)");
    stop(fixture);
}

static void hints_rooms_that_waited_for_a_post_that_failed(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    keeper_stub_answer(fixture->stub, KEEPER_STUB_WAITS);
    add(fixture, "a", 1);
    turn_until_count(fixture, 1);
    add(fixture, "b", 1);
    keeper_stub_answer(fixture->stub, 500);
    drain(fixture);
    keeper_stub_answer(fixture->stub, 200);
    skip_pause(fixture);
    drain(fixture);
    assert_string_equal(keeper_stub_posts(fixture->stub, 1, *state), "hint(a) hint(b)");
    stop(fixture);
}

static void waits_longer_after_each_failure(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    apr_interval_time_t pause = PUBLISH_BACKOFF_MIN;
    gc_moment_t before = gc_clock_now();
    int i;

    fail_once(fixture, 500);
    keeper_stub_answer(fixture->stub, 500);
    for (i = 0; i < 8; i++) {
        gc_moment_t next = publish_proxy_next(fixture->publisher);

        assert_true(next - before >= pause * 3 / 4);
        assert_true(next - gc_clock_now() <= pause * 5 / 4);
        work(fixture);
        if (gc_clock_now() < next) { /* it was too early */
            assert_true(publish_proxy_is_drained(fixture->publisher));
        }
        before = gc_clock_now();
        skip_pause(fixture);
        drain(fixture);
        pause = pause * 2 > PUBLISH_BACKOFF_MAX ? PUBLISH_BACKOFF_MAX : pause * 2;
    }
    keeper_stub_answer(fixture->stub, 200);
    skip_pause(fixture);
    drain(fixture);
    assert_true(publish_proxy_next(fixture->publisher) == 0);
    fail_once(fixture, 500);
    assert_true(publish_proxy_next(fixture->publisher) - gc_clock_now() < PUBLISH_BACKOFF_MIN * 2);
    stop(fixture);
}

static void comes_back_when_the_proxy_wants_it_to(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    gc_moment_t before = gc_clock_now();
    gc_moment_t next;

    fail_once(fixture, 503);
    next = publish_proxy_next(fixture->publisher);
    assert_true(next - before >= apr_time_from_msec(6500));
    assert_true(next - gc_clock_now() <= apr_time_from_sec(7));
    stop(fixture);
}

/* The proxy refuses a whole POST for one item: the others must get through, once. */
static void finds_the_one_item_that_a_proxy_refuses(void **state)
{
    static const char *const rooms[] = {"a", "b", "c", "d", "e"};
    keeper_fixture_t *fixture = start(*state);
    const char *taken;
    int i;

    keeper_stub_refuse(fixture->stub, "c1;");
    publish_proxy_add_behind(fixture->publisher, "behind", 0);
    for (i = 0; i < 5; i++) {
        add(fixture, rooms[i], 1);
    }
    drain(fixture);
    taken = keeper_stub_posts(fixture->stub, 1, *state);
    assert_null(strstr(taken, "c:0-1"));
    assert_non_null(strstr(taken, "hint(c)"));
    assert_non_null(strstr(taken, "hint(behind)"));
    for (i = 0; i < 5; i++) {
        const char *item = apr_pstrcat(*state, rooms[i], ":0-1", NULL);

        assert_true(i == 2 || strstr(taken, item));
        assert_true(i == 2 || !strstr(strstr(taken, item) + 1, item));
        assert_true(i == 2 || !strstr(taken, apr_pstrcat(*state, "hint(", rooms[i], ")", NULL)));
    }
    assert_true(publish_proxy_next(fixture->publisher) == 0);
    stop(fixture);
}

static void keeps_the_order_of_a_room_whose_items_were_refused_together(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    keeper_stub_refuse(fixture->stub, "a5;");
    add(fixture, "a", 1);
    add(fixture, "a", 3);
    add(fixture, "a", 5);
    add(fixture, "a", 7);
    drain(fixture);
    assert_string_equal(keeper_stub_posts(fixture->stub, 1, *state),
                        "a:0-1=a1; a:2-3=a3; | hint(a) | a:6-7=a7;");
    stop(fixture);
}

/* A hold that was being answered when an event went by may have come too late for it. */
static void hints_a_moment_later_where_a_hold_was_noted(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    gc_moment_t now = gc_clock_now();

    ipc_shared_note_hold(fixture->config.shared, ipc_site_slot(&fixture->site, gc_slice_of("a")),
                         now);
    add(fixture, "a", 1);
    add(fixture, "b", 1);
    drain(fixture);
    assert_in_range(publish_proxy_next(fixture->publisher), now + PUBLISH_PROXY_HINT_DELAY,
                    gc_clock_now() + PUBLISH_PROXY_HINT_DELAY);
    skip_pause(fixture);
    drain(fixture);
    assert_posts(fixture, "a:0-1=a1; b:0-1=b1; | hint(a)");
    assert_true(publish_proxy_next(fixture->publisher) == 0);
    stop(fixture);
}

static void hints_nothing_where_the_last_hold_is_long_ago(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    ipc_shared_note_hold(fixture->config.shared, ipc_site_slot(&fixture->site, gc_slice_of("a")),
                         gc_clock_now() - PUBLISH_ROOMS_HOLD_WINDOW - apr_time_from_msec(1));
    add(fixture, "a", 1);
    drain(fixture);
    assert_true(publish_proxy_next(fixture->publisher) == 0);
    stop(fixture);
}

/* The watermark, if it has moved, else 0. */
static apr_int64_t moved_to(keeper_fixture_t *fixture)
{
    apr_int64_t watermark = 0;

    return publish_proxy_progress(fixture->publisher, &watermark) ? watermark : 0;
}

static void hints_rooms_that_the_keeper_before_left_behind(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    take_over(fixture, "a", 100);
    add(fixture, "a", 9);
    add(fixture, "b", 1);
    drain(fixture);
    assert_posts(fixture, "hint(a) a:8-9=a9; b:0-1=b1;");
    assert_int_equal(moved_to(fixture), 107);
    stop(fixture);
}

static void tells_no_watermark_before_it_knows_the_old_one(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    add(fixture, "a", 1);
    drain(fixture);
    assert_int_equal(moved_to(fixture), 0);
    take_over(fixture, NULL, 100);
    assert_int_equal(moved_to(fixture), 0);
    add(fixture, "a", 2);
    drain(fixture);
    assert_int_equal(moved_to(fixture), 106);
    assert_int_equal(moved_to(fixture), 0);
    stop(fixture);
}

static void moves_the_watermark_only_over_what_was_taken(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    apr_int64_t reached = 0;
    int i;

    take_over(fixture, NULL, 100);
    keeper_stub_answer(fixture->stub, KEEPER_STUB_WAITS);
    add(fixture, "a", 1); /* 106 */
    turn_until_count(fixture, 1);
    add(fixture, "b", 1); /* 107 */
    add(fixture, "a", 2); /* 108 */
    assert_int_equal(moved_to(fixture), 105);
    keeper_stub_answer(fixture->stub, 200);
    for (i = 0; i < 100 && !reached; i++) {
        stub_loop_turn(&fixture->loop, fixture->transport);
        reached = moved_to(fixture);
    }
    assert_int_equal(reached, 106); /* 107 and 108 wait */
    drain(fixture);
    assert_int_equal(moved_to(fixture), 108);
    stop(fixture);
}

static void keeps_the_watermark_below_what_failed_until_its_hint_is_taken(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    take_over(fixture, NULL, 100);
    fail_once(fixture, 500); /* 106 */
    add(fixture, "b", 1);    /* 107 */
    assert_int_equal(moved_to(fixture), 105);
    skip_pause(fixture);
    drain(fixture);
    assert_int_equal(moved_to(fixture), 107);
    stop(fixture);
}

/* Should the keeper end before it is due, the next one has to hint the room. */
static void keeps_the_watermark_below_a_room_whose_hint_is_due(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    take_over(fixture, NULL, 100);
    ipc_shared_note_hold(fixture->config.shared, ipc_site_slot(&fixture->site, gc_slice_of("a")),
                         gc_clock_now());
    add(fixture, "b", 1); /* 106 */
    add(fixture, "a", 1); /* 107 */
    drain(fixture);
    assert_int_equal(moved_to(fixture), 106);
    skip_pause(fixture);
    drain(fixture);
    assert_int_equal(moved_to(fixture), 107);
    stop(fixture);
}

/* The events that wait for a silent proxy are bounded: a room with too many turns dirty. */
static void bounds_what_waits_in_memory(void **state)
{
    enum { EACH = 512 * 1024, FIT = PUBLISH_PROXY_PENDING_BYTES / EACH };
    keeper_fixture_t *fixture = start(*state);
    char *text = apr_palloc(*state, EACH);
    int i;

    memset(text, 'x', EACH);
    keeper_stub_answer(fixture->stub, KEEPER_STUB_WAITS);
    add(fixture, "a", 1);
    turn_until_count(fixture, 1);
    for (i = 1; i <= FIT; i++) {
        add_text(fixture, "b", i, gc_slice(text, EACH));
    }
    add(fixture, "b", FIT + 1);
    keeper_stub_answer(fixture->stub, 200);
    drain(fixture);
    assert_posts(fixture, "a:0-1=a1; | hint(b) b:64-65=b65;");
    stop(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(sends_events_of_several_rooms_in_order_as_items),
        POOL_TEST(puts_the_site_s_prefix_before_the_channel),
        POOL_TEST(gathers_what_comes_while_a_post_is_under_way),
        POOL_TEST(keeps_bodies_within_what_a_proxy_takes),
        POOL_TEST(splits_what_waits_at_the_size_of_an_item),
        POOL_TEST(sends_the_largest_item_that_can_be_configured),
        POOL_TEST(hints_instead_of_an_event_that_no_body_has_room_for),
        POOL_TEST(hints_after_a_failure_and_replays_nothing),
        POOL_TEST(hints_after_an_end_without_an_answer),
        POOL_TEST(hints_rooms_that_waited_for_a_post_that_failed),
        POOL_TEST(waits_longer_after_each_failure),
        POOL_TEST(comes_back_when_the_proxy_wants_it_to),
        POOL_TEST(finds_the_one_item_that_a_proxy_refuses),
        POOL_TEST(keeps_the_order_of_a_room_whose_items_were_refused_together),
        POOL_TEST(hints_a_moment_later_where_a_hold_was_noted),
        POOL_TEST(hints_nothing_where_the_last_hold_is_long_ago),
        POOL_TEST(hints_rooms_that_the_keeper_before_left_behind),
        POOL_TEST(tells_no_watermark_before_it_knows_the_old_one),
        POOL_TEST(moves_the_watermark_only_over_what_was_taken),
        POOL_TEST(keeps_the_watermark_below_what_failed_until_its_hint_is_taken),
        POOL_TEST(keeps_the_watermark_below_a_room_whose_hint_is_due),
        POOL_TEST(bounds_what_waits_in_memory),
    };

    return UNIT_RUN(tests);
}
