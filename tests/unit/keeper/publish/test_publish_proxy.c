#include "keeper_bench.h"
#include "publish_backoff.h"

static void sends_events_of_several_rooms_in_order_as_items(void **state)
{
    bench_t *bench = start(*state);

    add(bench, "a", 4);
    add(bench, "b", 1);
    add(bench, "a", 5);
    add(bench, "caf\xc3\xa9", 9);
    drain(bench);
    assert_posts(bench, "a:3-5=a4;a5; b:0-1=b1; caf%C3%A9:8-9=caf\xc3\xa9"
                        "9;");
    assert_true(publish_proxy_next(bench->publisher) == 0);
    stop(bench);
}

static void puts_the_site_s_prefix_before_the_channel(void **state)
{
    bench_t *bench = start(*state);

    bench->site.channel_prefix = "tenant-";
    add(bench, "a", 1);
    drain(bench);
    assert_posts(bench, "a channel of another site");
    stop(bench);
}

static void gathers_what_comes_while_a_post_is_under_way(void **state)
{
    bench_t *bench = start(*state);

    keeper_stub_answer(bench->stub, KEEPER_STUB_WAITS);
    add(bench, "a", 1);
    turn_until_count(bench, 1);
    add(bench, "a", 2);
    add(bench, "b", 1);
    add(bench, "a", 3);
    work(bench);
    stub_loop_turn(&bench->loop, bench->transport);
    assert_int_equal(keeper_stub_count(bench->stub), 1);
    assert_false(publish_proxy_is_drained(bench->publisher));
    keeper_stub_answer(bench->stub, 200);
    drain(bench);
    assert_posts(bench, "a:0-1=a1; | a:1-3=a2;a3; b:0-1=b1;");
    stop(bench);
}

static void keeps_bodies_within_what_a_proxy_takes(void **state)
{
    bench_t *bench = start(*state);
    char *text = apr_palloc(*state, 300000);
    apr_int64_t i;

    memset(text, 'x', 300000);
    for (i = 1; i <= 4; i++) {
        add_text(bench, "a", i, gc_slice(text, 300000));
    }
    drain(bench);
    assert_posts(bench, "a:0-1=300000 bytes a:1-2=300000 bytes a:2-3=300000 bytes | "
                        "a:3-4=300000 bytes");
    stop(bench);
}

static void splits_what_waits_at_the_size_of_an_item(void **state)
{
    bench_t *bench = start(*state);
    char *text = apr_palloc(*state, 1025);
    apr_int64_t i;

    memset(text, 'x', 1025);
    bench->site.item_bytes = 1024;
    for (i = 1; i <= 3; i++) {
        add_text(bench, "a", i, gc_slice(text, 512)); /* two fill an item */
    }
    add_text(bench, "a", 4, gc_slice(text, 513));  /* one byte too long to go along */
    add_text(bench, "a", 5, gc_slice(text, 1025)); /* too long for any: alone */
    add_text(bench, "a", 6, gc_slice(text, 1));
    add_text(bench, "b", 1, gc_slice(text, 1023));
    add_text(bench, "b", 2, gc_slice(text, 1));
    drain(bench);
    assert_posts(bench, "a:0-2=1024 bytes a:2-3=512 bytes a:3-4=513 bytes a:4-5=1025 bytes a:5-6=x "
                        "b:0-2=1024 bytes");
    stop(bench);
}

/* Whatever its characters are: JSON writes each of these as two. */
static void sends_the_largest_item_that_can_be_configured(void **state)
{
    bench_t *bench = start(*state);
    apr_size_t half = IPC_SITE_ITEM_MAX_BYTES / 2;
    char *text = apr_palloc(*state, half);
    char *room = apr_palloc(*state, 257);

    memset(text, '\n', half);
    memset(room, '%', 256);
    room[256] = '\0';
    bench->site.item_bytes = IPC_SITE_ITEM_MAX_BYTES;
    add_text(bench, room, 1, gc_slice(text, half));
    add_text(bench, room, 2, gc_slice(text, half));
    drain(bench);
    assert_non_null(strstr(keeper_stub_posts(bench->stub, 0, *state), ":0-2=983040 bytes"));
    assert_null(strstr(keeper_stub_posts(bench->stub, 0, *state), "hint"));
    stop(bench);
}

static void hints_instead_of_an_event_that_no_body_has_room_for(void **state)
{
    bench_t *bench = start(*state);
    char *text = apr_palloc(*state, 1000000);

    memset(text, 'x', 1000000);
    add_text(bench, "a", 1, gc_slice(text, 1000000));
    add(bench, "b", 1);
    drain(bench);
    assert_string_equal(keeper_stub_posts(bench->stub, 1, *state), "b:0-1=b1; | hint(a)");
    stop(bench);
}

/* What failed may have been taken all the same, so it is never sent again. */
static void hints_after_a_failure_and_replays_nothing(void **state)
{
    bench_t *bench = start(*state);

    fail_once(bench, 500);
    add(bench, "a", 2);
    add(bench, "b", 7);
    skip_pause(bench);
    drain(bench);
    add(bench, "a", 3);
    drain(bench);
    assert_posts(bench, "a:0-1=a1; | hint(a) hint(b) | a:2-3=a3;");
    stop(bench);
}

