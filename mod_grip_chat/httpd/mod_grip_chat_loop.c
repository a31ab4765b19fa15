#include "mod_grip_chat_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <apr_thread_proc.h>

#include "gc_lock.h"
#include "gc_pool.h"
#include "keeper_watcher.h"
#include "mod_grip_chat_crowd.h"
#include "mod_grip_chat_delivery.h"
#include "mod_grip_chat_loader.h"

/* Descriptors that one wait tells of. */
#define READY_MAX 512

/* How often rooms are looked at whose moves nobody tells, or that could not be read. */
#define LOOK_PERIOD apr_time_from_sec(1)

typedef enum drain_e { DRAIN_NOT, DRAIN_GRACEFUL, DRAIN_AT_ONCE } drain_e;

struct grip_chat_loop_t {
    grip_chat_loop_spec_t spec;
    apr_pool_t *pool;     /* of its own */
    apr_thread_t *thread; /* belongs to who starts and joins it */
    int epoll_fd;
    int wake_fd;
    apr_uint32_t is_woken;     /* atomic: a wake is under way */
    apr_thread_mutex_t *mutex; /* guards what follows, up to must_end */
    grip_chat_held_t *arrived;
    drain_e drain;
    int must_end;
    /* what follows belongs to the thread */
    apr_thread_t *self;
    keeper_watcher_t *watcher;
    grip_chat_loader_t *loader;
    grip_chat_rooms_t rooms;
    grip_chat_room_t *due; /* the first room with fresh events */
    grip_chat_delivery_t delivery;
    grip_chat_crowd_t crowd;
    apr_uint64_t epoch;
    gc_moment_t look_due;
    drain_e draining; /* what the thread knows of drain */
    int has_failed;   /* a room could not be read, and this was logged */
};

/* --- from any thread -------------------------------------------------------------------------------- */

static void wake(void *baton)
{
    grip_chat_loop_t *loop = baton;

    if (!__atomic_exchange_n(&loop->is_woken, 1, __ATOMIC_SEQ_CST)) {
        apr_uint64_t one = 1;
        ssize_t written = write(loop->wake_fd, &one, sizeof(one));

        (void)written; /* a full counter wakes as well */
    }
}

void grip_chat_loop_adopt(grip_chat_loop_t *loop, grip_chat_held_t *held)
{
    gc_lock_enter(loop->mutex);
    held->next = loop->arrived;
    loop->arrived = held;
    gc_lock_leave(loop->mutex);
    wake(loop);
}

void grip_chat_loop_drain(grip_chat_loop_t *loop, int is_graceful)
{
    gc_lock_enter(loop->mutex);
    loop->drain = is_graceful ? DRAIN_GRACEFUL : DRAIN_AT_ONCE;
    gc_lock_leave(loop->mutex);
    wake(loop);
}

/* --- in the thread: rooms --------------------------------------------------------------------------- */

static apr_status_t control(const grip_chat_loop_t *loop, int operation, int fd, unsigned events,
                            void *object)
{
    struct epoll_event event = {.events = events, .data.ptr = object};

    return epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0 ? APR_SUCCESS : errno;
}

static void look_at(grip_chat_loop_t *loop, grip_chat_room_t *room)
{
    if (room->is_loading) {
        room->is_stale = 1;
    }
    else {
        grip_chat_room_drop_fresh(room); /* the loader brings it as well */
        grip_chat_loader_push(loop->loader, room);
    }
}

static void drop_room_if_empty(grip_chat_loop_t *loop, grip_chat_room_t *room)
{
    unsigned slot = room->slot;

    if (!room->first && !room->is_loading && !room->is_due &&
        grip_chat_rooms_remove(&loop->rooms, room))
    {
        keeper_watcher_want(loop->watcher, slot, 0);
    }
}

/* --- in the thread: what has happened --------------------------------------------------------------- */

/* A stream is about to be ended. */
static void leave_room(grip_chat_held_t *held, void *baton)
{
    grip_chat_room_t *room = held->room;

    grip_chat_room_leave(held);
    drop_room_if_empty(baton, room);
}

static void settle_after_delivery(grip_chat_held_t *held, grip_chat_held_state_e before,
                                  void *baton)
{
    grip_chat_loop_t *loop = baton;

    grip_chat_crowd_settle(&loop->crowd, held, before, loop->delivery.now);
}

/* The connection of a stream has room again. */
static void go_on(grip_chat_held_t *held, void *baton)
{
    if (!grip_chat_delivery_go_on(held)) {
        look_at(baton, held->room);
    }
}

static void take_arrived(grip_chat_loop_t *loop, grip_chat_held_t *held, gc_moment_t now)
{
    grip_chat_room_t *room;
    int is_new_slot;

    if (!grip_chat_crowd_take(&loop->crowd, held, loop->self, now)) {
        return;
    }
    room = grip_chat_rooms_get(&loop->rooms, held->site, held->room_name, &is_new_slot);
    if (!room) {
        grip_chat_crowd_dismiss(&loop->crowd, held, now);
        return;
    }
    grip_chat_room_enter(room, held);
    if (is_new_slot) {
        keeper_watcher_want(loop->watcher, room->slot, 1);
    }
    /* It was answered a moment ago, and something may have been stored since. */
    look_at(loop, room);
}

