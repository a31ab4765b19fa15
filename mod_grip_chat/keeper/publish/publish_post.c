#include "publish_post.h"

#include "gc_assert.h"
#include "gc_buffer.h"
#include "grip_item.h"
#include "publish_pace.h"

/* A POST of this many items was taken: there is no refused one to be found any more. */
#define ITEMS_UNLIMITED 1000

static void drop_items(publish_proxy_t *publisher, publish_room_t *room)
{
    GC_ASSERT(publisher->pending_bytes >= room->pending_bytes);
    publisher->pending_bytes -= publish_room_drop_all(room);
}

void publish_post_tell_waiting(const publish_proxy_t *publisher, publish_room_t *room)
{
    apr_int64_t after = room->first ? room->first->prev_id : IPC_SHARED_NOTHING;

    if (after != room->told_waiting) {
        room->told_waiting = after;
        ipc_shared_set_waiting(publisher->config->shared, room->tag, publisher->number, after,
                               gc_clock_now());
    }
}

void publish_post_make_dirty(publish_proxy_t *publisher, publish_room_t *room)
{
    drop_items(publisher, room);
    publish_post_tell_waiting(publisher, room);
    if (room->is_queued) {
        publish_rooms_dequeue(room);
    }
    publish_rooms_set_dirty(&publisher->rooms, room);
}

/* Whether one more item may go into the POST: after a refusal they are fewer. */
static int has_place_for(const publish_proxy_t *publisher, const gc_buffer_t *body,
                         const gc_buffer_t *item)
{
    return (publisher->items_max == 0 || publisher->items < publisher->items_max) &&
           grip_item_body_size_with(body, gc_buffer_slice(item)) <= GRIP_ITEM_BODY_MAX_BYTES;
}

/* Add as much as fits to the body; returns whether all of the room did. */
static int compose_room(publish_proxy_t *publisher, publish_room_t *room, gc_buffer_t *body,
                        gc_moment_t now)
{
    gc_slice_t channel = gc_slice_of(room->channel);

    if (room->is_dirty && publish_rooms_may_hint(&publisher->rooms, now)) {
        gc_buffer_t hint = gc_buffer_make(256, publisher->scratch);

        if (grip_item_append_hint(&hint, channel) != APR_SUCCESS ||
            !has_place_for(publisher, body, &hint)) {
            return 0;
        }
        grip_item_body_add(body, gc_buffer_slice(&hint));
        publish_rooms_mark_sending(&publisher->rooms, room, 0, now);
        publisher->items++;
        publish_rooms_spend_hint(&publisher->rooms, room, now);
        room->is_hint_sent = 1;
    }
    while (room->first && room->is_queued) { /* one that rests has its hint only */
        publish_item_t *item = room->first;
        gc_slice_t content = gc_slice(item->content, item->len);
        gc_buffer_t json = gc_buffer_make(item->len + item->len / 4 + 256, publisher->scratch);

        if (grip_item_append_events(&json, channel, item->id, item->prev_id, &content, 1,
                                    publisher->scratch) != APR_SUCCESS ||
            !has_place_for(publisher, body, &json))
        {
            return 0;
        }
        grip_item_body_add(body, gc_buffer_slice(&json));
        publish_rooms_mark_sending(&publisher->rooms, room, 1, now);
        publisher->items++;
        publish_room_send_first(room);
        publish_post_tell_waiting(publisher, room);
    }
    return 1;
}