static void hints_after_an_end_without_an_answer(void **state)
{
    bench_t *bench = start(*state);

    fail_once(bench, KEEPER_STUB_HANGS_UP);
    skip_pause(bench);
    drain(bench);
    assert_posts(bench, "a:0-1=a1; | hint(a)");
    stop(bench);
}

static void hints_rooms_that_waited_for_a_post_that_failed(void **state)
{
    bench_t *bench = start(*state);

    keeper_stub_answer(bench->stub, KEEPER_STUB_WAITS);
    add(bench, "a", 1);
    turn_until_count(bench, 1);
    add(bench, "b", 1);
    keeper_stub_answer(bench->stub, 500);
    drain(bench);
    keeper_stub_answer(bench->stub, 200);
    skip_pause(bench);
    drain(bench);
    assert_string_equal(keeper_stub_posts(bench->stub, 1, *state), "hint(a) hint(b)");
    stop(bench);
}

static void waits_longer_after_each_failure(void **state)
{
    bench_t *bench = start(*state);
    apr_interval_time_t pause = PUBLISH_BACKOFF_MIN;
    gc_moment_t before = gc_clock_now();
    int i;

    fail_once(bench, 500);
    keeper_stub_answer(bench->stub, 500);
    for (i = 0; i < 8; i++) {
        gc_moment_t next = publish_proxy_next(bench->publisher);

        assert_true(next - before >= pause * 3 / 4);
        assert_true(next - gc_clock_now() <= pause * 5 / 4);
        work(bench);
        if (gc_clock_now() < next) { /* it was too early */
            assert_true(publish_proxy_is_drained(bench->publisher));
        }
        before = gc_clock_now();
        skip_pause(bench);
        drain(bench);
        pause = pause * 2 > PUBLISH_BACKOFF_MAX ? PUBLISH_BACKOFF_MAX : pause * 2;
    }
    keeper_stub_answer(bench->stub, 200);
    skip_pause(bench);
    drain(bench);
    assert_true(publish_proxy_next(bench->publisher) == 0);
    fail_once(bench, 500);
    assert_true(publish_proxy_next(bench->publisher) - gc_clock_now() < PUBLISH_BACKOFF_MIN * 2);
    stop(bench);
}

static void comes_back_when_the_proxy_wants_it_to(void **state)
{
    bench_t *bench = start(*state);
    gc_moment_t before = gc_clock_now();
    gc_moment_t next;

    fail_once(bench, 503);
    next = publish_proxy_next(bench->publisher);
    assert_true(next - before >= apr_time_from_msec(6500));
    assert_true(next - gc_clock_now() <= apr_time_from_sec(7));
    stop(bench);
}

/* The proxy refuses a whole POST for one item: the others must get through, once. */
static void finds_the_one_item_that_a_proxy_refuses(void **state)
{
    static const char *const rooms[] = {"a", "b", "c", "d", "e"};
    bench_t *bench = start(*state);
    const char *taken;
    int i;

    keeper_stub_refuse(bench->stub, "c1;");
    publish_proxy_add_behind(bench->publisher, "behind", 0);
    for (i = 0; i < 5; i++) {
        add(bench, rooms[i], 1);
    }
    drain(bench);
    taken = keeper_stub_posts(bench->stub, 1, *state);
    assert_null(strstr(taken, "c:0-1"));
    assert_non_null(strstr(taken, "hint(c)"));
    assert_non_null(strstr(taken, "hint(behind)"));
    for (i = 0; i < 5; i++) {
        const char *item = apr_pstrcat(*state, rooms[i], ":0-1", NULL);

        assert_true(i == 2 || strstr(taken, item));
        assert_true(i == 2 || !strstr(strstr(taken, item) + 1, item));
        assert_true(i == 2 || !strstr(taken, apr_pstrcat(*state, "hint(", rooms[i], ")", NULL)));
    }
    assert_true(publish_proxy_next(bench->publisher) == 0);
    stop(bench);
}

static void keeps_the_order_of_a_room_whose_items_were_refused_together(void **state)
{
    bench_t *bench = start(*state);

    keeper_stub_refuse(bench->stub, "a5;");
    add(bench, "a", 1);
    add(bench, "a", 3);
    add(bench, "a", 5);
    add(bench, "a", 7);
    drain(bench);
    assert_string_equal(keeper_stub_posts(bench->stub, 1, *state),
                        "a:0-1=a1; a:2-3=a3; | hint(a) | a:6-7=a7;");
    stop(bench);
}

