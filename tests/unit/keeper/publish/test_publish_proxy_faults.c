#include "keeper_fixture.h"

/* Publish, until nothing is left, over all pauses. */
static void drain_over_pauses(keeper_fixture_t *fixture)
{
    gc_moment_t now = gc_clock_now();
    int i;

    for (i = 0; i < 20; i++) {
        drain(fixture);
        now = publish_proxy_next(fixture->publisher);
        if (!now) {
            break;
        }
        publish_proxy_work(fixture->publisher, now);
    }
    drain(fixture);
}

/* One room that a proxy wants nothing of must not keep the others from their events. */
static void goes_on_with_events_after_a_refused_hint(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    const char *taken;
    int i;

    keeper_stub_refuse(fixture->stub, "events-room-b");
    add(fixture, "b", 1);
    drain(fixture);
    for (i = 1; i <= 5; i++) {
        add(fixture, "a", i);
        drain(fixture);
    }
    taken = keeper_stub_posts(fixture->stub, 1, fixture->pool);
    assert_string_equal(taken, "a:0-1=a1; | a:1-2=a2; | a:2-3=a3; | a:3-4=a4; | a:4-5=a5;");
    stop(fixture);
}

/* A failure and then a proxy that knows no hints: events go on, and are what its readers see. */
static void goes_on_with_a_proxy_that_refuses_all_hints(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    keeper_stub_refuse(fixture->stub, "\"hint\"");
    fail_once(fixture, 503);
    skip_pause(fixture);
    drain_over_pauses(fixture);
    add(fixture, "a", 2);
    drain_over_pauses(fixture);
    assert_non_null(strstr(keeper_stub_posts(fixture->stub, 1, fixture->pool), "a:1-2=a2;"));
    stop(fixture);
}

/* Readers come back in masses just after an outage. */
static void hints_once_more_after_an_outage_where_a_hold_was_noted(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    fail_once(fixture, 500);
    ipc_shared_note_hold((ipc_shared_t *)fixture->config.shared,
                         ipc_site_slot(&fixture->site, gc_slice_of("a")), gc_clock_now());
    skip_pause(fixture);
    drain(fixture);
    skip_pause(fixture);
    drain(fixture);
    assert_string_equal(keeper_stub_posts(fixture->stub, 1, fixture->pool), "hint(a) | hint(a)");
    assert_true(publish_proxy_next(fixture->publisher) == 0);
    stop(fixture);
}

static void begins_the_watermark_anew_with_another_database(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    apr_int64_t watermark = -1;

    take_over(fixture, NULL, 0);
    fixture->last_message_id = 29;
    add(fixture, "a", 30);
    drain(fixture);
    assert_true(publish_proxy_progress(fixture->publisher, &watermark));
    assert_int_equal(watermark, 30);
    publish_proxy_add_behind(fixture->publisher, NULL, 0);
    fixture->last_message_id = 0;
    keeper_stub_answer(fixture->stub, 503);
    add(fixture, "a", 1);
    drain(fixture);
    assert_false(publish_proxy_progress(fixture->publisher, &watermark));
    keeper_stub_answer(fixture->stub, 200);
    drain_over_pauses(fixture);
    assert_true(publish_proxy_progress(fixture->publisher, &watermark));
    assert_int_equal(watermark, 1);
    stop(fixture);
}

/* A refusal of all that comes, for a moment: no reader may have to wait for the next message. */
static void hints_again_after_everything_was_refused_for_a_while(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    keeper_stub_answer(fixture->stub, 405);
    add(fixture, "a", 1);
    add(fixture, "b", 1);
    drain(fixture);
    keeper_stub_answer(fixture->stub, 200);
    drain_over_pauses(fixture);
    assert_non_null(strstr(keeper_stub_posts(fixture->stub, 1, fixture->pool), "hint(a)"));
    assert_non_null(strstr(keeper_stub_posts(fixture->stub, 1, fixture->pool), "hint(b)"));
    assert_null(strstr(keeper_stub_posts(fixture->stub, 1, fixture->pool), ":0-1="));
    stop(fixture);
}

/* Nothing listens where the proxy was, and three messages come. */
static void lose_proxy(keeper_fixture_t *fixture)
{
    keeper_stub_go(fixture->stub);
    add(fixture, "a", 1);
    drain(fixture);
    add(fixture, "a", 2);
    add(fixture, "b", 1);
    drain(fixture);
}

static void sends_what_was_certainly_not_sent_when_the_proxy_is_back(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    gc_moment_t end;

    lose_proxy(fixture);
    keeper_stub_come_back(fixture->stub);
    end = gc_clock_now() + UNIT_PATIENCE;
    while (keeper_stub_count(fixture->stub) == 0 && gc_clock_now() < end) {
        work(fixture);
        stub_loop_turn(&fixture->loop, fixture->transport);
    }
    drain(fixture);
    assert_posts(fixture, "a:0-2=a1;a2; b:0-1=b1;");
    stop(fixture);
}

static void hints_instead_of_what_was_not_sent_for_too_long(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    lose_proxy(fixture);
    publish_proxy_work(fixture->publisher, gc_clock_now() + PUBLISH_PROXY_KEPT);
    drain(fixture);
    add(fixture, "c", 1);
    keeper_stub_come_back(fixture->stub);
    drain_over_pauses(fixture);
    assert_string_equal(keeper_stub_posts(fixture->stub, 0, fixture->pool),
                        "hint(a) hint(b) hint(c)");
    stop(fixture);
}

static void keeps_the_watermark_below_a_trailing_hint_after_a_post_of_hints(void **state)
{
    keeper_fixture_t *fixture = start(*state);
    apr_int64_t watermark = 0;

    take_over(fixture, NULL, 100);
    fail_once(fixture, 500); /* 106 */
    add(fixture, "b", 1);    /* 107 */
    ipc_shared_note_hold((ipc_shared_t *)fixture->config.shared,
                         ipc_site_slot(&fixture->site, gc_slice_of("a")), gc_clock_now());
    skip_pause(fixture);
    drain(fixture);
    assert_string_equal(keeper_stub_posts(fixture->stub, 1, fixture->pool), "hint(a) hint(b)");
    assert_true(publish_proxy_progress(fixture->publisher, &watermark));
    assert_int_equal(watermark, 105);
    stop(fixture);
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
