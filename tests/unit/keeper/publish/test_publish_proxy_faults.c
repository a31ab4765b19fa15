#include "keeper_bench.h"

/* Publish, until nothing is left, over all pauses. */
static void drain_over_pauses(bench_t *bench)
{
    gc_moment_t now = gc_clock_now();
    int i;

    for (i = 0; i < 20; i++) {
        drain(bench);
        now = publish_proxy_next(bench->publisher);
        if (!now) {
            break;
        }
        publish_proxy_work(bench->publisher, now);
    }
    drain(bench);
}

/* One room that a proxy wants nothing of must not keep the others from their events. */
static void goes_on_with_events_after_a_refused_hint(void **state)
{
    bench_t *bench = start(*state);
    const char *taken;
    int i;

    keeper_stub_refuse(bench->stub, "events-room-b");
    add(bench, "b", 1);
    drain(bench);
    for (i = 1; i <= 5; i++) {
        add(bench, "a", i);
        drain(bench);
    }
    taken = keeper_stub_posts(bench->stub, 1, bench->pool);
    assert_string_equal(taken, "a:0-1=a1; | a:1-2=a2; | a:2-3=a3; | a:3-4=a4; | a:4-5=a5;");
    stop(bench);
}

/* A failure and then a proxy that knows no hints: events go on, and are what its readers see. */
static void goes_on_with_a_proxy_that_refuses_all_hints(void **state)
{
    bench_t *bench = start(*state);

    keeper_stub_refuse(bench->stub, "\"hint\"");
    fail_once(bench, 503);
    skip_pause(bench);
    drain_over_pauses(bench);
    add(bench, "a", 2);
    drain_over_pauses(bench);
    assert_non_null(strstr(keeper_stub_posts(bench->stub, 1, bench->pool), "a:1-2=a2;"));
    stop(bench);
}

/* Readers come back in masses just after an outage. */
static void hints_once_more_after_an_outage_where_a_hold_was_noted(void **state)
{
    bench_t *bench = start(*state);

    fail_once(bench, 500);
    ipc_shared_note_hold((ipc_shared_t *)bench->config.shared,
                         ipc_site_slot(&bench->site, gc_slice_of("a")), gc_clock_now());
    skip_pause(bench);
    drain(bench);
    skip_pause(bench);
    drain(bench);
    assert_string_equal(keeper_stub_posts(bench->stub, 1, bench->pool), "hint(a) | hint(a)");
    assert_true(publish_proxy_next(bench->publisher) == 0);
    stop(bench);
}

static void begins_the_watermark_anew_with_another_database(void **state)
{
    bench_t *bench = start(*state);
    apr_int64_t watermark = -1;

    take_over(bench, NULL, 0);
    bench->last_message_id = 29;
    add(bench, "a", 30);
    drain(bench);
    assert_true(publish_proxy_progress(bench->publisher, &watermark));
    assert_int_equal(watermark, 30);
    publish_proxy_add_behind(bench->publisher, NULL, 0);
    bench->last_message_id = 0;
    keeper_stub_answer(bench->stub, 503);
    add(bench, "a", 1);
    drain(bench);
    assert_false(publish_proxy_progress(bench->publisher, &watermark));
    keeper_stub_answer(bench->stub, 200);
    drain_over_pauses(bench);
    assert_true(publish_proxy_progress(bench->publisher, &watermark));
    assert_int_equal(watermark, 1);
    stop(bench);
}

/* A refusal of all that comes, for a moment: no reader may have to wait for the next message. */
static void hints_again_after_everything_was_refused_for_a_while(void **state)
{
    bench_t *bench = start(*state);

    keeper_stub_answer(bench->stub, 405);
    add(bench, "a", 1);
    add(bench, "b", 1);
    drain(bench);
    keeper_stub_answer(bench->stub, 200);
    drain_over_pauses(bench);
    assert_non_null(strstr(keeper_stub_posts(bench->stub, 1, bench->pool), "hint(a)"));
    assert_non_null(strstr(keeper_stub_posts(bench->stub, 1, bench->pool), "hint(b)"));
    assert_null(strstr(keeper_stub_posts(bench->stub, 1, bench->pool), ":0-1="));
    stop(bench);
}

/* Nothing listens where the proxy was, and three messages come. */
static void lose_proxy(bench_t *bench)
{
    keeper_stub_go(bench->stub);
    add(bench, "a", 1);
    drain(bench);
    add(bench, "a", 2);
    add(bench, "b", 1);
    drain(bench);
}

static void sends_what_was_certainly_not_sent_when_the_proxy_is_back(void **state)
{
    bench_t *bench = start(*state);
    gc_moment_t end;

    lose_proxy(bench);
    keeper_stub_come_back(bench->stub);
    end = gc_clock_now() + UNIT_PATIENCE;
    while (keeper_stub_count(bench->stub) == 0 && gc_clock_now() < end) {
        work(bench);
        stub_loop_turn(&bench->loop, bench->transport);
    }
    drain(bench);
    assert_posts(bench, "a:0-2=a1;a2; b:0-1=b1;");
    stop(bench);
}

static void hints_instead_of_what_was_not_sent_for_too_long(void **state)
{
    bench_t *bench = start(*state);

    lose_proxy(bench);
    publish_proxy_work(bench->publisher, gc_clock_now() + PUBLISH_PROXY_KEPT);
    drain(bench);
    add(bench, "c", 1);
    keeper_stub_come_back(bench->stub);
    drain_over_pauses(bench);
    assert_string_equal(keeper_stub_posts(bench->stub, 0, bench->pool), "hint(a) hint(b) hint(c)");
    stop(bench);
}

static void keeps_the_watermark_below_a_trailing_hint_after_a_post_of_hints(void **state)
{
    bench_t *bench = start(*state);
    apr_int64_t watermark = 0;

    take_over(bench, NULL, 100);
    fail_once(bench, 500); /* 106 */
    add(bench, "b", 1);    /* 107 */
    ipc_shared_note_hold((ipc_shared_t *)bench->config.shared,
                         ipc_site_slot(&bench->site, gc_slice_of("a")), gc_clock_now());
    skip_pause(bench);
    drain(bench);
    assert_string_equal(keeper_stub_posts(bench->stub, 1, bench->pool), "hint(a) hint(b)");
    assert_true(publish_proxy_progress(bench->publisher, &watermark));
    assert_int_equal(watermark, 105);
    stop(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(goes_on_with_events_after_a_refused_hint),
        POOL_TEST(goes_on_with_a_proxy_that_refuses_all_hints),
        POOL_TEST(hints_once_more_after_an_outage_where_a_hold_was_noted),
        POOL_TEST(begins_the_watermark_anew_with_another_database),
        POOL_TEST(hints_again_after_everything_was_refused_for_a_while),
        POOL_TEST(sends_what_was_certainly_not_sent_when_the_proxy_is_back),
        POOL_TEST(hints_instead_of_what_was_not_sent_for_too_long),
        POOL_TEST(keeps_the_watermark_below_a_trailing_hint_after_a_post_of_hints),
    };

    return UNIT_RUN(tests);
}