/* After its POST was taken: keep the rest of a room, and decide when it needs a hint. */
static void settle_published(publish_proxy_t *publisher, publish_room_t *room, gc_moment_t now)
{
    apr_int64_t unpublished_id =
        room->sent_last ? room->sent_last->first_message_id : room->unpublished_id;
    apr_size_t sent = publish_room_drop_sent(room);

    publisher->pending_bytes -= sent;
    room->is_hint_sent = 0;
    room->refusals = 0;
    if (!room->is_dirty) {
        room->unpublished_id = room->first ? room->first->first_message_id : 0;
    }
    publish_rooms_set_hint(&publisher->rooms, room, 0);
    if (room->has_news && publish_rooms_may_miss(&publisher->rooms, room, publisher->posted)) {
        publish_rooms_set_hint(&publisher->rooms, room, now + PUBLISH_PROXY_HINT_DELAY);
        if (!room->is_dirty) {
            /* Should this keeper end before, the hint is up to the next one. */
            room->unpublished_id = unpublished_id;
        }
    }
    room->has_news = room->first != NULL;
    publish_rooms_forget_if_idle(&publisher->rooms, room, now);
}

static void succeed(publish_proxy_t *publisher, gc_moment_t now)
{
    publish_room_t *room;

    if (publisher->has_failed) {
        publisher->has_failed = 0;
        publish_log_end(&publisher->trouble);
    }
    publish_backoff_reset(&publisher->backoff);
    publisher->items_max *= 2;
    if (publisher->items_max > ITEMS_UNLIMITED) {
        publisher->items_max = 0;
    }
    while ((room = publish_rooms_pop_sending(&publisher->rooms))) {
        settle_published(publisher, room, now);
    }
}

/* Nothing of the POST was taken: its items go again, before all else. */
static void take_back(publish_proxy_t *publisher)
{
    publish_room_t *room;

    while ((room = publish_rooms_pop_sending(&publisher->rooms))) {
        publish_room_take_back(room);
        publish_post_tell_waiting(publisher, room);
        publish_rooms_return_hint(&publisher->rooms, room);
        if (room->first) {
            publish_rooms_enqueue_first(&publisher->rooms, room);
        }
    }
}

void publish_post_lose_all(publish_proxy_t *publisher)
{
    publish_room_t *room;
    publish_room_t *next;

    publisher->keeps_items = 0;
    APR_RING_FOREACH_SAFE(room, next, &publisher->rooms.queue, publish_room_t, queue)
    {
        if (!room->is_sending) {
            publish_post_make_dirty(publisher, room);
        }
    }
    APR_RING_FOREACH_SAFE(room, next, &publisher->rooms.resting, publish_room_t, resting)
    {
        if (room->first && !room->is_sending) {
            publish_post_make_dirty(publisher, room);
        }
    }
}

static void give_up(publish_proxy_t *publisher, const grip_transport_result_t *result,
                    gc_moment_t now)
{
    apr_interval_time_t pause;
    publish_room_t *room;
    unsigned char jitter = 127;

    /* Without entropy all keepers wait equally long. */
    (void)grip_crypto_random(&jitter, 1);
    pause = publish_backoff_next(&publisher->backoff, result, jitter);
    publish_log_failure(&publisher->trouble, result, pause);
    publisher->try_after = now + pause;
    if (!publisher->has_failed) {
        publisher->has_failed = 1;
        publisher->failed_since = now;
        publisher->keeps_items = 1;
    }
    if (publisher->keeps_items && result->outcome == GRIP_TRANSPORT_NOT_SENT &&
        now < publisher->failed_since + PUBLISH_PROXY_KEPT)
    {
        take_back(publisher);
        return;
    }
    while ((room = publish_rooms_pop_sending(&publisher->rooms))) {
        publish_rooms_return_hint(&publisher->rooms, room);
        publish_post_make_dirty(publisher, room);
    }
    publish_post_lose_all(publisher);
}

/* The proxy understood the POST and wants none of it, so one of its items is at fault. The items
 * go again in halves, until that item is alone. */
static void halve(publish_proxy_t *publisher)
{
    publisher->items_max = publisher->items / 2;
    take_back(publisher);
}

/* It is alone: drop it, and let its readers ask. A refused hint is tried again later: the proxy may refuse all
 * that it gets, for a while. */
