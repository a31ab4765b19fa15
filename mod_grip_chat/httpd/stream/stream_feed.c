#include "stream_feed.h"

/* How often rooms are looked at whose moves are not told, or that could not be read. */
#define LOOK_PERIOD apr_time_from_sec(1)

static void look_at(stream_feed_t *feed, stream_room_t *room)
{
    if (stream_room_is_loading(room)) {
        room->is_stale = 1;
    }
    else {
        stream_room_drop_fresh(room); /* the loader brings it as well */
        stream_loader_push(feed->loader, stream_room_begin_load(room));
    }
}

static void log_trouble(const stream_feed_t *feed, const stream_room_t *room, apr_status_t status)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, status, feed->main,
                 "GC0173: new events cannot be read, of the room '%s' to begin with; streams wait "
                 "for them",
                 room->name);
}

/* The first failure is logged, and the end of the last one. Rooms that go well meanwhile change neither. */
static void begin_trouble(stream_feed_t *feed, int *has_failed, const stream_room_t *room,
                          apr_status_t status)
{
    if (!*has_failed) {
        *has_failed = 1;
        if (feed->troubles++ == 0) {
            log_trouble(feed, room, status);
        }
    }
}

static void end_trouble(stream_feed_t *feed, int *has_failed)
{
    if (*has_failed) {
        *has_failed = 0;
        if (--feed->troubles == 0) {
            ap_log_error(APLOG_MARK, APLOG_NOTICE | APLOG_NOERRNO, 0, feed->main,
                         "GC0186: new events can be read again, or no reader waits for them any "
                         "more");
        }
    }
}

static void drop_room_if_empty(stream_feed_t *feed, stream_room_t *room)
{
    unsigned slot = room->slot;

    if (room->first || stream_room_is_loading(room) || room->is_due || room->backlogs > 0) {
        return;
    }
    end_trouble(feed, &room->has_failed);
    if (stream_rooms_remove(&feed->rooms, room)) {
        ipc_subscription_want(feed->subscription, slot, 0);
    }
}

apr_status_t stream_feed_init(stream_feed_t *feed, apr_pool_t *pool)
{
    feed->look_due = 1;
    stream_backlogs_init(&feed->failed);
    return stream_delivery_init(&feed->delivery, pool);
}

/* Have the next page read for a reader that is behind, if its connection takes something. */
static void ask_page(stream_feed_t *feed, stream_connection_t *connection)
{
    int is_crowded = chat_account_bytes(feed->delivery.account) > STREAM_DELIVERY_BYTES;
    stream_backlog_t *backlog;

    if (connection->backlog || connection->state != STREAM_CONNECTION_OPEN) {
        return;
    }
    backlog = stream_backlog_make(connection,
                                  is_crowded ? STREAM_BACKLOG_LEAST_BYTES : STREAM_BACKLOG_BYTES);
    if (backlog) {
        stream_loader_push_page(feed->loader, backlog);
    }
    else {
        connection->state = STREAM_CONNECTION_GONE;
    }
}

void stream_feed_left(stream_feed_t *feed, stream_connection_t *connection)
{
    stream_room_t *room = connection->room;

    stream_backlog_leave(connection);
    stream_room_leave(connection);
    drop_room_if_empty(feed, room);
}

static void settle_after_delivery(stream_connection_t *connection, stream_connection_state_e before,
                                  void *baton)
{
    stream_feed_t *feed = baton;

    if (connection->is_behind) {
        ask_page(feed, connection);
    }
    stream_connections_settle(feed->connections, connection, before, feed->delivery.now);
}

void stream_feed_more(stream_feed_t *feed, stream_connection_t *connection)
{
    if (stream_delivery_go_on(connection)) {
        return;
    }
    if (connection->is_behind) {
        ask_page(feed, connection);
    }
    else {
        look_at(feed, connection->room);
    }
}

void stream_feed_enter(stream_feed_t *feed, stream_connection_t *connection, gc_moment_t now)
{
    int is_new_slot;
    stream_room_t *room =
        stream_rooms_get(&feed->rooms, connection->site, connection->room_name, &is_new_slot);

    if (!room) {
        stream_connections_dismiss(feed->connections, connection, now);
        return;
    }
    stream_room_enter(room, connection);
    if (is_new_slot) {
        ipc_subscription_want(feed->subscription, room->slot, 1);
    }
    /* It was answered a moment ago, and something may have been stored since. */
    look_at(feed, room);
}

static void take_load(stream_feed_t *feed, stream_load_t *load, gc_moment_t now)
{
    stream_room_t *room = load->room;
    int is_stale = room->is_stale || (room->expected > 0 && room->expected > load->to);

    stream_room_end_load(load);
    room->is_stale = 0;
    room->expected = 0;
    if (load->status == APR_SUCCESS) {
        end_trouble(feed, &room->has_failed);
        room->version = load->version;
        feed->delivery.now = now;
        is_stale |= stream_delivery_give(&feed->delivery, load, settle_after_delivery, feed);
        room->is_read = 1;
        chat_snapshot_release(load->snapshot);
    }
    else {
        begin_trouble(feed, &room->has_failed, room, load->status);
    }
    if (!room->first) {
        drop_room_if_empty(feed, room);
    }
    else if (is_stale && !room->has_failed) {
        look_at(feed, room);
    }
}

