#include "keeper_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gc_assert.h"
#include "gc_clock.h"
#include "keeper_connection.h"
#include "keeper_poll.h"
#include "keeper_sites.h"
#include "keeper_subscribers.h"

/* How often the progress of the proxies is kept, and work tried again that a writer could not do
 * when it started. */
#define PROGRESS_PERIOD apr_time_from_sec(1)

/* How long no child is accepted once descriptors or memory have run out. */
#define ACCEPT_PAUSE apr_time_from_msec(100)

/* How long publishing goes on after a stop; the next keeper hints the rest. */
#define STOP_PATIENCE apr_time_from_msec(300)

typedef struct loop_t {
    const keeper_config_t *config;
    apr_pool_t *pool;
    keeper_poll_t *poll;
    grip_transport_t *transport;
    gc_moment_t transport_due; /* 0 for never */
    gc_moment_t progress_due;
    gc_moment_t accept_due; /* when to accept again, 0 while it does */
    int is_short;           /* the last accept failed, and it was logged */
    keeper_sites_t *sites;
    keeper_subscribers_t *subscribers;
    keeper_queue_t parked; /* connections whose jobs are to go to writers, watched meanwhile */
    apr_size_t busy; /* chores that are with writers, and writers that still take jobs at the end */
    int is_stopping;
} loop_t;

static void watch_for_transport(int fd, int want_read, int want_write, void *baton)
{
    loop_t *loop = baton;
    apr_int16_t events =
        (apr_int16_t)((want_read ? APR_POLLIN : 0) | (want_write ? APR_POLLOUT : 0));
    apr_status_t rv = keeper_poll_watch(loop->poll, KEEPER_FD_TRANSPORT, fd, NULL, events);

    if (rv != APR_SUCCESS) {
        gc_log_line(loop->config->log, GC_LOG_ERR, rv,
                    "GC0211: a publishing connection cannot be watched; its publish will time out");
    }
}

static void set_transport_timer(apr_interval_time_t after, void *baton)
{
    loop_t *loop = baton;

    loop->transport_due = after < 0 ? 0 : gc_clock_now() + after;
}

/* The next two are called by writers' threads. */
static void wake(void *baton)
{
    keeper_poll_wake(((loop_t *)baton)->poll);
}

static void tell_watching(const ipc_moved_t *moved, int count, apr_pool_t *pool, void *baton)
{
    loop_t *loop = baton;

    if (!keeper_subscribers_moved(loop->subscribers, moved, count, pool)) {
        keeper_poll_wake(loop->poll);
    }
}

static void close_connection(loop_t *loop, keeper_connection_t *connection)
{
    apr_status_t rv = keeper_poll_watch(loop->poll, KEEPER_FD_CHILD, connection->fd, NULL, 0);

    keeper_queue_remove(&loop->parked, &connection->pass);
    if (rv != APR_SUCCESS) {
        gc_log_line(loop->config->log, GC_LOG_DEBUG, rv, "GC0212: a child's connection is gone");
    }
    keeper_connection_close(connection);
}

/* The child sends no jobs on this connection, but watches rooms. */
static void start_watching(loop_t *loop, keeper_connection_t *connection)
{
    if (keeper_poll_watch(loop->poll, KEEPER_FD_CHILD, connection->fd, NULL, 0) == APR_SUCCESS) {
        keeper_subscribers_add(loop->subscribers, keeper_connection_release(connection));
    }
    else {
        close_connection(loop, connection);
    }
}

/* Pass each parked connection on to its writer, unless that is held up: its child may give up meanwhile,
 * and to see that is the loop's. */
