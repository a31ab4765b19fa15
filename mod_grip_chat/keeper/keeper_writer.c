#include "keeper_writer.h"

#include <stdlib.h>

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

#include "gc_clock.h"
#include "gc_pool.h"
#include "keeper_database.h"
#include "keeper_sweep.h"

/* Jobs of one transaction. More wait for the next, so that an answer never waits for too many. */
#define BATCH_MAX 512

struct keeper_writer_t {
    const keeper_config_t *config;
    keeper_writer_notify_fn *notify;
    void *baton;
    apr_pool_t *pool; /* the thread's own */
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex; /* guards the queues, is_to_look and is_stopping */
    apr_thread_cond_t *wake;
    keeper_queue_t waiting;
    keeper_queue_t done;
    int is_to_look; /* time to look after the database */
    int is_stopping;
    /* what follows belongs to the thread */
    keeper_database_t database;
    keeper_sweeper_t sweeper;
};

/* A mutex of one's own process fails only if it is broken: there is nothing to go on with. */
static void must(apr_status_t rv)
{
    if (rv != APR_SUCCESS) {
        __builtin_trap();
    }
}

int keeper_writer_serves(const keeper_writer_t *writer, const keeper_site_t *site)
{
    apr_size_t i;

    for (i = 0; i < writer->database.site_count; i++) {
        if (writer->database.sites[i] == site) {
            return 1;
        }
    }
    return 0;
}

void keeper_writer_push(keeper_writer_t *writer, keeper_task_t *task)
{
    must(apr_thread_mutex_lock(writer->mutex));
    keeper_queue_push(&writer->waiting, task);
    must(apr_thread_cond_signal(writer->wake));
    must(apr_thread_mutex_unlock(writer->mutex));
}

void keeper_writer_look(keeper_writer_t *writer)
{
    must(apr_thread_mutex_lock(writer->mutex));
    writer->is_to_look = 1;
    must(apr_thread_cond_signal(writer->wake));
    must(apr_thread_mutex_unlock(writer->mutex));
}

keeper_task_t *keeper_writer_done(keeper_writer_t *writer)
{
    keeper_task_t *task;

    must(apr_thread_mutex_lock(writer->mutex));
    task = keeper_queue_pop(&writer->done);
    must(apr_thread_mutex_unlock(writer->mutex));
    return task;
}

static int must_stop(void *baton)
{
    keeper_writer_t *writer = baton;
    int is_stopping;

    must(apr_thread_mutex_lock(writer->mutex));
    is_stopping = writer->is_stopping;
    must(apr_thread_mutex_unlock(writer->mutex));
    return is_stopping;
}

static void push_behind(const keeper_site_t *site, apr_size_t proxy, const char *room,
                        apr_int64_t watermark, void *baton)
{
    keeper_writer_t *writer = baton;
    apr_size_t len = room ? strlen(room) + 1 : 0;
    keeper_task_t *task = calloc(1, sizeof(*task) + len);

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
    must(apr_thread_mutex_lock(writer->mutex));
    keeper_queue_push(&writer->done, task);
    must(apr_thread_mutex_unlock(writer->mutex));
}

static void was_recovered(void *baton)
{
    keeper_writer_t *writer = baton;

    writer->notify(writer->baton);
}

static keeper_status_e status_of(apr_status_t rv)
{
    return rv == APR_SUCCESS ? KEEPER_DONE : rv == APR_EAGAIN ? KEEPER_LOCKED : KEEPER_UNAVAILABLE;
}

/* What messages are dated by, and what their age is told by; nothing waits for it. */
static apr_time_t wall_clock_now(void)
{
    return apr_time_now();
}

/* Store all posts among the tasks that are waited for, and give every post its status. Who gave up has
 * been answered an error or is dead; a message that comes nevertheless, seconds later, surprises. */
static apr_status_t append_posts(keeper_writer_t *writer, keeper_task_t **tasks, int count,
                                 apr_pool_t *pool)
{
    chat_append_t *appends = apr_palloc(pool, sizeof(*appends) * (apr_size_t)count);
    keeper_task_t **posts = apr_palloc(pool, sizeof(keeper_task_t *) * (apr_size_t)count);
    apr_status_t rv;
    int n = 0;
    int i;

    for (i = 0; i < count; i++) {
        if (tasks[i]->kind != KEEPER_TASK_JOB || tasks[i]->job != KEEPER_JOB_POST) {
            continue;
        }
        if (__atomic_load_n(&tasks[i]->is_given_up, __ATOMIC_SEQ_CST)) {
            tasks[i]->status = KEEPER_UNAVAILABLE;
            continue;
        }
        posts[n] = tasks[i];
        appends[n++] = tasks[i]->append;
    }
    if (n == 0) {
        return APR_SUCCESS;
    }
    rv = chat_store_append(writer->database.db, appends, n, wall_clock_now(), pool);
    if (rv == APR_SUCCESS) {
        keeper_database_note(&writer->database, appends, n);
    }
    for (i = 0; i < n; i++) {
        posts[i]->append = appends[i];
        posts[i]->status = rv == APR_SUCCESS && appends[i].outcome == CHAT_APPEND_CONFLICT
                               ? KEEPER_CONFLICT
                               : status_of(rv);
        if (posts[i]->status == KEEPER_DONE) {
            keeper_shared_bump(writer->config->shared,
                               keeper_site_slot(posts[i]->site, gc_slice_of(appends[i].room)));
        }
    }
    return rv;
}

static void hand_back(keeper_writer_t *writer, keeper_task_t **tasks, int count)
{
    int i;

    must(apr_thread_mutex_lock(writer->mutex));
    for (i = 0; i < count; i++) {
        keeper_queue_push(&writer->done, tasks[i]);
    }
    must(apr_thread_mutex_unlock(writer->mutex));
    writer->notify(writer->baton);
}

