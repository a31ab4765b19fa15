/* A publisher with all that it needs, for the tests of what it tells its proxy. */
#ifndef KEEPER_FIXTURE_H
#define KEEPER_FIXTURE_H

#include "publish_proxy.h"
#include "publish_rooms.h"

#include "grip_stub.h"
#include "keeper_stub.h"

/* A publisher with all that it needs, and the proxy that it talks to. */
typedef struct keeper_fixture_t {
    keeper_stub_t *stub;
    stub_loop_t loop;
    grip_transport_t *transport;
    const grip_proxy_t *proxies[1];
    ipc_site_t site;
    keeper_config_t config;
    publish_proxy_t *publisher;
    apr_int64_t last_message_id;
    apr_pool_t *pool;
} keeper_fixture_t;

static inline keeper_fixture_t *start(apr_pool_t *pool)
{
    keeper_fixture_t *fixture = apr_pcalloc(pool, sizeof(*fixture));

    fixture->pool = pool;
    fixture->stub = keeper_stub_start(pool);
    fixture->transport = stub_loop_transport(&fixture->loop, pool);
    fixture->proxies[0] = stub_proxy_at(keeper_stub_url(fixture->stub, pool), pool);
    fixture->site.identity = "sqlite3:/x:";
    fixture->site.name = "";
    fixture->site.channel_prefix = "";
    fixture->site.item_bytes = 64 * 1024;
    fixture->site.proxies = fixture->proxies;
    fixture->site.proxy_count = 1;
    fixture->config.shared = ipc_shared_init(apr_pcalloc(pool, ipc_shared_size()));
    fixture->publisher =
        publish_proxy_create(&fixture->config, &fixture->site, 0, fixture->transport, pool);
    return fixture;
}

static inline void stop(keeper_fixture_t *fixture)
{
    grip_transport_destroy(fixture->transport);
    keeper_stub_stop(fixture->stub);
}

static inline void add_text(keeper_fixture_t *fixture, const char *room, apr_int64_t event_id,
                            gc_slice_t text)
{
    chat_event_t event = {.id = ++fixture->last_message_id, .position = event_id};

    publish_proxy_add(fixture->publisher, room, &event, text);
}

static inline void add(keeper_fixture_t *fixture, const char *room, apr_int64_t event_id)
{
    const char *text = apr_psprintf(fixture->pool, "%s%d;", room, (int)event_id);

    add_text(fixture, room, event_id, gc_slice_of(text));
}

static inline void work(keeper_fixture_t *fixture)
{
    publish_proxy_work(fixture->publisher, gc_clock_now());
}

/* Publish, until so many POSTs have come. */
static inline void turn_until_count(keeper_fixture_t *fixture, int count)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    while (keeper_stub_count(fixture->stub) < count && gc_clock_now() < end) {
        work(fixture);
        stub_loop_turn(&fixture->loop, fixture->transport);
    }
    assert_int_equal(keeper_stub_count(fixture->stub), count);
}

/* Publish, until nothing is left that can be. */
static inline void drain(keeper_fixture_t *fixture)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    work(fixture);
    while (!publish_proxy_is_drained(fixture->publisher) && gc_clock_now() < end) {
        stub_loop_turn(&fixture->loop, fixture->transport);
        work(fixture);
    }
    assert_true(publish_proxy_is_drained(fixture->publisher));
}

/* Go on to when the publisher wants to be called next, without waiting for it. */
static inline void skip_pause(keeper_fixture_t *fixture)
{
    gc_moment_t next = publish_proxy_next(fixture->publisher);

    assert_true(next > 0);
    publish_proxy_work(fixture->publisher, next);
}

#define assert_posts(fixture, told)                                                                \
    assert_string_equal(keeper_stub_posts((fixture)->stub, 0, (fixture)->pool), (told))

/* Have an event fail, and the proxy take the next POST. */
static inline void fail_once(keeper_fixture_t *fixture, int status)
{
    keeper_stub_answer(fixture->stub, status);
    add(fixture, "a", 1);
    drain(fixture);
    keeper_stub_answer(fixture->stub, 200);
}

/* The keeper before this one left the watermark here, and a room or none. */
static inline void take_over(keeper_fixture_t *fixture, const char *room, apr_int64_t watermark)
{
    fixture->last_message_id = watermark + 5;
    if (room) {
        publish_proxy_add_behind(fixture->publisher, room, watermark);
    }
    publish_proxy_add_behind(fixture->publisher, NULL, watermark);
}

#endif