static void pass_parked(loop_t *loop)
{
    keeper_queue_t kept = {NULL, NULL};
    keeper_task_t *task;

    while ((task = keeper_queue_pop(&loop->parked))) {
        const keeper_connection_t *connection = task->owner;
        write_thread_t *writer = keeper_sites_writer(loop->sites, task->site);

        if (!write_thread_has_room(writer)) {
            (void)keeper_queue_push(&kept, task);
        }
        else if (keeper_poll_watch(loop->poll, KEEPER_FD_CHILD, connection->fd, NULL, 0) ==
                 APR_SUCCESS) {
            write_thread_push(writer, task);
        }
        else {
            close_connection(loop, task->owner);
        }
    }
    loop->parked = kept;
}

/* Find the writer that a connection's job is for. */
static void route(loop_t *loop, keeper_connection_t *connection)
{
    ipc_reply_t refusal = {IPC_MALFORMED, 0, 0, 0};
    const keeper_served_t *served = NULL;
    ipc_job_t job;

    if (ipc_frame_read_job(&job, keeper_connection_frame(connection)) == APR_SUCCESS) {
        served = keeper_sites_find(loop->sites, job.site);
        refusal.status = IPC_UNKNOWN_SITE;
    }
    if (served) {
        connection->pass.site = served->site;
        (void)keeper_queue_push(&loop->parked, &connection->pass);
    }
    else if (!keeper_connection_reply(connection, &refusal)) {
        close_connection(loop, connection);
    }
}

static void serve_child(loop_t *loop, keeper_connection_t *connection, int is_ended)
{
    if (is_ended || loop->is_stopping || keeper_connection_has_job(connection)) {
        /* A child that has gone waits for nothing, even if a job of it is still to be read. A
         * child that waits for its reply sends nothing. And a job that comes after the stop is for
         * the next keeper, to which the child sends it again. */
        close_connection(loop, connection);
        return;
    }
    switch (keeper_connection_read(connection)) {
    case KEEPER_READ_MORE:
        break;
    case KEEPER_READ_JOB:
        if (ipc_frame_is_watch(keeper_connection_frame(connection))) {
            start_watching(loop, connection);
        }
        else {
            route(loop, connection);
        }
        break;
    case KEEPER_READ_CLOSED:
        close_connection(loop, connection);
        break;
    }
}

static apr_status_t watch_child(loop_t *loop, keeper_connection_t *connection)
{
    return keeper_poll_watch(loop->poll, KEEPER_FD_CHILD, connection->fd, connection, APR_POLLIN);
}

/* A writer found that a connection's job is not for its database. */
static void take_back(loop_t *loop, keeper_connection_t *connection)
{
    if (loop->is_stopping || watch_child(loop, connection) != APR_SUCCESS) {
        close_connection(loop, connection);
    }
    else {
        route(loop, connection);
    }
}

static apr_status_t watch_listener(loop_t *loop, apr_int16_t events)
{
    return keeper_poll_watch(loop->poll, KEEPER_FD_LISTEN, loop->config->listen_fd, NULL, events);
}

/* The socket stays readable while nothing can be accepted: watching it would be a busy loop. */
static void pause_accepting(loop_t *loop, apr_status_t why)
{
    if (!loop->is_short) {
        loop->is_short = 1;
        gc_log_line(loop->config->log, GC_LOG_ERR, why,
                    "GC0213: a child's connection cannot be accepted; trying again");
    }
    if (watch_listener(loop, 0) == APR_SUCCESS) {
        loop->accept_due = gc_clock_now() + ACCEPT_PAUSE;
    }
}

static void accept_children(loop_t *loop)
{
    for (;;) {
        int fd = accept(loop->config->listen_fd, NULL, NULL);
        keeper_connection_t *connection;

        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                pause_accepting(loop, errno);
            }
            return;
        }
        loop->is_short = 0;
        connection = keeper_connection_create(fd);
        if (!connection || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
            fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || watch_child(loop, connection) != APR_SUCCESS)
        {
            if (connection) {
                keeper_connection_close(connection);
            }
            else {
                close(fd);
            }
        }
    }
}