static void drop_refused(publish_proxy_t *publisher, const grip_transport_result_t *result,
                         gc_moment_t now)
{
    publish_room_t *room = publish_rooms_pop_sending(&publisher->rooms);
    apr_size_t sent = publish_room_drop_sent(room);

    publisher->has_failed = 0; /* it is up, and answers */
    publish_log_forget(&publisher->trouble);
    publisher->pending_bytes -= sent;
    room->is_hint_sent = 0;

    publish_log_refused(&publisher->trouble, room->channel, result, now);
    if (sent) {
        publish_rooms_set_dirty(&publisher->rooms, room);
        return;
    }
    publish_rooms_refuse_hint(&publisher->rooms, room, now);
    publish_rooms_forget_if_idle(&publisher->rooms, room, now);
}

static void post_done(const grip_transport_result_t *result, void *baton)
{
    publish_proxy_t *publisher = baton;
    gc_moment_t now = gc_clock_now();

    GC_ASSERT(publisher->is_posting && publisher->items > 0);
    publisher->is_posting = 0;
    if (result->outcome == GRIP_TRANSPORT_ANSWERED && result->http_status >= 200 &&
        result->http_status < 300)
    {
        succeed(publisher, now);
    }
    else if (publish_backoff_is_refusal(result) && publisher->items > 1) {
        halve(publisher);
    }
    else if (publish_backoff_is_refusal(result)) {
        drop_refused(publisher, result, now);
    }
    else {
        give_up(publisher, result, now);
    }
}

/* An item that no body has room for cannot be told; log it, and hint instead. */
static void skip_unsendable(publish_proxy_t *publisher, publish_room_t *room)
{
    gc_log_line(publisher->config->log, GC_LOG_ERR, APR_SUCCESS,
                "GC0303: an event of %" APR_SIZE_T_FMT
                " bytes does not fit into a publish; readers "
                "of its room are told to ask for it",
                room->first->len);
    publish_post_make_dirty(publisher, room);
}

/* Add as much as fits to the body: hints by their pace, each with its room's events, then
 * events. */
static void compose(publish_proxy_t *publisher, gc_buffer_t *body, gc_moment_t now)
{
    publish_room_t *room;

    while ((room = publish_rooms_next_hint(&publisher->rooms, now))) {
        if (!compose_room(publisher, room, body, now)) {
            if (room->is_dirty) {
                return; /* the body is full */
            }
            continue;
        }
        if (room->is_queued) {
            publish_rooms_dequeue(room);
        }
    }
    while (!APR_RING_EMPTY(&publisher->rooms.queue, publish_room_t, queue)) {
        room = APR_RING_FIRST(&publisher->rooms.queue);
        if (compose_room(publisher, room, body, now)) {
            publish_rooms_dequeue(room);
        }
        else if (!APR_RING_EMPTY(&publisher->rooms.sending, publish_room_t, sending)) {
            break; /* the body is full */
        }
        else {
            skip_unsendable(publisher, room);
        }
    }
}

void publish_post_start(publish_proxy_t *publisher, gc_moment_t now)
{
    gc_buffer_t body;
    grip_transport_result_t failure = {
        GRIP_TRANSPORT_NOT_SENT, APR_EGENERAL, 0, -1, -1, "the POST could not be started", ""};

    GC_ASSERT(!publisher->is_posting);
    publisher->items = 0;
    apr_pool_clear(publisher->scratch);
    body = gc_buffer_make(16 * 1024, publisher->scratch);
    grip_item_body_begin(&body);
    compose(publisher, &body, now);
    if (APR_RING_EMPTY(&publisher->rooms.sending, publish_room_t, sending)) {
        return;
    }
    grip_item_body_end(&body);
    publisher->paced_until =
        publish_pace_spend(publisher->paced_until, publisher->site->post_interval, now);
    failure.rv =
        grip_transport_post(publisher->transport, NULL, publisher->proxy, gc_buffer_slice(&body),
                            PUBLISH_PROXY_TIMEOUT, post_done, publisher);
    if (failure.rv == APR_SUCCESS) {
        publisher->is_posting = 1;
        publisher->posted = now;
    }
    else {
        give_up(publisher, &failure, now);
    }
}