/* Give a reader that is behind its page, and have the next one read, or the room if there is
 * none. */
static void give_page(stream_feed_t *feed, stream_backlog_t *backlog, gc_moment_t now)
{
    stream_connection_t *connection = backlog->connection;
    stream_connection_state_e before = connection->state;

    if (before != STREAM_CONNECTION_OPEN) {
        stream_backlog_free(backlog); /* it is asked for again when the connection has room */
        return;
    }
    stream_delivery_give_page(&feed->delivery, backlog);
    stream_backlog_free(backlog);
    if (connection->is_behind) {
        ask_page(feed, connection);
    }
    else {
        /* As if it had just come: something may have been stored since. */
        connection->first_load = connection->room->loads + 1;
        look_at(feed, connection->room);
    }
    stream_connections_settle(feed->connections, connection, before, now);
}

static void take_page(stream_feed_t *feed, stream_backlog_t *backlog, gc_moment_t now)
{
    stream_room_t *room = backlog->room;

    if (!backlog->connection) {
        end_trouble(feed, &backlog->has_failed);
        stream_backlog_free(backlog);
        drop_room_if_empty(feed, room);
    }
    else if (backlog->is_unfit) {
        /* For good: it is logged once for the room. */
        if (!room->is_unfit) {
            room->is_unfit = 1;
            log_trouble(feed, room, backlog->status);
        }
        end_trouble(feed, &backlog->has_failed);
        stream_backlogs_put(&feed->failed, backlog);
    }
    else if (backlog->status != APR_SUCCESS) {
        begin_trouble(feed, &backlog->has_failed, room, backlog->status);
        stream_backlogs_put(&feed->failed, backlog);
    }
    else {
        end_trouble(feed, &backlog->has_failed);
        give_page(feed, backlog, now);
    }
}

void stream_feed_take_loaded(stream_feed_t *feed, gc_moment_t now)
{
    stream_load_t *load;
    stream_backlog_t *backlogs;

    while ((load = stream_loader_take(feed->loader))) {
        take_load(feed, load, now);
    }
    backlogs = stream_loader_take_pages(feed->loader);
    while (backlogs) {
        stream_backlog_t *backlog = backlogs;

        backlogs = backlog->next;
        take_page(feed, backlog, now);
    }
}

/* Try again the rooms and pages that could not be read. */
static void retry_pages(stream_feed_t *feed)
{
    stream_backlogs_t failed = feed->failed;
    stream_backlog_t *backlog;

    if (failed.end == &feed->failed.first) {
        return;
    }
    stream_backlogs_init(&feed->failed);
    while ((backlog = stream_backlogs_take(&failed))) {
        stream_loader_push_page(feed->loader, backlog);
    }
}

/* Look at a room if it has changed since it was read last. */
static void look_if_moved(stream_feed_t *feed, stream_room_t *room)
{
    ipc_version_t now =
        ipc_shared_version(feed->shared, room->site->keeper.database_number, room->slot);

    if (stream_room_is_loading(room) || !room->is_read || room->has_failed ||
        room->version.epoch != now.epoch || room->version.generation != now.generation)
    {
        look_at(feed, room);
    }
}

void stream_feed_moved(stream_feed_t *feed, unsigned slot)
{
    stream_room_t *room;

    for (room = feed->rooms.by_slot[slot]; room; room = room->chain) {
        look_if_moved(feed, room);
    }
}

void stream_feed_stored(stream_feed_t *feed, unsigned slot, const ipc_notice_t *notice)
{
    stream_room_t *room;

    for (room = feed->rooms.by_slot[slot]; room; room = room->chain) {
        if (strcmp(room->name, notice->room) != 0 ||
            strcmp(room->site->keeper.identity, notice->site) != 0) {
            continue;
        }
        if (!stream_room_take(room, notice)) {
            look_at(feed, room);
        }
        else if (room->fresh.len > 0 && !room->is_due) {
            room->is_due = 1;
            room->due = feed->due;
            feed->due = room;
        }
    }
}

static void give_fresh(stream_feed_t *feed, stream_room_t *room)
{
    if (!stream_room_cut_fresh(room, feed->delivery.account) ||
        stream_delivery_give(&feed->delivery, room->load, settle_after_delivery, feed))
    {
        look_at(feed, room);
    }
}

void stream_feed_give_fresh(stream_feed_t *feed, gc_moment_t now)
{
    stream_room_t *room;

    feed->delivery.now = now;
    while ((room = feed->due)) {
        feed->due = room->due;
        room->is_due = 0;
        if (room->fresh.len > 0) {
            give_fresh(feed, room);
        }
        drop_room_if_empty(feed, room);
    }
}

void stream_feed_look_around(stream_feed_t *feed, gc_moment_t now)
{
    apr_uint64_t epochs = ipc_shared_epochs(feed->shared);
    int is_anything = epochs != feed->epochs || !ipc_subscription_is_told(feed->subscription);
    stream_room_t *room;

    feed->look_due = now + LOOK_PERIOD;
    feed->epochs = epochs;
    for (room = feed->rooms.first; room; room = room->next) {
        if (is_anything || room->has_failed) {
            look_if_moved(feed, room);
        }
    }
    retry_pages(feed);
}