static void finish_task(loop_t *loop, keeper_task_t *task)
{
    GC_ASSERT(loop->busy > 0 || task->kind == KEEPER_TASK_CONNECTION ||
              task->kind == KEEPER_TASK_STORED || task->kind == KEEPER_TASK_BEHIND);
    switch (task->kind) {
    case KEEPER_TASK_CONNECTION:
        take_back(loop, task->owner);
        break;
    case KEEPER_TASK_STORED:
        keeper_sites_publish(loop->sites, task);
        free(task->owner);
        break;
    case KEEPER_TASK_PROGRESS:
        loop->busy--;
        free(task);
        break;
    case KEEPER_TASK_SWEEP:
        loop->busy -= loop->is_stopping || !keeper_sites_swept(loop->sites, task, gc_clock_now());
        break;
    case KEEPER_TASK_BEHIND:
        keeper_sites_add_behind(loop->sites, task);
        free(task);
        break;
    case KEEPER_TASK_CLOSED:
        loop->busy--;
        break;
    }
}

static void finish_tasks(loop_t *loop)
{
    keeper_task_t *task;

    while ((task = keeper_sites_done(loop->sites))) {
        finish_task(loop, task);
    }
    keeper_subscribers_tell(loop->subscribers);
}

/* How long nothing is due. */
static apr_interval_time_t next_timeout(loop_t *loop)
{
    gc_moment_t due =
        gc_clock_earlier(gc_clock_earlier(loop->progress_due, loop->transport_due),
                         gc_clock_earlier(loop->accept_due, keeper_sites_next(loop->sites)));
    gc_moment_t now = gc_clock_now();

    return due > now ? due - now : 0;
}

static void dispatch(loop_t *loop, const apr_pollfd_t *ready)
{
    const keeper_fd_t *entry = ready->client_data;
    int is_ended = (ready->rtnevents & (APR_POLLERR | APR_POLLHUP)) != 0;

    switch (entry->kind) {
    case KEEPER_FD_LISTEN:
        accept_children(loop);
        break;
    case KEEPER_FD_STOP:
        loop->is_stopping = 1;
        break;
    case KEEPER_FD_CHILD:
        serve_child(loop, entry->object, is_ended);
        break;
    case KEEPER_FD_WATCH:
        keeper_subscribers_ready(entry->object, is_ended);
        break;
    case KEEPER_FD_TRANSPORT: {
        apr_status_t rv = grip_transport_ready(loop->transport, entry->fd,
                                               is_ended || (ready->rtnevents & APR_POLLIN),
                                               is_ended || (ready->rtnevents & APR_POLLOUT));

        if (rv != APR_SUCCESS) {
            gc_log_line(loop->config->log, GC_LOG_ERR, rv,
                        "GC0215: libcurl cannot go on with a connection");
        }
        break;
    }
    case KEEPER_FD_NONE:
        break; /* forgotten by an earlier one of this turn */
    }
}

static void do_timers(loop_t *loop)
{
    gc_moment_t now = gc_clock_now();

    if (loop->transport_due && loop->transport_due <= now) {
        apr_status_t rv;

        loop->transport_due = 0;
        rv = grip_transport_timeout(loop->transport);
        if (rv != APR_SUCCESS) {
            gc_log_line(loop->config->log, GC_LOG_ERR, rv,
                        "GC0216: libcurl cannot go on after a timeout");
        }
    }
    if (loop->accept_due && loop->accept_due <= now && !loop->is_stopping &&
        watch_listener(loop, APR_POLLIN) == APR_SUCCESS)
    {
        loop->accept_due = 0;
    }
    keeper_sites_work(loop->sites, now);
    if (loop->progress_due <= now) {
        loop->progress_due = now + PROGRESS_PERIOD;
        loop->busy += keeper_sites_keep_progress(loop->sites);
        if (!loop->is_stopping) {
            loop->busy += keeper_sites_sweep(loop->sites, now);
        }
        keeper_sites_look(loop->sites);
    }
}

