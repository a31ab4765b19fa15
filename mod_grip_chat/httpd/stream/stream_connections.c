#include "stream_connections.h"

#include <errno.h>
#include <sys/epoll.h>

#include "chat_sse.h"
#include "stream_room.h"

/* How long the peer of a stream that was ended may take to close its side. */
#define LINGER_TIME apr_time_from_sec(2)

/* How soon it is looked again whether a worker has let go of a connection. */
#define FREE_PAUSE apr_time_from_msec(2)

/* How many readers all loops of all children together send away in a second, so that no more come back in one. */
#define DRAIN_RATE 2000

/* How soon a loop that drains ends some more, at the soonest. */
#define DRAIN_PAUSE apr_time_from_msec(25)

/* A client comes back after a time of its own in this span; in a longer one if all are ended at once. */
#define RETRY_MIN_MS        250
#define RETRY_SPREAD_MS     1000
#define RETRY_SPREAD_MAX_MS 30000

void stream_connections_init(stream_connections_t *connections, server_rec *main, int epoll_fd,
                             int loops, const stream_connections_hooks_t *hooks)
{
    memset(connections, 0, sizeof(*connections));
    connections->main = main;
    connections->epoll_fd = epoll_fd;
    connections->hooks = *hooks;
    connections->busy.interval = FREE_PAUSE;
    connections->lingering.interval = LINGER_TIME;
    connections->dice = (apr_uint64_t)gc_clock_now();
    connections->loops = loops;
    connections->retry_spread_ms = RETRY_SPREAD_MS;
}

/* Watch a connection for its peer's end, and for room to write where that is missing; or for nothing. */
static void watch(stream_connections_t *connections, stream_connection_t *connection,
                  int is_watched)
{
    unsigned events =
        connection->state == STREAM_CONNECTION_FULL ? EPOLLRDHUP | EPOLLOUT : EPOLLRDHUP;
    int operation = !is_watched              ? EPOLL_CTL_DEL
                    : connection->is_watched ? EPOLL_CTL_MOD
                                             : EPOLL_CTL_ADD;
    struct epoll_event event = {.events = events, .data.ptr = connection};
    int failed;

    if (!is_watched && !connection->is_watched) {
        return;
    }
    failed = epoll_ctl(connections->epoll_fd, operation, connection->fd, &event) != 0;
    connection->is_watched = is_watched && !failed;
    /* When a child is stopped at once, event closes sockets that workers have just let go of. */
    if (failed && is_watched && errno != EBADF) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, connections->main,
                     "GC0172: a stream's connection cannot be watched; it is ended");
    }
}

static stream_timeouts_t *idle_timeouts(stream_connections_t *connections,
                                        apr_interval_time_t interval)
{
    int i;

    for (i = 0; i < connections->idle_count; i++) {
        if (connections->idle[i].interval == interval) {
            return &connections->idle[i];
        }
    }
    if (connections->idle_count < STREAM_CONNECTIONS_TIMEOUTS) {
        connections->idle[connections->idle_count++].interval = interval;
    }
    return &connections->idle[connections->idle_count - 1];
}

void stream_connections_dismiss(stream_connections_t *connections, stream_connection_t *connection,
                                gc_moment_t now)
{
    GC_ASSERT_OWNER(&connection->owner);
    GC_ASSERT(connection->state != STREAM_CONNECTION_LEAVING);
    connection->state = STREAM_CONNECTION_GONE;
    watch(connections, connection, 0);
    stream_timeouts_put(&connections->busy, &connection->timer, now - FREE_PAUSE);
}

void stream_connections_settle(stream_connections_t *connections, stream_connection_t *connection,
                               stream_connection_state_e before, gc_moment_t now)
{
    GC_ASSERT(connection->state != STREAM_CONNECTION_LEAVING && connection->room);
    if (connection->state == STREAM_CONNECTION_GONE) {
        stream_connections_dismiss(connections, connection, now);
        return;
    }
    if ((connection->state == STREAM_CONNECTION_FULL) != (before == STREAM_CONNECTION_FULL)) {
        watch(connections, connection, 1);
    }
    stream_room_note_full(connection, connection->state == STREAM_CONNECTION_FULL);
    stream_timeouts_put(idle_timeouts(connections, connection->site->settings.keep_alive),
                        &connection->timer, now);
}

static void give_up(stream_connections_t *connections, stream_connection_t *connection)
{
    stream_timeouts_leave(&connection->timer);
    watch(connections, connection, 0);
    connections->hooks.give_up(connection, connections->hooks.baton);
}

static void end(stream_connections_t *connections, stream_connection_t *connection)
{
    char bytes[64];
    gc_buffer_t farewell = {bytes, 0, sizeof(bytes), NULL};

    GC_ASSERT(connections->count > 0 && connection->state == STREAM_CONNECTION_GONE);
    connections->dice =
        connections->dice * APR_UINT64_C(6364136223846793005) + APR_UINT64_C(1442695040888963407);
    chat_sse_append_retry(&farewell, RETRY_MIN_MS + (int)((connections->dice >> 33) %
                                                          (connections->retry_spread_ms + 1)));
    connections->count--;
    if (connection->room) {
        connections->hooks.left(connection, connections->hooks.baton);
    }
    stream_connection_part(connection, gc_buffer_slice(&farewell));
    give_up(connections, connection);
}