/* Do what no child waits for, as long as the database can be written. A sweep that fails leaves what could
 * not be deleted, and says nothing of posts. */
static void do_chores(keeper_writer_t *writer, keeper_task_t **tasks, int count, apr_status_t rv,
                      apr_pool_t *pool)
{
    int i;

    for (i = 0; i < count; i++) {
        keeper_task_t *task = tasks[i];
        apr_status_t done = rv;

        if (rv == APR_SUCCESS && task->kind == KEEPER_TASK_PROGRESS) {
            done = keeper_recovery_keep(writer->database.db, task->site, task->proxy,
                                        task->watermark, pool);
            keeper_database_report(&writer->database, done);
        }
        else if (rv == APR_SUCCESS) {
            done = keeper_sweep_step(&writer->sweeper, writer->database.db, task, wall_clock_now(),
                                     gc_clock_now(), pool);
        }
        task->status = status_of(done);
        if (rv == APR_SUCCESS && done == APR_ENOENT) {
            keeper_database_forget(&writer->database);
            rv = done;
        }
        else if (rv == APR_SUCCESS && done != APR_SUCCESS) {
            rv = keeper_database_ready(&writer->database, pool); /* for what is next */
        }
    }
}

/* Posts come first, and have their answers before anything else is begun. */
static void do_batch(keeper_writer_t *writer, keeper_task_t **tasks, int count, apr_pool_t *pool)
{
    keeper_task_t *jobs[BATCH_MAX];
    int job_count = 0;
    int chore_count = 0;
    apr_status_t rv = keeper_database_ready(&writer->database, pool);
    int i;

    for (i = 0; i < count; i++) {
        tasks[i]->status = status_of(rv);
        if (tasks[i]->kind == KEEPER_TASK_JOB) {
            jobs[job_count++] = tasks[i];
        }
        else {
            tasks[chore_count++] = tasks[i];
        }
    }
    if (rv == APR_SUCCESS) {
        rv = append_posts(writer, jobs, job_count, pool);
        if (rv == APR_SUCCESS) {
            rv =
                keeper_database_ready(&writer->database, pool); /* if it was opened anew for them */
        }
    }
    if (rv == APR_ENOENT) {
        keeper_database_forget(&writer->database);
    }
    if (rv != APR_SUCCESS || job_count > 0) {
        keeper_database_report(&writer->database, rv);
    }
    if (job_count > 0) {
        hand_back(writer, jobs, job_count);
    }
    if (chore_count > 0) {
        do_chores(writer, tasks, chore_count, rv, pool);
        hand_back(writer, tasks, chore_count);
    }
}

/* Wait for tasks, or until it is time to look. */
static int gather(keeper_writer_t *writer, keeper_task_t **tasks, int *is_to_look, int *must_end)
{
    int count = 0;

    must(apr_thread_mutex_lock(writer->mutex));
    /* Not a timed wait: APR's goes by the wall clock, which may be set while it waits. */
    while (!writer->waiting.first && !writer->is_stopping && !writer->is_to_look) {
        must(apr_thread_cond_wait(writer->wake, writer->mutex));
    }
    *is_to_look = writer->is_to_look && !writer->is_stopping;
    writer->is_to_look = 0;
    while (count < BATCH_MAX && writer->waiting.first) {
        tasks[count++] = keeper_queue_pop(&writer->waiting);
    }
    *must_end = count == 0 && writer->is_stopping;
    must(apr_thread_mutex_unlock(writer->mutex));
    return count;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    keeper_writer_t *writer = data;
    keeper_task_t *tasks[BATCH_MAX];
    apr_pool_t *scratch;
    int is_to_look = 0;
    int must_end = 0;

    must(apr_pool_create(&scratch, writer->pool));
    keeper_database_report(&writer->database, keeper_database_ready(&writer->database, scratch));
    while (!must_end) {
        int count = gather(writer, tasks, &is_to_look, &must_end);

        apr_pool_clear(scratch);
        if (count > 0) {
            do_batch(writer, tasks, count, scratch);
        }
        if (is_to_look) {
            keeper_database_look(&writer->database, scratch);
        }
    }
    keeper_database_close(&writer->database, scratch);
    return NULL;
}

apr_status_t keeper_writer_start(keeper_writer_t **out, const keeper_config_t *config,
                                 const keeper_site_t *const *sites, apr_size_t site_count,
                                 keeper_writer_notify_fn *notify, void *baton, apr_pool_t *pool)
{
    keeper_writer_t *writer = apr_pcalloc(pool, sizeof(*writer));
    keeper_database_hooks_t hooks = {must_stop, push_behind, was_recovered, writer};
    apr_status_t rv = gc_pool_create(&writer->pool, NULL, "grip_chat_keeper_writer");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    writer->config = config;
    writer->notify = notify;
    writer->baton = baton;
    writer->sweeper.config = config;
    writer->sweeper.path = sites[0]->database.params;
    keeper_database_init(&writer->database, config, sites, site_count, &hooks, writer->pool);
    rv = apr_thread_mutex_create(&writer->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&writer->wake, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&writer->thread, NULL, run, writer, pool);
    }
    if (rv == APR_SUCCESS) {
        *out = writer;
    }
    return rv;
}

apr_status_t keeper_writer_stop(keeper_writer_t *writer)
{
    apr_status_t result = APR_SUCCESS;
    apr_status_t rv;

    must(apr_thread_mutex_lock(writer->mutex));
    writer->is_stopping = 1;
    must(apr_thread_cond_signal(writer->wake));
    must(apr_thread_mutex_unlock(writer->mutex));
    rv = apr_thread_join(&result, writer->thread);
    return rv == APR_SUCCESS ? result : rv;
}
