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

void stream_connections_init(stream_connections_t *crowd, server_rec *main, int epoll_fd, int loops,
                             const stream_connections_hooks_t *hooks)
{
    memset(crowd, 0, sizeof(*crowd));
    crowd->main = main;
    crowd->epoll_fd = epoll_fd;
    crowd->hooks = *hooks;
    crowd->busy.interval = FREE_PAUSE;
    crowd->lingering.interval = LINGER_TIME;
    crowd->dice = (apr_uint64_t)gc_clock_now();
    crowd->loops = loops;
    crowd->retry_spread_ms = RETRY_SPREAD_MS;
}

/* Watch a connection for its peer's end, and for room to write where that is missing; or for nothing. */
static void watch(stream_connections_t *crowd, stream_connection_t *held, int is_watched)
{
    unsigned events = held->state == STREAM_CONNECTION_FULL ? EPOLLRDHUP | EPOLLOUT : EPOLLRDHUP;
    int operation = !is_watched ? EPOLL_CTL_DEL : held->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    struct epoll_event event = {.events = events, .data.ptr = held};
    int failed;

    if (!is_watched && !held->is_watched) {
        return;
    }
    failed = epoll_ctl(crowd->epoll_fd, operation, held->fd, &event) != 0;
    held->is_watched = is_watched && !failed;
    /* When a child is stopped at once, event closes sockets that workers have just let go of. */
    if (failed && is_watched && errno != EBADF) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, crowd->main,
                     "GC0172: a stream's connection cannot be watched; it is ended");
    }
}

static stream_timeouts_t *idle_queue(stream_connections_t *crowd, apr_interval_time_t interval)
{
    int i;

    for (i = 0; i < crowd->idle_count; i++) {
        if (crowd->idle[i].interval == interval) {
            return &crowd->idle[i];
        }
    }
    if (crowd->idle_count < STREAM_CONNECTIONS_QUEUES) {
        crowd->idle[crowd->idle_count++].interval = interval;
    }
    return &crowd->idle[crowd->idle_count - 1];
}

void stream_connections_dismiss(stream_connections_t *crowd, stream_connection_t *held,
                                gc_moment_t now)
{
    held->state = STREAM_CONNECTION_GONE;
    watch(crowd, held, 0);
    stream_timeouts_put(&crowd->busy, held, now - FREE_PAUSE);
}

void stream_connections_settle(stream_connections_t *crowd, stream_connection_t *held,
                               stream_connection_state_e before, gc_moment_t now)
{
    if (held->state == STREAM_CONNECTION_GONE) {
        stream_connections_dismiss(crowd, held, now);
        return;
    }
    if ((held->state == STREAM_CONNECTION_FULL) != (before == STREAM_CONNECTION_FULL)) {
        watch(crowd, held, 1);
    }
    stream_room_note_full(held, held->state == STREAM_CONNECTION_FULL);
    stream_timeouts_put(idle_queue(crowd, held->site->keep_alive), held, now);
}

static void give_up(stream_connections_t *crowd, stream_connection_t *held)
{
    stream_timeouts_leave(held);
    watch(crowd, held, 0);
    crowd->hooks.give_up(held, crowd->hooks.baton);
}

static void end(stream_connections_t *crowd, stream_connection_t *held)
{
    char bytes[64];
    gc_buffer_t farewell = {bytes, 0, sizeof(bytes), NULL};

    crowd->dice =
        crowd->dice * APR_UINT64_C(6364136223846793005) + APR_UINT64_C(1442695040888963407);
    chat_sse_append_retry(&farewell,
                          RETRY_MIN_MS + (int)((crowd->dice >> 33) % (crowd->retry_spread_ms + 1)));
    crowd->count--;
    if (held->room) {
        crowd->hooks.left(held, crowd->hooks.baton);
    }
    stream_connection_part(held, gc_buffer_slice(&farewell));
    give_up(crowd, held);
}

void stream_connections_linger(stream_connections_t *crowd, stream_connection_t *held,
                               gc_moment_t now)
{
    if (!crowd->is_hurried) {
        watch(crowd, held, 1);
    }
    if (held->is_watched) {
        stream_timeouts_put(&crowd->lingering, held, now);
    }
    else {
        give_up(crowd, held);
    }
}