static void take_loaded(grip_chat_loop_t *loop, grip_chat_room_t *room, gc_moment_t now)
{
    int is_stale = room->is_stale || room->expected > room->loaded_tail;

    room->is_stale = 0;
    room->expected = 0;
    if (room->status == APR_SUCCESS) {
        room->has_failed = 0;
        loop->has_failed = 0;
        room->version = room->loaded_version;
        loop->delivery.now = now;
        is_stale |= grip_chat_delivery_give(&loop->delivery, room, settle_after_delivery, loop);
        room->is_read = 1;
        chat_snapshot_release(room->snapshot);
    }
    else {
        room->has_failed = 1;
        if (!loop->has_failed) {
            loop->has_failed = 1;
            ap_log_error(APLOG_MARK, APLOG_ERR, room->status, loop->spec.main,
                         "GC0173: new events cannot be read; streams wait for them");
        }
    }
    if (!room->first) {
        drop_room_if_empty(loop, room);
    }
    else if (is_stale && !room->has_failed) {
        look_at(loop, room);
    }
}

/* Look at a room if it is not what was read last. */
static void look_if_moved(grip_chat_loop_t *loop, grip_chat_room_t *room)
{
    keeper_version_t now = keeper_shared_version(loop->spec.shared, room->slot);

    if (room->is_loading || !room->is_read || room->has_failed ||
        room->version.epoch != now.epoch || room->version.generation != now.generation)
    {
        look_at(loop, room);
    }
}

static void slot_moved(unsigned slot, void *baton)
{
    grip_chat_loop_t *loop = baton;
    grip_chat_room_t *room;

    for (room = loop->rooms.by_slot[slot]; room; room = room->chain) {
        look_if_moved(loop, room);
    }
}

/* The keeper tells an event. It is given to the readers together with all that come in this turn. */
static void event_stored(unsigned slot, const keeper_notice_t *notice, void *baton)
{
    grip_chat_loop_t *loop = baton;
    grip_chat_room_t *room;

    for (room = loop->rooms.by_slot[slot]; room; room = room->chain) {
        if (strcmp(room->name, notice->room) != 0 ||
            strcmp(room->site->keeper.identity, notice->site) != 0) {
            continue;
        }
        if (!grip_chat_room_take(room, notice)) {
            look_at(loop, room);
        }
        else if (room->fresh.len > 0 && !room->is_due) {
            room->is_due = 1;
            room->due = loop->due;
            loop->due = room;
        }
    }
}

static void give_fresh(grip_chat_loop_t *loop, grip_chat_room_t *room)
{
    if (!grip_chat_room_cut_fresh(room, loop->delivery.account) ||
        grip_chat_delivery_give(&loop->delivery, room, settle_after_delivery, loop))
    {
        look_at(loop, room);
    }
}

/* Give what the keeper told in this turn. */
static void give_all_fresh(grip_chat_loop_t *loop, gc_moment_t now)
{
    grip_chat_room_t *room;

    loop->delivery.now = now;
    while ((room = loop->due)) {
        loop->due = room->due;
        room->is_due = 0;
        if (room->fresh.len > 0) {
            give_fresh(loop, room);
        }
        drop_room_if_empty(loop, room);
    }
}

static void wait_for_keeper(int fd, int want_write, void *baton)
{
    grip_chat_loop_t *loop = baton;
    unsigned events = EPOLLIN | (want_write ? EPOLLOUT : 0u);
    apr_status_t rv = control(loop, EPOLL_CTL_MOD, fd, events, &loop->watcher);

    if (rv != APR_SUCCESS) { /* what was closed is not in the set any more */
        rv = control(loop, EPOLL_CTL_ADD, fd, events, &loop->watcher);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, loop->spec.main,
                     "GC0174: the keeper's notices cannot be watched; streams are late");
    }
}

/* --- in the thread: what is due --------------------------------------------------------------------- */

static void look_around(grip_chat_loop_t *loop, gc_moment_t now)
{
    apr_uint64_t epoch = keeper_shared_version(loop->spec.shared, 0).epoch;
    int is_anything = epoch != loop->epoch || !keeper_watcher_is_told(loop->watcher);
    grip_chat_room_t *room;

    loop->look_due = now + LOOK_PERIOD;
    loop->epoch = epoch;
    for (room = loop->rooms.first; room; room = room->next) {
        if (is_anything || room->has_failed) {
            look_if_moved(loop, room);
        }
    }
}

/* How long nothing is due, in milliseconds. */
static int next_timeout(const grip_chat_loop_t *loop, gc_moment_t now)
{
    gc_moment_t due = gc_clock_earlier(loop->look_due, keeper_watcher_due(loop->watcher));

    due = gc_clock_earlier(due, grip_chat_crowd_next(&loop->crowd));
    return due > now ? (int)((due - now + 999) / 1000) : 0;
}