static apr_status_t turn(loop_t *loop)
{
    const apr_pollfd_t *ready;
    apr_int32_t count;
    apr_int32_t i;
    apr_status_t rv = keeper_poll_wait(loop->poll, next_timeout(loop), &ready, &count);

    for (i = 0; i < count; i++) {
        dispatch(loop, &ready[i]);
    }
    finish_tasks(loop);
    pass_parked(loop);
    do_timers(loop);
    return rv;
}

/* Take no new connection and no more jobs; answer those that were read; publish what they stored; keep how
 * far that got. */
static apr_status_t wind_down(loop_t *loop)
{
    gc_moment_t deadline = gc_clock_now() + STOP_PATIENCE;
    apr_status_t rv = watch_listener(loop, 0);
    apr_status_t stopped;

    loop->accept_due = 0;
    if (rv == APR_SUCCESS) {
        rv = keeper_poll_watch(loop->poll, KEEPER_FD_STOP, loop->config->stop_fd, NULL, 0);
    }
    loop->busy += keeper_sites_close(loop->sites);
    while (rv == APR_SUCCESS && (loop->busy > 0 || !keeper_sites_are_drained(loop->sites)) &&
           gc_clock_now() < deadline)
    {
        loop->progress_due = gc_clock_earlier(loop->progress_due, deadline);
        rv = turn(loop);
    }
    loop->busy += keeper_sites_keep_progress(loop->sites);
    stopped = keeper_sites_stop(loop->sites);
    finish_tasks(loop);
    grip_transport_destroy(loop->transport);
    return rv == APR_SUCCESS ? stopped : rv;
}

/* It is not known whether the keeper before this one bumped its last commit. */
static void bump_databases(const keeper_config_t *config)
{
    apr_size_t i;

    for (i = 0; i < config->site_count; i++) {
        ipc_shared_bump_database(config->shared, config->sites[i]->database_number);
    }
}

static apr_status_t start(loop_t *loop)
{
    grip_transport_loop_t hooks = {watch_for_transport, set_transport_timer, loop};
    write_thread_hooks_t writer_hooks = {wake, tell_watching, loop};
    apr_status_t rv = keeper_poll_create(&loop->poll, loop->pool);

    if (rv == APR_SUCCESS) {
        rv = keeper_subscribers_create(&loop->subscribers, loop->poll, loop->config->log,
                                       loop->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = grip_transport_global_init();
    }
    if (rv == APR_SUCCESS) {
        rv = chat_database_global_init(loop->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = grip_transport_create(&loop->transport, &hooks, loop->pool);
    }
    if (rv == APR_SUCCESS) {
        bump_databases(loop->config);
        ipc_shared_clear_waiting(loop->config->shared);
        rv = keeper_sites_start(&loop->sites, loop->config, loop->transport, &writer_hooks,
                                loop->pool);
    }
    if (rv == APR_SUCCESS && fcntl(loop->config->listen_fd, F_SETFL, O_NONBLOCK) < 0) {
        rv = errno;
    }
    if (rv == APR_SUCCESS) {
        rv = watch_listener(loop, APR_POLLIN);
    }
    if (rv == APR_SUCCESS) {
        rv = keeper_poll_watch(loop->poll, KEEPER_FD_STOP, loop->config->stop_fd, NULL, APR_POLLIN);
    }
    return rv;
}

apr_status_t keeper_run(const keeper_config_t *config, apr_pool_t *pool)
{
    loop_t *loop = apr_pcalloc(pool, sizeof(*loop));
    apr_status_t rv;

    loop->config = config;
    loop->pool = pool;
    loop->progress_due = gc_clock_now() + PROGRESS_PERIOD;
    rv = start(loop);
    while (rv == APR_SUCCESS && !loop->is_stopping) {
        rv = turn(loop);
    }
    return rv == APR_SUCCESS ? wind_down(loop) : rv;
}
