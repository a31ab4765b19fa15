#include "keeper_writer.h"

#include <stdlib.h>

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

#include "gc_clock.h"
#include "gc_pool.h"
#include "keeper_lock.h"
#include "keeper_recovery.h"
#include "keeper_sweep.h"

/* Jobs of one transaction. More wait for the next, so that an answer never waits for too many. */
#define BATCH_MAX 512

/* How often to look whether another keeper has let go of the database. */
#define LOCK_PAUSE apr_time_from_msec(10)

/* How often to try to save a deleted log, which somebody who reads keeps from it, at the end. */
#define CLOSE_TRIES 200

/* After this long it is worth a line in the log. */
#define LOCK_PATIENCE apr_time_from_sec(3)

struct keeper_writer_t {
    const keeper_config_t *config;
    const keeper_site_t *const *sites;
    apr_size_t site_count;
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
    chat_database_t *db;
    keeper_lock_t lock;
    int is_locked;
    int is_recovered;
    unsigned openings;     /* of the database, when it was recovered last */
    apr_status_t reported; /* the failure that was logged last */
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

    for (i = 0; i < writer->site_count; i++) {
        if (writer->sites[i] == site) {
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

/* Log a failure once, and the end of it once. */
static void report(keeper_writer_t *writer, apr_status_t rv)
{
    const char *path = writer->sites[0]->database.params;

    if (rv == writer->reported || (APR_STATUS_IS_EAGAIN(rv) && writer->reported == APR_EBUSY)) {
        return;
    }
    writer->reported = rv;
    if (rv == APR_SUCCESS) {
        gc_log_line(writer->config->log, GC_LOG_NOTICE, rv,
                    "GC0201: the database %s can be written again", path);
    }
    else if (rv == APR_EAGAIN) {
        gc_log_line(
            writer->config->log, GC_LOG_WARNING, APR_SUCCESS,
            "GC0202: another process holds the database %s; posts are answered 503 until it "
            "lets go",
            path);
    }
    else {
        gc_log_line(
            writer->config->log, GC_LOG_ERR, rv,
            "GC0203: the database %s cannot be written: %s; posts are answered 503 until it "
            "can",
            path, chat_database_last_error(writer->db));
    }
}

static int must_stop(keeper_writer_t *writer)
{
    int is_stopping;

    must(apr_thread_mutex_lock(writer->mutex));
    is_stopping = writer->is_stopping;
    must(apr_thread_mutex_unlock(writer->mutex));
    return is_stopping;
}

/* Wait until no other keeper has the database: the one of before a restart ends in a moment. */
static apr_status_t take_lock(keeper_writer_t *writer)
{
    const char *path = writer->sites[0]->database.params;
    gc_moment_t start = gc_clock_now();
    apr_status_t rv = APR_SUCCESS;

    while (!writer->is_locked) {
        apr_pool_t *pool;

        rv = apr_pool_create(&pool, writer->pool);
        if (rv == APR_SUCCESS) {
            rv = keeper_lock_try(&writer->lock, path, pool);
        }
        if (rv == APR_SUCCESS) {
            writer->is_locked = 1;
            break;
        }
        apr_pool_destroy(pool);
        if (!APR_STATUS_IS_EAGAIN(rv)) {
            break;
        }
        if (writer->reported == APR_EBUSY || must_stop(writer)) {
            break;
        }
        if (gc_clock_now() - start > LOCK_PATIENCE) {
            writer->reported = APR_EBUSY;
            gc_log_line(writer->config->log, GC_LOG_ERR, rv,
                        "GC0204: another keeper holds %s.keeper-lock, and posts are answered 503; "
                        "does another httpd use the same database? Give each a GripChatDatabase of "
                        "its own",
                        path);
            break;
        }
        apr_sleep(LOCK_PAUSE);
    }
    return rv;
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

/* Another file may hold anything, and may lack what is made when one is first opened. */
static void forget_file(keeper_writer_t *writer)
{
    gc_log_line(writer->config->log, GC_LOG_WARNING, APR_SUCCESS,
                "GC0205: the database file %s was deleted or replaced; going on with what lies "
                "there, or a new one",
                writer->sites[0]->database.params);
    keeper_shared_bump_all(writer->config->shared);
    writer->is_recovered = 0;
}

/* Open the database and, the first time, see what was left undone. */
static apr_status_t make_ready(keeper_writer_t *writer, apr_pool_t *pool)
{
    apr_status_t rv = take_lock(writer);
    unsigned openings;
    apr_size_t i;

    if (rv == APR_SUCCESS) {
        rv = chat_database_check(writer->db, pool);
    }
    if (rv == APR_ENOENT) {
        forget_file(writer);
        rv = APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = chat_database_ready(writer->db);
    }
    if (rv != APR_SUCCESS ||
        (writer->is_recovered && writer->openings == chat_database_openings(writer->db)))
    {
        return rv;
    }
    if (writer->is_recovered) {
        /* Opened anew after an error, and what lay there meanwhile nobody has seen. */
        keeper_shared_bump_all(writer->config->shared);
        writer->is_recovered = 0;
    }
    openings = chat_database_openings(writer->db);
    for (i = 0; rv == APR_SUCCESS && i < writer->site_count; i++) {
        rv = keeper_recovery_run(writer->db, writer->sites[i], push_behind, writer, pool);
    }
    if (rv == APR_SUCCESS) {
        writer->is_recovered = 1;
        writer->openings = openings;
        writer->notify(writer->baton);
    }
    return rv;
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
    rv = chat_store_append(writer->db, appends, n, wall_clock_now(), pool);
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
            done = keeper_recovery_keep(writer->db, task->site, task->proxy, task->watermark, pool);
            report(writer, done);
        }
        else if (rv == APR_SUCCESS) {
            done = keeper_sweep_step(&writer->sweeper, writer->db, task, wall_clock_now(),
                                     gc_clock_now(), pool);
        }
        task->status = status_of(done);
        if (rv == APR_SUCCESS && done == APR_ENOENT) {
            forget_file(writer);
            rv = done;
        }
        else if (rv == APR_SUCCESS && done != APR_SUCCESS) {
            rv = make_ready(writer, pool); /* for what is next */
        }
    }
}

/* Posts come first, and have their answers before anything else is begun. */
static void do_batch(keeper_writer_t *writer, keeper_task_t **tasks, int count, apr_pool_t *pool)
{
    keeper_task_t *jobs[BATCH_MAX];
    int job_count = 0;
    int chore_count = 0;
    apr_status_t rv = make_ready(writer, pool);
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
            rv = make_ready(writer, pool); /* if it was opened anew for them */
        }
    }
    if (rv == APR_ENOENT) {
        forget_file(writer);
    }
    if (rv != APR_SUCCESS || job_count > 0) {
        report(writer, rv);
    }
    if (job_count > 0) {
        hand_back(writer, jobs, job_count);
    }
    if (chore_count > 0) {
        do_chores(writer, tasks, chore_count, rv, pool);
        hand_back(writer, tasks, chore_count);
    }
}

