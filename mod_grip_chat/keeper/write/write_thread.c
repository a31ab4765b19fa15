#include "write_thread.h"

#include <stdlib.h>

#include <apr_thread_proc.h>

#include "gc_assert.h"
#include "gc_clock.h"
#include "gc_lock.h"
#include "gc_pool.h"
#include "write_append.h"
#include "write_batch.h"
#include "write_database.h"
#include "write_intake.h"
#include "write_job.h"
#include "write_sweep.h"

/* Chores that are taken at once. */
#define CHORES_MAX 64

/* After this long from when jobs were read it is seen whether their children still wait. */
#define LATE apr_time_from_msec(50)

struct write_thread_t {
    const keeper_config_t *config;
    write_thread_hooks_t hooks;
    gc_owner_t loop;  /* the thread that gives it tasks */
    gc_owner_t owner; /* its own */
    apr_pool_t *pool; /* the thread's own */
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex; /* guards the next fields */
    keeper_queue_t waiting;
    keeper_queue_t done;
    int connections; /* in waiting */
    int has_no_room; /* the loop wants to know when it has again */
    int is_to_look;  /* time to look after the database */
    int is_to_close; /* time to take no more jobs */
    int is_stopping;
    /* the next fields belong to the thread */
    keeper_task_t closed;
    write_intake_t intake;
    write_database_t database;
    write_append_t append;
    write_batch_t batch;
    write_sweeper_t sweeper;
};

/* Without a pool, or a set to wait with, the writer cannot go on. */
static void must(apr_status_t rv)
{
    if (rv != APR_SUCCESS) {
        __builtin_trap();
    }
}

int write_thread_serves(const write_thread_t *writer, const ipc_site_t *site)
{
    apr_size_t i;

    for (i = 0; i < writer->database.site_count; i++) {
        if (writer->database.sites[i] == site) {
            return 1;
        }
    }
    return 0;
}

/* Set a flag of the writer's and have it see that. */
static void tell(write_thread_t *writer, int *flag)
{
    gc_lock_enter(writer->mutex);
    *flag = 1;
    gc_lock_leave(writer->mutex);
    keeper_poll_wake(writer->intake.poll);
}

int write_thread_has_room(write_thread_t *writer)
{
    int has_room;

    gc_lock_enter(writer->mutex);
    has_room = writer->connections < WRITE_INTAKE_ADOPT_MAX;
    writer->has_no_room = !has_room;
    gc_lock_leave(writer->mutex);
    return has_room;
}

void write_thread_push(write_thread_t *writer, keeper_task_t *task)
{
    int was_empty;

    GC_ASSERT_OWNER(&writer->loop);
    gc_lock_enter(writer->mutex);
    writer->connections += task->kind == KEEPER_TASK_CONNECTION;
    was_empty = keeper_queue_push(&writer->waiting, task);
    gc_lock_leave(writer->mutex);
    if (was_empty) {
        keeper_poll_wake(writer->intake.poll);
    }
}

void write_thread_look(write_thread_t *writer)
{
    tell(writer, &writer->is_to_look);
}

void write_thread_close(write_thread_t *writer)
{
    tell(writer, &writer->is_to_close);
}

keeper_task_t *write_thread_done(write_thread_t *writer)
{
    keeper_task_t *task;

    GC_ASSERT_OWNER(&writer->loop);
    gc_lock_enter(writer->mutex);
    task = keeper_queue_pop(&writer->done);
    gc_lock_leave(writer->mutex);
    return task;
}

static int must_stop(void *baton)
{
    write_thread_t *writer = baton;
    int is_stopping;

    gc_lock_enter(writer->mutex);
    is_stopping = writer->is_stopping;
    gc_lock_leave(writer->mutex);
    return is_stopping;
}

/* The clock of messages' dates and ages; nothing waits for it. */
static apr_time_t wall_clock_now(void)
{
    return apr_time_now();
}

/* Give the loop all of a queue, and leave that empty. */
static void hand_back(write_thread_t *writer, keeper_queue_t *tasks)
{
    int was_empty = 0;
    keeper_task_t *task;

    GC_ASSERT_OWNER(&writer->owner);
    gc_lock_enter(writer->mutex);
    while ((task = keeper_queue_pop(tasks))) {
        was_empty |= keeper_queue_push(&writer->done, task);
    }
    gc_lock_leave(writer->mutex);
    if (was_empty) {
        writer->hooks.notify(writer->hooks.baton);
    }
}