/* A hold that was being answered when an event went by may have come too late for it. */
static void hints_a_moment_later_where_a_hold_was_noted(void **state)
{
    bench_t *bench = start(*state);
    gc_moment_t now = gc_clock_now();

    ipc_shared_note_hold(bench->config.shared, ipc_site_slot(&bench->site, gc_slice_of("a")), now);
    add(bench, "a", 1);
    add(bench, "b", 1);
    drain(bench);
    assert_in_range(publish_proxy_next(bench->publisher), now + PUBLISH_PROXY_HINT_DELAY,
                    gc_clock_now() + PUBLISH_PROXY_HINT_DELAY);
    skip_pause(bench);
    drain(bench);
    assert_posts(bench, "a:0-1=a1; b:0-1=b1; | hint(a)");
    assert_true(publish_proxy_next(bench->publisher) == 0);
    stop(bench);
}

static void hints_nothing_where_the_last_hold_is_long_ago(void **state)
{
    bench_t *bench = start(*state);

    ipc_shared_note_hold(bench->config.shared, ipc_site_slot(&bench->site, gc_slice_of("a")),
                         gc_clock_now() - PUBLISH_ROOMS_HOLD_WINDOW - apr_time_from_msec(1));
    add(bench, "a", 1);
    drain(bench);
    assert_true(publish_proxy_next(bench->publisher) == 0);
    stop(bench);
}

/* The watermark, if it has moved, else 0. */
static apr_int64_t moved_to(bench_t *bench)
{
    apr_int64_t watermark = 0;

    return publish_proxy_progress(bench->publisher, &watermark) ? watermark : 0;
}

static void hints_rooms_that_the_keeper_before_left_behind(void **state)
{
    bench_t *bench = start(*state);

    take_over(bench, "a", 100);
    add(bench, "a", 9);
    add(bench, "b", 1);
    drain(bench);
    assert_posts(bench, "hint(a) a:8-9=a9; b:0-1=b1;");
    assert_int_equal(moved_to(bench), 107);
    stop(bench);
}

static void tells_no_watermark_before_it_knows_the_old_one(void **state)
{
    bench_t *bench = start(*state);

    add(bench, "a", 1);
    drain(bench);
    assert_int_equal(moved_to(bench), 0);
    take_over(bench, NULL, 100);
    assert_int_equal(moved_to(bench), 0);
    add(bench, "a", 2);
    drain(bench);
    assert_int_equal(moved_to(bench), 106);
    assert_int_equal(moved_to(bench), 0);
    stop(bench);
}

static void moves_the_watermark_only_over_what_was_taken(void **state)
{
    bench_t *bench = start(*state);
    apr_int64_t reached = 0;
    int i;

    take_over(bench, NULL, 100);
    keeper_stub_answer(bench->stub, KEEPER_STUB_WAITS);
    add(bench, "a", 1); /* 106 */
    turn_until_count(bench, 1);
    add(bench, "b", 1); /* 107 */
    add(bench, "a", 2); /* 108 */
    assert_int_equal(moved_to(bench), 105);
    keeper_stub_answer(bench->stub, 200);
    for (i = 0; i < 100 && !reached; i++) {
        stub_loop_turn(&bench->loop, bench->transport);
        reached = moved_to(bench);
    }
    assert_int_equal(reached, 106); /* 107 and 108 wait */
    drain(bench);
    assert_int_equal(moved_to(bench), 108);
    stop(bench);
}

static void keeps_the_watermark_below_what_failed_until_its_hint_is_taken(void **state)
{
    bench_t *bench = start(*state);

    take_over(bench, NULL, 100);
    fail_once(bench, 500); /* 106 */
    add(bench, "b", 1);    /* 107 */
    assert_int_equal(moved_to(bench), 105);
    skip_pause(bench);
    drain(bench);
    assert_int_equal(moved_to(bench), 107);
    stop(bench);
}

/* Should the keeper end before it is due, the next one has to hint the room. */
static void keeps_the_watermark_below_a_room_whose_hint_is_due(void **state)
{
    bench_t *bench = start(*state);

    take_over(bench, NULL, 100);
    ipc_shared_note_hold(bench->config.shared, ipc_site_slot(&bench->site, gc_slice_of("a")),
                         gc_clock_now());
    add(bench, "b", 1); /* 106 */
    add(bench, "a", 1); /* 107 */
    drain(bench);
    assert_int_equal(moved_to(bench), 106);
    skip_pause(bench);
    drain(bench);
    assert_int_equal(moved_to(bench), 107);
    stop(bench);
}

/* What waits for a proxy that does not answer is bounded: a room with too much turns dirty. */
static void bounds_what_waits_in_memory(void **state)
{
    enum { EACH = 512 * 1024, FIT = PUBLISH_PROXY_PENDING_BYTES / EACH };
    bench_t *bench = start(*state);
    char *text = apr_palloc(*state, EACH);
    int i;

    memset(text, 'x', EACH);
    keeper_stub_answer(bench->stub, KEEPER_STUB_WAITS);
    add(bench, "a", 1);
    turn_until_count(bench, 1);
    for (i = 1; i <= FIT; i++) {
        add_text(bench, "b", i, gc_slice(text, EACH));
    }
    add(bench, "b", FIT + 1);
    keeper_stub_answer(bench->stub, 200);
    drain(bench);
    assert_posts(bench, "a:0-1=a1; | hint(b) b:64-65=b65;");
    stop(bench);
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