int stream_connections_take(stream_connections_t *crowd, stream_connection_t *held,
                            apr_thread_t *thread, gc_moment_t now)
{
    crowd->count++;
    stream_connection_prepare(held, thread);
    watch(crowd, held, 1);
    if (held->state != STREAM_CONNECTION_OPEN || !held->is_watched) {
        stream_connections_dismiss(crowd, held, now);
        return 0;
    }
    stream_timeouts_put(idle_queue(crowd, held->site->keep_alive), held, now);
    return 1;
}

void stream_connections_serve(stream_connections_t *crowd, stream_connection_t *held,
                              unsigned events, gc_moment_t now)
{
    if (held->state == STREAM_CONNECTION_LEAVING) {
        give_up(crowd, held);
    }
    else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        held->c->aborted = 1;
        stream_connections_dismiss(crowd, held, now);
    }
    else if (held->state == STREAM_CONNECTION_FULL) {
        stream_connection_resume(held);
        if (held->state == STREAM_CONNECTION_OPEN) {
            crowd->hooks.more(held, crowd->hooks.baton);
        }
        stream_connections_settle(crowd, held, STREAM_CONNECTION_FULL, now);
    }
}

void stream_connections_keep_alive(stream_connections_t *crowd, gc_moment_t now)
{
    static const char text[] = CONF_SITE_KEEP_ALIVE;
    int i;

    for (i = 0; i < crowd->idle_count; i++) {
        stream_connection_t *held;

        while ((held = stream_timeouts_due(&crowd->idle[i], now))) {
            stream_connection_state_e before = held->state;

            if (before == STREAM_CONNECTION_OPEN) {
                stream_connection_write_text(held, gc_slice(text, sizeof(text) - 1));
            }
            stream_connections_settle(crowd, held, before, now);
        }
    }
}

void stream_connections_end_due(stream_connections_t *crowd, gc_moment_t now)
{
    stream_connection_t *held;

    while ((held = stream_timeouts_due(&crowd->busy, now))) {
        if (stream_connection_is_free(held)) {
            end(crowd, held);
        }
        else {
            stream_timeouts_put(&crowd->busy, held, now);
        }
    }
    while ((held = stream_timeouts_due(&crowd->lingering, now))) {
        give_up(crowd, held);
    }
}

/* All are ended at once, so that only their times to come back keep them apart. */
static void hurry(stream_connections_t *crowd)
{
    apr_uint64_t spread_ms =
        (apr_uint64_t)crowd->count * (apr_uint64_t)crowd->loops * 1000 / DRAIN_RATE;

    if (!crowd->is_hurried && spread_ms > RETRY_SPREAD_MS) {
        crowd->retry_spread_ms =
            spread_ms < RETRY_SPREAD_MAX_MS ? (apr_uint32_t)spread_ms : RETRY_SPREAD_MAX_MS;
    }
    crowd->is_hurried = 1;
}

void stream_connections_drain(stream_connections_t *crowd, int is_hurried, gc_moment_t now)
{
    apr_interval_time_t each = APR_USEC_PER_SEC * crowd->loops / DRAIN_RATE;
    apr_interval_time_t pause = each > DRAIN_PAUSE ? each : DRAIN_PAUSE;
    int left = (int)(pause / each);
    int i;

    if (!is_hurried && crowd->drain_due > now) {
        return;
    }
    crowd->drain_due = now + pause;
    if (is_hurried) {
        hurry(crowd);
    }
    for (i = 0; i < crowd->idle_count; i++) {
        while (crowd->idle[i].first && (left-- > 0 || is_hurried)) {
            stream_connections_dismiss(crowd, crowd->idle[i].first, now);
        }
    }
    while (is_hurried && crowd->lingering.first) {
        give_up(crowd, crowd->lingering.first);
    }
}

gc_moment_t stream_connections_next(const stream_connections_t *crowd)
{
    gc_moment_t due = gc_clock_earlier(crowd->drain_due, stream_timeouts_next(&crowd->busy));
    int i;

    due = gc_clock_earlier(due, stream_timeouts_next(&crowd->lingering));
    for (i = 0; i < crowd->idle_count; i++) {
        due = gc_clock_earlier(due, stream_timeouts_next(&crowd->idle[i]));
    }
    return due;
}