static void push_behind(const ipc_site_t *site, apr_size_t proxy, const char *room,
                        apr_int64_t watermark, void *baton)
{
    write_thread_t *writer = baton;
    apr_size_t len = room ? strlen(room) + 1 : 0;
    keeper_task_t *task = calloc(1, sizeof(*task) + len);
    keeper_queue_t tasks = {NULL, NULL};

    if (!task) {
        return; /* its readers find out at the next event */
    }
    task->kind = KEEPER_TASK_BEHIND;
    task->site = site;
    task->proxy = proxy;
    task->watermark = watermark;
    if (room) {
        task->room = (char *)(task + 1);
        memcpy(task->room, room, len);
    }
    (void)keeper_queue_push(&tasks, task);
    hand_back(writer, &tasks);
}

static void give_back(keeper_connection_t *connection, void *baton)
{
    keeper_queue_t tasks = {NULL, NULL};

    (void)keeper_queue_push(&tasks, &connection->pass);
    hand_back(baton, &tasks);
}

/* Reply to all jobs, and then give the loop the stored events that are to be published. */
static void finish_jobs(write_thread_t *writer)
{
    write_intake_t *intake = &writer->intake;
    keeper_queue_t stored = {NULL, NULL};
    int i;

    for (i = 0; i < intake->count; i++) {
        keeper_connection_t *connection = intake->jobs[i];

        if (write_job_find(connection->kind)->is_stored && connection->reply.status == IPC_DONE) {
            keeper_received_t *received = keeper_connection_take(connection);

            if (received->task.append.outcome == CHAT_APPEND_NEW &&
                received->task.site->proxy_count > 0) {
                received->task.owner = received;
                (void)keeper_queue_push(&stored, &received->task);
            }
            else {
                free(received);
            }
        }
    }
    write_intake_reply(intake);
    hand_back(writer, &stored);
}

/* The orders of the loop for the writer. */
typedef struct orders_t {
    keeper_task_t *chores[CHORES_MAX];
    int chore_count;
    int adopted; /* connections; their jobs have waited for this thread */
    int is_to_look;
    int is_to_close;
    int must_end;
    int has_more; /* more waits than was taken, or may */
} orders_t;

/* See to the database before the jobs are done. Where that took long, or they have waited before, some of
 * their children may have gone. */
static apr_status_t make_ready(write_thread_t *writer, orders_t *orders, apr_pool_t *pool)
{
    gc_moment_t start = gc_clock_now();
    apr_status_t rv = write_database_ready(&writer->database, pool);

    if (orders->adopted > 0 || gc_clock_now() - start > LATE) {
        must(write_intake_read(&writer->intake, 0));
        orders->has_more = 1; /* nothing wakes the writer again for what this was woken for */
    }
    return rv;
}

static apr_status_t do_jobs(write_thread_t *writer, orders_t *orders, apr_pool_t *pool)
{
    write_intake_t *intake = &writer->intake;
    apr_status_t rv = make_ready(writer, orders, pool);
    int i;

    for (i = 0; i < intake->count; i++) {
        intake->jobs[i]->reply = (ipc_reply_t){write_batch_status(rv), 0, 0, 0};
    }
    if (rv == APR_SUCCESS) {
        rv = write_batch_store(&writer->batch, wall_clock_now(), pool);
        if (rv == APR_SUCCESS) {
            rv = write_database_ready(&writer->database, pool); /* if it was opened anew for them */
        }
    }
    if (rv == APR_ENOENT) {
        write_database_forget(&writer->database);
    }
    write_database_report(&writer->database, rv);
    finish_jobs(writer);
    return rv;
}

/* Do what no child waits for, as long as the database can be written. A sweep that fails leaves what could
 * not be deleted, and says nothing of posts. */
static void do_chores(write_thread_t *writer, keeper_task_t **tasks, int count, apr_status_t rv,
                      apr_pool_t *pool)
{
    keeper_queue_t done_tasks = {NULL, NULL};
    int i;

    for (i = 0; i < count; i++) {
        keeper_task_t *task = tasks[i];
        apr_status_t done = rv;

        if (rv == APR_SUCCESS && task->kind == KEEPER_TASK_PROGRESS) {
            done = write_recovery_keep(writer->database.db, task->site, task->proxy,
                                       task->watermark, pool);
            write_database_report(&writer->database, done);
        }
        else if (rv == APR_SUCCESS) {
            done = write_sweep_step(&writer->sweeper, writer->database.db, task, wall_clock_now(),
                                    gc_clock_now(), pool);
        }
        task->status = write_batch_status(done);
        if (rv == APR_SUCCESS && done == APR_ENOENT) {
            write_database_forget(&writer->database);
            rv = done;
        }
        else if (rv == APR_SUCCESS && done != APR_SUCCESS) {
            rv = write_database_ready(&writer->database, pool); /* for what is next */
        }
        (void)keeper_queue_push(&done_tasks, task);
    }
    hand_back(writer, &done_tasks);
}