/* Try again what the keeper before may have left undone; else see what others did to the database, and
 * tell the children, who go by what they have in memory. A file that is gone is not made anew at once:
 * who is about to put another in its place shall find that free. */
static void look(keeper_writer_t *writer, apr_pool_t *pool)
{
    int was_changed = 0;
    int was_recovered;
    apr_status_t rv;

    if (writer->is_recovered && chat_database_check(writer->db, pool) == APR_ENOENT) {
        forget_file(writer);
        return;
    }
    was_recovered = writer->is_recovered;
    rv = make_ready(writer, pool);
    if (rv != APR_SUCCESS || !was_recovered) {
        report(writer, rv); /* that it is open does not say that posts can be stored again */
    }
    /* Where it cannot be asked nothing is known, and what children have may be the best there is. */
    if (writer->is_recovered &&
        chat_database_was_changed(writer->db, &was_changed, pool) == APR_SUCCESS && was_changed)
    {
        keeper_shared_bump_all(writer->config->shared);
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
    int tries = CLOSE_TRIES;

    must(apr_pool_create(&scratch, writer->pool));
    report(writer, make_ready(writer, scratch));
    while (!must_end) {
        int count = gather(writer, tasks, &is_to_look, &must_end);

        apr_pool_clear(scratch);
        if (count > 0) {
            do_batch(writer, tasks, count, scratch);
        }
        if (is_to_look) {
            look(writer, scratch);
        }
    }
    /* The next keeper cannot tell whose log it finds; what a deleted one holds is saved here or never. */
    while (chat_database_check(writer->db, scratch) == APR_EAGAIN && tries-- > 0) {
        apr_sleep(LOCK_PAUSE);
    }
    chat_database_close(writer->db);
    if (writer->is_locked) {
        must(keeper_lock_release(&writer->lock));
    }
    return NULL;
}

apr_status_t keeper_writer_start(keeper_writer_t **out, const keeper_config_t *config,
                                 const keeper_site_t *const *sites, apr_size_t site_count,
                                 keeper_writer_notify_fn *notify, void *baton, apr_pool_t *pool)
{
    keeper_writer_t *writer = apr_pcalloc(pool, sizeof(*writer));
    apr_status_t rv = gc_pool_create(&writer->pool, NULL, "grip_chat_keeper_writer");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    writer->config = config;
    writer->sites = sites;
    writer->site_count = site_count;
    writer->notify = notify;
    writer->baton = baton;
    writer->sweeper.config = config;
    writer->sweeper.path = sites[0]->database.params;
    writer->db = chat_database_create(&sites[0]->database, CHAT_DATABASE_WRITER, writer->pool);
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
