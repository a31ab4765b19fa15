#include "publish_proxy.h"

#include "publish_pace.h"
#include "publish_post.h"

publish_proxy_t *publish_proxy_create(const keeper_config_t *config, const ipc_site_t *site,
                                      apr_size_t proxy, grip_transport_t *transport,
                                      apr_pool_t *pool)
{
    publish_proxy_t *publisher = apr_pcalloc(pool, sizeof(*publisher));

    gc_owner_take(&publisher->owner);
    publisher->config = config;
    publisher->site = site;
    publisher->proxy = site->proxies[proxy];
    publisher->number = proxy;
    publisher->transport = transport;
    publish_backoff_reset(&publisher->backoff);
    publisher->trouble.log = config->log;
    publisher->trouble.proxy = publisher->proxy->log_uri;
    if (publish_rooms_init(&publisher->rooms, site, config->shared, pool) != APR_SUCCESS ||
        apr_pool_create(&publisher->scratch, pool) != APR_SUCCESS)
    {
        return NULL;
    }
    return publisher;
}

/* Find a room, or make it; tell where others had to be forgotten for it. */
static publish_room_t *get_room(publish_proxy_t *publisher, const char *name)
{
    gc_moment_t now = gc_clock_now();
    publish_room_t *room = publish_rooms_get(&publisher->rooms, name, now);

    if (publisher->rooms.forgotten) {
        publish_log_forgotten(&publisher->trouble, publisher->rooms.forgotten, now);
        publisher->rooms.forgotten = 0;
    }
    return room;
}

void publish_proxy_add(publish_proxy_t *publisher, const char *name, const chat_event_t *event,
                       gc_slice_t text)
{
    publish_room_t *room;

    GC_ASSERT_OWNER(&publisher->owner);
    room = get_room(publisher, name);
    if (event->id > publisher->newest_id) {
        publisher->newest_id = event->id;
    }
    if (!room) {
        return; /* the room's readers find out at its next event */
    }
    if (!room->unpublished_id || event->id < room->unpublished_id) {
        room->unpublished_id = event->id;
    }
    room->has_news = 1;
    if ((publisher->has_failed && !publisher->keeps_items) ||
        publisher->pending_bytes + text.len > PUBLISH_PROXY_PENDING_BYTES ||
        publish_room_add(room, event->id, event->position, text, publisher->site->item_bytes) !=
            APR_SUCCESS)
    {
        publish_post_make_dirty(publisher, room);
        return;
    }
    publisher->pending_bytes += text.len;
    publish_post_tell_waiting(publisher, room);
    publish_rooms_schedule(&publisher->rooms, room, gc_clock_now());
}

void publish_proxy_add_behind(publish_proxy_t *publisher, const char *name, apr_int64_t watermark)
{
    if (name) {
        publish_room_t *room = get_room(publisher, name);

        if (room) {
            room->unpublished_id = watermark + 1;
            room->has_news = 1;
            publish_rooms_set_dirty(&publisher->rooms, room);
        }
        return;
    }
    publisher->has_watermark = 1;
    publisher->kept_watermark = watermark;
    publisher->newest_id = watermark; /* before any event of this file, which may be another */
}

/* When the next POST may go: what gathers until then, in all rooms, shares it. */
static gc_moment_t next_post(const publish_proxy_t *publisher)
{
    return publish_pace_due(publisher->paced_until, publisher->site->post_interval,
                            PUBLISH_PROXY_POST_BURST);
}

/* Whether there is something to send now. */
static int has_work(const publish_proxy_t *publisher, gc_moment_t now)
{
    return !APR_RING_EMPTY(&publisher->rooms.queue, publish_room_t, queue) ||
           publish_rooms_next_hint(&publisher->rooms, now);
}

void publish_proxy_work(publish_proxy_t *publisher, gc_moment_t now)
{
    publish_rooms_wake(&publisher->rooms, now);
    if (publisher->has_failed && publisher->keeps_items &&
        publisher->failed_since + PUBLISH_PROXY_KEPT <= now)
    {
        publish_post_lose_all(publisher);
    }
    if (!publisher->is_posting && has_work(publisher, now) && next_post(publisher) <= now &&
        (!publisher->has_failed || publisher->try_after <= now))
    {
        publish_post_start(publisher, now);
    }
}

gc_moment_t publish_proxy_next(const publish_proxy_t *publisher)
{
    int is_queued = !APR_RING_EMPTY(&publisher->rooms.queue, publish_room_t, queue);
    gc_moment_t next = publish_rooms_next(&publisher->rooms);
    gc_moment_t due = is_queued ? 1 : publish_rooms_hint_due(&publisher->rooms);

    if (publisher->has_failed && publisher->keeps_items) {
        next = gc_clock_earlier(next, publisher->failed_since + PUBLISH_PROXY_KEPT);
    }
    if (publisher->is_posting || !due) {
        return next;
    }
    due = next_post(publisher) > due ? next_post(publisher) : due;
    if (publisher->has_failed && publisher->try_after > due) {
        due = publisher->try_after;
    }
    return gc_clock_earlier(next, due > 1 ? due : gc_clock_now());
}

int publish_proxy_is_drained(const publish_proxy_t *publisher)
{
    return !publisher->is_posting &&
           (publisher->has_failed || !has_work(publisher, gc_clock_now()));
}

int publish_proxy_progress(publish_proxy_t *publisher, apr_int64_t *watermark)
{
    apr_int64_t reached = publisher->newest_id;

    if (!publisher->has_watermark) {
        return 0;
    }
    reached = publish_rooms_reached(&publisher->rooms, reached);
    if (reached == publisher->kept_watermark) {
        return 0;
    }
    publisher->kept_watermark = reached;
    *watermark = reached;
    return 1;
}