static void take_orders(write_thread_t *writer, orders_t *orders)
{
    keeper_queue_t connections = {NULL, NULL};
    keeper_task_t *task;
    int must_notify;

    memset(orders, 0, sizeof(*orders));
    gc_lock_enter(writer->mutex);
    while (orders->chore_count < CHORES_MAX && orders->adopted < WRITE_INTAKE_ADOPT_MAX &&
           (task = keeper_queue_pop(&writer->waiting)))
    {
        if (task->kind == KEEPER_TASK_CONNECTION) {
            (void)keeper_queue_push(&connections, task);
            orders->adopted++;
        }
        else {
            orders->chores[orders->chore_count++] = task;
        }
    }
    orders->has_more = writer->waiting.first != NULL;
    orders->is_to_look = writer->is_to_look && !writer->is_stopping;
    orders->is_to_close = writer->is_to_close && !orders->has_more;
    orders->must_end = writer->is_stopping && !orders->has_more;
    writer->is_to_look = 0;
    writer->connections -= orders->adopted;
    must_notify = writer->has_no_room && orders->adopted > 0;
    writer->has_no_room = writer->has_no_room && !must_notify;
    gc_lock_leave(writer->mutex);
    if (must_notify) {
        writer->hooks.notify(writer->hooks.baton);
    }
    while ((task = keeper_queue_pop(&connections))) {
        write_intake_adopt(&writer->intake, task->owner);
    }
}

/* Tell the loop that all that was taken has been handed back. */
static void close_intake(write_thread_t *writer)
{
    keeper_queue_t tasks = {NULL, NULL};

    if (!writer->intake.is_closed) {
        write_intake_close(&writer->intake);
        writer->closed.kind = KEEPER_TASK_CLOSED;
        (void)keeper_queue_push(&tasks, &writer->closed);
        hand_back(writer, &tasks);
    }
}

/* Posts come first, and have their answers before anything else is begun. */
static void do_all(write_thread_t *writer, orders_t *orders, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    int had_jobs = writer->intake.count > 0;

    if (had_jobs) {
        rv = do_jobs(writer, orders, pool);
    }
    if (orders->chore_count > 0) {
        if (!had_jobs) {
            rv = write_database_ready(&writer->database, pool);
            if (rv != APR_SUCCESS) {
                write_database_report(&writer->database, rv);
            }
        }
        do_chores(writer, orders->chores, orders->chore_count, rv, pool);
    }
    if (orders->is_to_look) {
        write_database_look(&writer->database, pool);
    }
    if (orders->is_to_close) {
        close_intake(writer);
    }
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    write_thread_t *writer = data;
    orders_t orders = {.has_more = 0};
    apr_pool_t *scratch;

    gc_owner_take(&writer->owner);
    must(apr_pool_create(&scratch, writer->pool));
    write_database_report(&writer->database, write_database_ready(&writer->database, scratch));
    while (!orders.must_end) {
        /* No timed wait: the writer has no timer of its own. */
        must(write_intake_read(&writer->intake, orders.has_more ? 0 : -1));
        take_orders(writer, &orders);
        apr_pool_clear(scratch);
        do_all(writer, &orders, scratch);
    }
    close_intake(writer);
    write_database_close(&writer->database, scratch);
    return NULL;
}

apr_status_t write_thread_start(write_thread_t **out, const keeper_config_t *config,
                                const ipc_site_t *const *sites, apr_size_t site_count,
                                const write_thread_hooks_t *hooks, apr_pool_t *pool)
{
    write_thread_t *writer = apr_pcalloc(pool, sizeof(*writer));
    write_database_hooks_t database_hooks = {must_stop, push_behind, writer};
    apr_status_t rv = gc_pool_create(&writer->pool, NULL, "grip_chat_keeper_writer");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    gc_owner_take(&writer->loop);
    writer->config = config;
    writer->hooks = *hooks;
    writer->append.log = config->log;
    writer->batch = (write_batch_t){&writer->intake, &writer->append, &writer->database,
                                    config->shared,  hooks->moved,    hooks->baton};
    writer->sweeper.config = config;
    writer->sweeper.path = sites[0]->database.params;
    write_database_init(&writer->database, config, sites, site_count, &database_hooks,
                        writer->pool);
    rv = apr_thread_mutex_create(&writer->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        rv = write_intake_init(&writer->intake, sites, site_count, give_back, writer, writer->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&writer->thread, NULL, run, writer, pool);
    }
    if (rv == APR_SUCCESS) {
        *out = writer;
    }
    return rv;
}

apr_status_t write_thread_stop(write_thread_t *writer)
{
    apr_status_t result = APR_SUCCESS;
    apr_status_t rv;

    tell(writer, &writer->is_stopping);
    rv = apr_thread_join(&result, writer->thread);
    return rv == APR_SUCCESS ? result : rv;
}
