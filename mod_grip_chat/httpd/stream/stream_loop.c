#include "stream_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <apr_thread_proc.h>

#include "gc_lock.h"
#include "gc_pool.h"
#include "stream_ender.h"
#include "stream_feed.h"

/* Descriptors that one wait tells of. */
#define READY_MAX 512

typedef enum drain_e { DRAIN_NOT, DRAIN_GRACEFUL, DRAIN_AT_ONCE } drain_e;

struct stream_loop_t {
    stream_loop_spec_t spec;
    apr_pool_t *pool;     /* of its own */
    apr_thread_t *thread; /* belongs to the thread that starts and joins it */
    int epoll_fd;
    int wake_fd;
    apr_uint32_t is_woken;     /* atomic: a wake is under way */
    apr_thread_mutex_t *mutex; /* guards the next fields, up to must_end */
    stream_connection_t *arrived;
    drain_e drain;
    int must_end;
    /* the next fields belong to the thread */
    apr_thread_t *self;
    gc_owner_t owner; /* the thread, once it runs */
    stream_ender_t *ender;
    stream_feed_t feed;
    stream_connections_t connections;
    drain_e draining; /* drain, as the thread knows it */
};

/* --- from any thread -------------------------------------------------------------------------------- */

static void wake(void *baton)
{
    stream_loop_t *loop = baton;

    if (!__atomic_exchange_n(&loop->is_woken, 1, __ATOMIC_SEQ_CST)) {
        apr_uint64_t one = 1;
        ssize_t written = write(loop->wake_fd, &one, sizeof(one));

        (void)written; /* a full counter wakes as well */
    }
}

void stream_loop_adopt(stream_loop_t *loop, stream_connection_t *connection)
{
    gc_lock_enter(loop->mutex);
    connection->next = loop->arrived;
    loop->arrived = connection;
    gc_lock_leave(loop->mutex);
    wake(loop);
}

void stream_loop_drain(stream_loop_t *loop, int is_graceful)
{
    gc_lock_enter(loop->mutex);
    loop->drain = is_graceful ? DRAIN_GRACEFUL : DRAIN_AT_ONCE;
    gc_lock_leave(loop->mutex);
    wake(loop);
}

/* --- in the thread ----------------------------------------------------------------------------------- */

static apr_status_t control(const stream_loop_t *loop, int operation, int fd, unsigned events,
                            void *object)
{
    struct epoll_event event = {.events = events, .data.ptr = object};

    return epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0 ? APR_SUCCESS : errno;
}

static void wait_for_keeper(int fd, int want_write, void *baton)
{
    stream_loop_t *loop = baton;
    unsigned events = EPOLLIN | (want_write ? EPOLLOUT : 0u);
    apr_status_t rv = control(loop, EPOLL_CTL_MOD, fd, events, &loop->feed.subscription);

    if (rv != APR_SUCCESS) { /* a closed descriptor is not in the set any more */
        rv = control(loop, EPOLL_CTL_ADD, fd, events, &loop->feed.subscription);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, loop->spec.main,
                     "GC0174: the keeper's notices cannot be watched; streams are late");
    }
}

static void room_again(stream_connection_t *connection, void *baton)
{
    stream_loop_t *loop = baton;

    GC_ASSERT_OWNER(&loop->owner);
    stream_feed_more(&loop->feed, connection);
}

static void left(stream_connection_t *connection, void *baton)
{
    stream_loop_t *loop = baton;

    stream_feed_left(&loop->feed, connection);
}

static void give_up(stream_connection_t *connection, void *baton)
{
    stream_loop_t *loop = baton;

    GC_ASSERT_OWNER(&loop->owner);
    stream_ender_give(loop->ender, connection);
}

static void slot_moved(unsigned slot, void *baton)
{
    stream_loop_t *loop = baton;

    stream_feed_moved(&loop->feed, slot);
}

static void event_stored(unsigned slot, const ipc_notice_t *notice, void *baton)
{
    stream_loop_t *loop = baton;

    GC_ASSERT_OWNER(&loop->owner);
    stream_feed_stored(&loop->feed, slot, notice);
}

/* How long nothing is due, in milliseconds. */
static int next_timeout(const stream_loop_t *loop, gc_moment_t now)
{
    gc_moment_t due =
        gc_clock_earlier(loop->feed.look_due, ipc_subscription_due(loop->feed.subscription));

    due = gc_clock_earlier(due, stream_connections_next(&loop->connections));
    return due > now ? (int)((due - now + 999) / 1000) : 0;
}

/* --- the thread ------------------------------------------------------------------------------------- */

static void dispatch(stream_loop_t *loop, const struct epoll_event *event, gc_moment_t now)
{
    apr_uint64_t count;
    ssize_t got;

    if (event->data.ptr == &loop->wake_fd) {
        got = read(loop->wake_fd, &count, sizeof(count));
        (void)got; /* it tells nothing but that there is something */
        __atomic_store_n(&loop->is_woken, 0, __ATOMIC_SEQ_CST);
    }
    else if (event->data.ptr == &loop->feed.subscription) {
        ipc_subscription_ready(loop->feed.subscription);
    }
    else {
        stream_connections_serve(&loop->connections, event->data.ptr, event->events, now);
    }
}

