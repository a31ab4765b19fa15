/* A publisher with all that it needs, for the tests of what it tells its proxy. */
#ifndef KEEPER_BENCH_H
#define KEEPER_BENCH_H

#include "publish_proxy.h"
#include "publish_rooms.h"

#include "grip_stub.h"
#include "keeper_stub.h"

/* A publisher with all that it needs, and the proxy that it talks to. */
typedef struct bench_t {
    keeper_stub_t *stub;
    stub_loop_t loop;
    grip_transport_t *transport;
    const grip_proxy_t *proxies[1];
    ipc_site_t site;
    keeper_config_t config;
    publish_proxy_t *publisher;
    apr_int64_t last_message_id;
    apr_pool_t *pool;
} bench_t;

static inline bench_t *start(apr_pool_t *pool)
{
    bench_t *bench = apr_pcalloc(pool, sizeof(*bench));

    bench->pool = pool;
    bench->stub = keeper_stub_start(pool);
    bench->transport = stub_loop_transport(&bench->loop, pool);
    bench->proxies[0] = stub_proxy_at(keeper_stub_url(bench->stub, pool), pool);
    bench->site.identity = "sqlite3:/x:";
    bench->site.name = "";
    bench->site.channel_prefix = "";
    bench->site.item_bytes = IPC_SITE_ITEM_DEFAULT_BYTES;
    bench->site.proxies = bench->proxies;
    bench->site.proxy_count = 1;
    bench->config.shared = ipc_shared_init(apr_pcalloc(pool, ipc_shared_size()));
    bench->publisher =
        publish_proxy_create(&bench->config, &bench->site, 0, bench->transport, pool);
    return bench;
}

static inline void stop(bench_t *bench)
{
    grip_transport_destroy(bench->transport);
    keeper_stub_stop(bench->stub);
}

static inline void add_text(bench_t *bench, const char *room, apr_int64_t event_id, gc_slice_t text)
{
    publish_event_t event = {room, ++bench->last_message_id, event_id, text};

    publish_proxy_add(bench->publisher, &event);
}

static inline void add(bench_t *bench, const char *room, apr_int64_t event_id)
{
    const char *text = apr_psprintf(bench->pool, "%s%d;", room, (int)event_id);

    add_text(bench, room, event_id, gc_slice_of(text));
}

static inline void work(bench_t *bench)
{
    publish_proxy_work(bench->publisher, gc_clock_now());
}

/* Publish, until so many POSTs have come. */
static inline void turn_until_count(bench_t *bench, int count)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    while (keeper_stub_count(bench->stub) < count && gc_clock_now() < end) {
        work(bench);
        stub_loop_turn(&bench->loop, bench->transport);
    }
    assert_int_equal(keeper_stub_count(bench->stub), count);
}

/* Publish, until nothing is left that can be. */
static inline void drain(bench_t *bench)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    work(bench);
    while (!publish_proxy_is_drained(bench->publisher) && gc_clock_now() < end) {
        stub_loop_turn(&bench->loop, bench->transport);
        work(bench);
    }
    assert_true(publish_proxy_is_drained(bench->publisher));
}

/* Go on to when the publisher wants to be called next, without waiting for it. */
static inline void skip_pause(bench_t *bench)
{
    gc_moment_t next = publish_proxy_next(bench->publisher);

    assert_true(next > 0);
    publish_proxy_work(bench->publisher, next);
}

#define assert_posts(bench, told)                                                                  \
    assert_string_equal(keeper_stub_posts((bench)->stub, 0, (bench)->pool), (told))

/* Have an event fail, and the proxy take the next POST. */
static inline void fail_once(bench_t *bench, int status)
{
    keeper_stub_answer(bench->stub, status);
    add(bench, "a", 1);
    drain(bench);
    keeper_stub_answer(bench->stub, 200);
}

/* The keeper before this one left the watermark here, and a room or none. */
static inline void take_over(bench_t *bench, const char *room, apr_int64_t watermark)
{
    bench->last_message_id = watermark + 5;
    if (room) {
        publish_proxy_add_behind(bench->publisher, room, watermark);
    }
    publish_proxy_add_behind(bench->publisher, NULL, watermark);
}

#endif