/* --- the thread ------------------------------------------------------------------------------------- */

static void dispatch(grip_chat_loop_t *loop, const struct epoll_event *event, gc_moment_t now)
{
    apr_uint64_t count;
    ssize_t got;

    if (event->data.ptr == &loop->wake_fd) {
        got = read(loop->wake_fd, &count, sizeof(count));
        (void)got; /* it tells nothing but that there is something */
        __atomic_store_n(&loop->is_woken, 0, __ATOMIC_SEQ_CST);
    }
    else if (event->data.ptr == &loop->watcher) {
        keeper_watcher_ready(loop->watcher);
    }
    else {
        grip_chat_crowd_serve(&loop->crowd, event->data.ptr, event->events, now);
    }
}

/* Take what other threads have left. @return whether to end */
static int take_messages(grip_chat_loop_t *loop, gc_moment_t now)
{
    grip_chat_held_t *arrived;
    grip_chat_room_t *room;
    int must_end;

    gc_lock_enter(loop->mutex);
    arrived = loop->arrived;
    loop->arrived = NULL;
    loop->draining = loop->drain;
    must_end = loop->must_end;
    gc_lock_leave(loop->mutex);
    while (arrived) {
        grip_chat_held_t *next = arrived->next;

        take_arrived(loop, arrived, now);
        arrived = next;
    }
    while ((room = grip_chat_loader_take(loop->loader))) {
        take_loaded(loop, room, now);
    }
    return must_end;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    grip_chat_loop_t *loop = data;
    struct epoll_event ready[READY_MAX];
    gc_moment_t now = gc_clock_now();
    int must_end = 0;

    loop->self = thread;
    while (!must_end) {
        int count = epoll_wait(loop->epoll_fd, ready, READY_MAX, next_timeout(loop, now));
        int i;

        now = gc_clock_now();
        for (i = 0; i < count; i++) {
            dispatch(loop, &ready[i], now);
        }
        give_all_fresh(loop, now);
        must_end = take_messages(loop, now);
        grip_chat_crowd_keep_alive(&loop->crowd, now);
        if (loop->look_due <= now) {
            look_around(loop, now);
        }
        if (loop->draining != DRAIN_NOT) {
            grip_chat_crowd_drain(&loop->crowd, loop->draining == DRAIN_AT_ONCE, now);
        }
        grip_chat_crowd_end_due(&loop->crowd, now);
        keeper_watcher_work(loop->watcher, now);
    }
    return NULL;
}

static apr_status_t close_fds(void *data)
{
    grip_chat_loop_t *loop = data;

    close(loop->epoll_fd);
    close(loop->wake_fd);
    return APR_SUCCESS;
}

static apr_status_t make(grip_chat_loop_t *loop)
{
    keeper_watcher_hooks_t hooks = {wait_for_keeper, slot_moved, event_stored, loop};
    grip_chat_crowd_hooks_t crowd_hooks = {go_on, leave_room, loop};
    apr_status_t rv;

    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    apr_pool_cleanup_register(loop->pool, loop, close_fds, apr_pool_cleanup_null);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0) {
        return errno;
    }
    grip_chat_crowd_init(&loop->crowd, loop->spec.main, loop->epoll_fd, loop->spec.loops,
                         &crowd_hooks);
    rv = control(loop, EPOLL_CTL_ADD, loop->wake_fd, EPOLLIN, &loop->wake_fd);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = keeper_watcher_create(&loop->watcher, loop->spec.socket_path, &hooks, loop->pool);
    if (rv == APR_SUCCESS) {
        rv = grip_chat_delivery_init(&loop->delivery, loop->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&loop->mutex, APR_THREAD_MUTEX_DEFAULT, loop->pool);
    }
    return rv;
}

apr_status_t grip_chat_loop_start(grip_chat_loop_t **out, const grip_chat_loop_spec_t *spec,
                                  apr_pool_t *pool)
{
    apr_pool_t *own;
    grip_chat_loop_t *loop;
    apr_status_t rv = gc_pool_create(&own, pool, "grip_chat_loop");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    loop = apr_pcalloc(own, sizeof(*loop));
    loop->spec = *spec;
    loop->pool = own;
    loop->look_due = 1;
    rv = make(loop);
    if (rv == APR_SUCCESS) {
        rv = grip_chat_loader_start(&loop->loader, spec->shared, loop->delivery.account, wake, loop,
                                    pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&loop->thread, NULL, run, loop, pool);
        if (rv == APR_SUCCESS) {
            *out = loop;
        }
        else {
            (void)grip_chat_loader_stop(loop->loader); /* what failed first is told */
        }
    }
    return rv;
}

apr_status_t grip_chat_loop_stop(grip_chat_loop_t *loop)
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
        rv = grip_chat_loader_stop(loop->loader);
    }
    return rv == APR_SUCCESS ? result : rv;
}