/* Take the orders and connections that other threads have left. @return whether to end */
static int take_messages(stream_loop_t *loop, gc_moment_t now)
{
    stream_connection_t *arrived;
    stream_connection_t *ended;
    int must_end;

    GC_ASSERT_OWNER(&loop->owner);
    gc_lock_enter(loop->mutex);
    arrived = loop->arrived;
    loop->arrived = NULL;
    loop->draining = loop->drain;
    must_end = loop->must_end;
    gc_lock_leave(loop->mutex);
    while (arrived) {
        stream_connection_t *next = arrived->next;

        if (stream_connections_take(&loop->connections, arrived, loop->self, now)) {
            stream_feed_enter(&loop->feed, arrived, now);
        }
        arrived = next;
    }
    ended = stream_ender_take(loop->ender);
    while (ended) {
        stream_connection_t *next = ended->next;

        stream_connections_linger(&loop->connections, ended, now);
        ended = next;
    }
    stream_feed_take_loaded(&loop->feed, now);
    return must_end;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    stream_loop_t *loop = data;
    struct epoll_event ready[READY_MAX];
    gc_moment_t now = gc_clock_now();
    int must_end = 0;

    loop->self = thread;
    gc_owner_take(&loop->owner);
    while (!must_end) {
        int count = epoll_wait(loop->epoll_fd, ready, READY_MAX, next_timeout(loop, now));
        int i;

        now = gc_clock_now();
        for (i = 0; i < count; i++) {
            dispatch(loop, &ready[i], now);
        }
        stream_feed_give_fresh(&loop->feed, now);
        must_end = take_messages(loop, now);
        stream_connections_keep_alive(&loop->connections, now);
        if (loop->feed.look_due <= now) {
            stream_feed_look_around(&loop->feed, now);
            loop->spec.look(loop->spec.baton);
        }
        if (loop->draining != DRAIN_NOT) {
            stream_connections_drain(&loop->connections, loop->draining == DRAIN_AT_ONCE, now);
        }
        stream_connections_end_due(&loop->connections, now);
        ipc_subscription_work(loop->feed.subscription, now);
    }
    return NULL;
}

static apr_status_t close_fds(void *data)
{
    stream_loop_t *loop = data;

    close(loop->epoll_fd);
    close(loop->wake_fd);
    return APR_SUCCESS;
}

static apr_status_t make(stream_loop_t *loop)
{
    ipc_subscription_hooks_t hooks = {wait_for_keeper, slot_moved, event_stored, loop};
    stream_connections_hooks_t connections_hooks = {room_again, left, give_up, loop};
    apr_status_t rv;

    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    apr_pool_cleanup_register(loop->pool, loop, close_fds, apr_pool_cleanup_null);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0) {
        return errno;
    }
    stream_connections_init(&loop->connections, loop->spec.main, loop->epoll_fd, loop->spec.loops,
                            &connections_hooks);
    rv = control(loop, EPOLL_CTL_ADD, loop->wake_fd, EPOLLIN, &loop->wake_fd);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ipc_subscription_create(&loop->feed.subscription, loop->spec.socket_path, &hooks,
                                 loop->pool);
    if (rv == APR_SUCCESS) {
        rv = stream_feed_init(&loop->feed, loop->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&loop->mutex, APR_THREAD_MUTEX_DEFAULT, loop->pool);
    }
    return rv;
}

/* Start the loop's threads, and those beside it. Threads that were started are stopped if another
 * cannot be. */
static apr_status_t start_threads(stream_loop_t *loop, apr_pool_t *pool)
{
    apr_status_t rv = stream_ender_start(&loop->ender, wake, loop, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = stream_loader_start(&loop->feed.loader, loop->spec.shared, loop->feed.delivery.account,
                             wake, loop, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&loop->thread, NULL, run, loop, pool);
        if (rv != APR_SUCCESS) {
            (void)stream_loader_stop(loop->feed.loader); /* the first failure is returned */
        }
    }
    if (rv != APR_SUCCESS) {
        (void)stream_ender_stop(loop->ender);
    }
    return rv;
}

apr_status_t stream_loop_start(stream_loop_t **out, const stream_loop_spec_t *spec,
                               apr_pool_t *pool)
{
    apr_pool_t *own;
    stream_loop_t *loop;
    apr_status_t rv = gc_pool_create(&own, pool, "grip_chat_loop");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    loop = apr_pcalloc(own, sizeof(*loop));
    loop->spec = *spec;
    loop->pool = own;
    loop->feed.main = spec->main;
    loop->feed.shared = spec->shared;
    loop->feed.connections = &loop->connections;
    rv = make(loop);
    if (rv == APR_SUCCESS) {
        rv = start_threads(loop, pool);
    }
    if (rv == APR_SUCCESS) {
        *out = loop;
    }
    return rv;
}

apr_status_t stream_loop_stop(stream_loop_t *loop)
{
    apr_status_t result = APR_SUCCESS;
    apr_status_t rv;

    gc_lock_enter(loop->mutex);
    loop->drain = DRAIN_AT_ONCE;
    loop->must_end = 1;
    gc_lock_leave(loop->mutex);
    wake(loop);
    rv = apr_thread_join(&result, loop->thread);
    if (rv == APR_SUCCESS) {
        rv = stream_loader_stop(loop->feed.loader);
    }
    if (rv == APR_SUCCESS) {
        rv = stream_ender_stop(loop->ender); /* which has all that the loop has given up */
    }
    return rv == APR_SUCCESS ? result : rv;
}