void stream_connections_linger(stream_connections_t *connections, stream_connection_t *connection,
                               gc_moment_t now)
{
    GC_ASSERT(connection->state == STREAM_CONNECTION_LEAVING && !connection->r);
    gc_owner_take(&connection->owner);
    if (!connections->is_hurried) {
        watch(connections, connection, 1);
    }
    if (connection->is_watched) {
        stream_timeouts_put(&connections->lingering, &connection->timer, now);
    }
    else {
        give_up(connections, connection);
    }
}

int stream_connections_take(stream_connections_t *connections, stream_connection_t *connection,
                            apr_thread_t *thread, gc_moment_t now)
{
    connections->count++;
    stream_connection_prepare(connection, thread);
    watch(connections, connection, 1);
    if (connection->state != STREAM_CONNECTION_OPEN || !connection->is_watched) {
        stream_connections_dismiss(connections, connection, now);
        return 0;
    }
    stream_timeouts_put(idle_timeouts(connections, connection->site->settings.keep_alive),
                        &connection->timer, now);
    return 1;
}

void stream_connections_serve(stream_connections_t *connections, stream_connection_t *connection,
                              unsigned events, gc_moment_t now)
{
    if (connection->state == STREAM_CONNECTION_LEAVING) {
        give_up(connections, connection);
    }
    else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        connection->c->aborted = 1;
        stream_connections_dismiss(connections, connection, now);
    }
    else if (connection->state == STREAM_CONNECTION_FULL) {
        stream_connection_resume(connection);
        if (connection->state == STREAM_CONNECTION_OPEN) {
            connections->hooks.more(connection, connections->hooks.baton);
        }
        stream_connections_settle(connections, connection, STREAM_CONNECTION_FULL, now);
    }
}

void stream_connections_keep_alive(stream_connections_t *connections, gc_moment_t now)
{
    static const char text[] = CONF_SITE_KEEP_ALIVE;
    int i;

    for (i = 0; i < connections->idle_count; i++) {
        stream_connection_t *connection;

        while ((connection = stream_timeouts_due(&connections->idle[i], now))) {
            stream_connection_state_e before = connection->state;

            if (before == STREAM_CONNECTION_OPEN) {
                stream_connection_write_text(connection, gc_slice(text, sizeof(text) - 1));
            }
            stream_connections_settle(connections, connection, before, now);
        }
    }
}

void stream_connections_end_due(stream_connections_t *connections, gc_moment_t now)
{
    stream_connection_t *connection;

    while ((connection = stream_timeouts_due(&connections->busy, now))) {
        if (stream_connection_is_free(connection)) {
            end(connections, connection);
        }
        else {
            stream_timeouts_put(&connections->busy, &connection->timer, now);
        }
    }
    while ((connection = stream_timeouts_due(&connections->lingering, now))) {
        give_up(connections, connection);
    }
}

/* All are ended at once, so that only their times to come back keep them apart. */
static void hurry(stream_connections_t *connections)
{
    apr_uint64_t spread_ms =
        (apr_uint64_t)connections->count * (apr_uint64_t)connections->loops * 1000 / DRAIN_RATE;

    if (!connections->is_hurried && spread_ms > RETRY_SPREAD_MS) {
        connections->retry_spread_ms =
            spread_ms < RETRY_SPREAD_MAX_MS ? (apr_uint32_t)spread_ms : RETRY_SPREAD_MAX_MS;
    }
    connections->is_hurried = 1;
}

void stream_connections_drain(stream_connections_t *connections, int is_hurried, gc_moment_t now)
{
    stream_connection_t *connection;
    apr_interval_time_t each = APR_USEC_PER_SEC * connections->loops / DRAIN_RATE;
    apr_interval_time_t pause = each > DRAIN_PAUSE ? each : DRAIN_PAUSE;
    int left = (int)(pause / each);
    int i;

    if (!is_hurried && connections->drain_due > now) {
        return;
    }
    connections->drain_due = now + pause;
    if (is_hurried) {
        hurry(connections);
    }
    for (i = 0; i < connections->idle_count; i++) {
        while ((connection = stream_timeouts_first(&connections->idle[i])) &&
               (left-- > 0 || is_hurried)) {
            stream_connections_dismiss(connections, connection, now);
        }
    }
    while (is_hurried && (connection = stream_timeouts_first(&connections->lingering))) {
        give_up(connections, connection);
    }
}

gc_moment_t stream_connections_next(const stream_connections_t *connections)
{
    gc_moment_t due =
        gc_clock_earlier(connections->drain_due, stream_timeouts_next(&connections->busy));
    int i;

    due = gc_clock_earlier(due, stream_timeouts_next(&connections->lingering));
    for (i = 0; i < connections->idle_count; i++) {
        due = gc_clock_earlier(due, stream_timeouts_next(&connections->idle[i]));
    }
    return due;
}
