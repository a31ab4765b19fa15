/* Sweeps on the writer's thread, among what else it does there. */
#include "unit_events.h"
#include "write_sweep.h"

#include <stdlib.h>
#include <unistd.h>

#include "keeper_child.h"
#include "keeper_sites.h"
#include "retention_fixture.h"
#include "write_lock.h"

#define SECOND apr_time_from_sec(1)

/* A site whose rooms keep one message, and what is needed to serve it. */
typedef struct fixture_t {
    const unit_temp_t *temp;
    ipc_site_t site;
    const ipc_site_t *sites[1];
    keeper_config_t config;
    gc_log_t log;
    char lines[8192]; /* to be read when no writer runs */
    keeper_task_t sweep_task;
    chat_sweep_t sweep;
    int child; /* the end of the connection that posts came on */
} fixture_t;

static void note_line(gc_log_level_e level, apr_status_t rv, const char *line, void *baton)
{
    char *lines = baton;
    apr_size_t len = strlen(lines);

    apr_snprintf(lines + len, sizeof(((fixture_t *)0)->lines) - len, "%s\n", line);
}

static int count_lines(const fixture_t *fixture, const char *id)
{
    const char *at = fixture->lines;
    int count = 0;

    while ((at = strstr(at, id))) {
        at++;
        count++;
    }
    return count;
}

static fixture_t *make_fixture(const unit_temp_t *temp)
{
    fixture_t *fixture = apr_pcalloc(temp->pool, sizeof(*fixture));

    fixture->temp = temp;
    fixture->log.level = GC_LOG_INFO;
    fixture->log.print = note_line;
    fixture->log.baton = fixture->lines;
    fixture->site.identity = "x";
    fixture->site.name = "";
    fixture->site.database.driver = "sqlite3";
    fixture->site.database.params = temp->path;
    fixture->site.retention.max_count = 1;
    fixture->sites[0] = &fixture->site;
    fixture->config.sites = fixture->sites;
    fixture->config.site_count = 1;
    fixture->config.shared = ipc_shared_init(apr_pcalloc(temp->pool, ipc_shared_size()));
    fixture->config.log = &fixture->log;
    return fixture;
}

/* A fixture whose room "a" holds messages of long ago, and whose database does what SQL says. */
static fixture_t *make_fixture_with(const unit_temp_t *temp, int count, const char *sql)
{
    chat_database_t *db;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    db = open_as(temp, CHAT_DATABASE_WRITER);
    store_many_at(db, "", "a", count, 10, temp);
    chat_database_close(db);
    (void)unit_sqlite(temp->path, sql, temp->pool);
    return make_fixture(temp);
}

static void ignore(void *baton)
{
}

static void ignore_moved(const ipc_moved_t *moved, int count, apr_pool_t *pool, void *baton)
{
}

static const write_thread_hooks_t no_hooks = {ignore, ignore_moved, NULL};

static write_thread_t *start_writer(fixture_t *fixture)
{
    write_thread_t *writer;

    assert_int_equal(write_thread_start(&writer, &fixture->config, fixture->sites, 1, &no_hooks,
                                        fixture->temp->pool),
                     APR_SUCCESS);
    return writer;
}

static void push_sweep(fixture_t *fixture, write_thread_t *writer)
{
    memset(&fixture->sweep_task, 0, sizeof(fixture->sweep_task));
    fixture->sweep_task.kind = KEEPER_TASK_SWEEP;
    fixture->sweep_task.site = &fixture->site;
    fixture->sweep_task.sweep = &fixture->sweep;
    write_thread_push(writer, &fixture->sweep_task);
}

static void push_post(fixture_t *fixture, write_thread_t *writer)
{
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, "x", "b", "al", "x", unique(fixture->temp), "", "");
    keeper_connection_t *connection = keeper_child_connect(&fixture->child);

    keeper_child_send(fixture->child, keeper_child_frame(&job, fixture->temp->pool));
    assert_int_equal(keeper_connection_read(connection), KEEPER_READ_JOB);
    write_thread_push(writer, &connection->pass);
}

static ipc_status_e wait_reply(fixture_t *fixture)
{
    ipc_status_e status = keeper_child_receive(fixture->child);

    close(fixture->child);
    return status;
}

static keeper_task_t *wait_done(write_thread_t *writer)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;
    keeper_task_t *task;

    while (!(task = write_thread_done(writer)) && gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(1));
    }
    assert_non_null(task);
    return task;
}

/* Push a sweep and a post that the writer will find together. */
static write_thread_t *start_with_both(fixture_t *fixture)
{
    write_thread_t *writer;
    write_lock_t lock;

    assert_int_equal(write_lock_try(&lock, fixture->temp->path, fixture->temp->pool), APR_SUCCESS);
    writer = start_writer(fixture);
    push_sweep(fixture, writer);
    push_post(fixture, writer);
    assert_int_equal(write_lock_release(&lock), APR_SUCCESS);
    return writer;
}

static void answers_a_post_before_it_deletes(void **state)
{
    fixture_t *fixture = make_fixture_with(
        *state, 2,
        "CREATE VIEW slow AS WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
        " WHERE i < 2000000) SELECT i FROM c;"
        "CREATE TRIGGER t BEFORE DELETE ON grip_chat_message"
        " BEGIN SELECT count(*) FROM slow; END");
    write_thread_t *writer = start_with_both(fixture);

    assert_int_equal(wait_reply(fixture), IPC_DONE);
    assert_null(write_thread_done(writer));
    assert_ptr_equal(wait_done(writer), &fixture->sweep_task);
    assert_int_equal(fixture->sweep_task.status, IPC_DONE);
    assert_int_equal(write_thread_stop(writer), APR_SUCCESS);
    assert_string_equal(fixture->lines, "");
}

static void does_not_sweep_where_a_post_could_not_be_stored(void **state)
{
    fixture_t *fixture = make_fixture_with(*state, 2,
                                           "CREATE TRIGGER t BEFORE INSERT ON grip_chat_message"
                                           " BEGIN SELECT RAISE(ABORT, 'no'); END;"
                                           "CREATE TRIGGER u BEFORE INSERT ON grip_chat_meta"
                                           " BEGIN SELECT RAISE(ABORT, 'no'); END");
    write_thread_t *writer = start_with_both(fixture);

    assert_int_equal(wait_reply(fixture), IPC_UNAVAILABLE);
    assert_ptr_equal(wait_done(writer), &fixture->sweep_task);
    assert_int_equal(fixture->sweep_task.status, IPC_UNAVAILABLE);
    assert_int_equal(write_thread_stop(writer), APR_SUCCESS);
    assert_int_equal(count_rows("grip_chat_message", fixture->temp), 2);
    assert_int_equal(count_lines(fixture, "GC0203"), 1);
    assert_int_equal(count_lines(fixture, "\n"), 1);
}

#define REFUSE_TO_DELETE                                                                           \
    "CREATE TRIGGER t BEFORE DELETE ON grip_chat_message BEGIN SELECT RAISE(ABORT, 'no'); END"

static void logs_that_nothing_can_be_deleted_once_and_apart_from_posts(void **state)
{
    const unit_temp_t *temp = *state;
    fixture_t *fixture = make_fixture_with(temp, 2, REFUSE_TO_DELETE);
    write_thread_t *writer = start_writer(fixture);
    int i;

    for (i = 0; i < 3; i++) {
        push_sweep(fixture, writer);
        assert_int_equal(wait_done(writer)->status, IPC_UNAVAILABLE);
        push_post(fixture, writer);
        assert_int_equal(wait_reply(fixture), IPC_DONE);
    }
    (void)unit_sqlite(temp->path, "DROP TRIGGER t", temp->pool);
    push_sweep(fixture, writer);
    assert_int_equal(wait_done(writer)->status, IPC_DONE);
    assert_int_equal(write_thread_stop(writer), APR_SUCCESS);
    assert_int_equal(count_lines(fixture, "GC0206"), 1);
    assert_int_equal(count_lines(fixture, "\n"), 1);
    assert_int_equal(count_rows("grip_chat_message WHERE created_ms = 10", temp), 1);
}

/* Have the sites of a fixture swept, if that is due at a moment. @return the task that came back */
static keeper_task_t *sweep_at(keeper_sites_t *sites, gc_moment_t now)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;
    keeper_task_t *task = NULL;

    if (keeper_sites_sweep(sites, now) == 0) {
        return NULL;
    }
    while (!task && gc_clock_now() < end) {
        task = keeper_sites_done(sites);
    }
    assert_non_null(task);
    return task;
}

static void sweeps_again_at_once_only_what_went_well_and_is_not_done(void **state)
{
    const unit_temp_t *temp = *state;
    fixture_t *fixture = make_fixture_with(temp, CHAT_RETENTION_STEP + 2, REFUSE_TO_DELETE);
    gc_moment_t now = gc_clock_now();
    keeper_sites_t *sites;
    keeper_task_t *task;
    int pushed = 0;

    assert_int_equal(keeper_sites_start(&sites, &fixture->config, NULL, &no_hooks, temp->pool),
                     APR_SUCCESS);
    task = sweep_at(sites, now);
    assert_int_equal(task->status, IPC_UNAVAILABLE);
    assert_int_equal(keeper_sites_swept(sites, task, now), 0);
    assert_null(sweep_at(sites, now));
    assert_null(sweep_at(sites, now + 5 * SECOND - 1));
    assert_int_equal(count_rows("grip_chat_message", temp), CHAT_RETENTION_STEP + 2);
    (void)unit_sqlite(temp->path, "DROP TRIGGER t", temp->pool);
    task = sweep_at(sites, now + 5 * SECOND);
    assert_non_null(task);
    assert_null(sweep_at(sites, now + 20 * SECOND)); /* it is still at it */
    while (keeper_sites_swept(sites, task, now)) {
        pushed++;
        while (!(task = keeper_sites_done(sites))) {
            apr_sleep(apr_time_from_msec(1));
        }
    }
    assert_in_range(pushed, 1, 4);
    assert_int_equal(count_rows("grip_chat_message", temp), 1);
    assert_int_equal(keeper_sites_stop(sites), APR_SUCCESS);
}

/* Sweep at a time of the wall clock, as far as it may go. */
static void sweep_on(fixture_t *fixture, write_sweeper_t *sweeper, chat_database_t *db,
                     apr_time_t wall, gc_moment_t now)
{
    fixture->sweep_task.is_swept = 0;
    while (!fixture->sweep_task.is_swept) {
        assert_int_equal(
            write_sweep_step(sweeper, db, &fixture->sweep_task, wall, now, fixture->temp->pool),
            APR_SUCCESS);
    }
}

static void deletes_nothing_for_an_hour_when_the_clock_jumps_ahead(void **state)
{
    const unit_temp_t *temp = *state;
    fixture_t *fixture = make_fixture(temp);
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    write_sweeper_t sweeper = {&fixture->config, temp->path, 0, 0, 0, 0};
    apr_time_t wall = APR_TIME_C(1000000) * SECOND;
    apr_time_t year = 365 * 24 * WRITE_SWEEP_HOLD;
    gc_moment_t now = 100 * SECOND;

    fixture->site.retention.max_count = 0;
    fixture->site.retention.max_age_ms = apr_time_as_msec(WRITE_SWEEP_HOLD) * 24;
    fixture->sweep_task.site = &fixture->site;
    fixture->sweep_task.sweep = &fixture->sweep;
    store_at(db, "", "a", "", apr_time_as_msec(wall), temp);
    sweep_on(fixture, &sweeper, db, wall, now);
    /* Two steps that are no jump, and one that is taken back. */
    sweep_on(fixture, &sweeper, db, wall + 60 * SECOND + SECOND, now + SECOND);
    sweep_on(fixture, &sweeper, db, wall + 120 * SECOND + 2 * SECOND, now + 2 * SECOND);
    assert_string_equal(fixture->lines, "");
    sweep_on(fixture, &sweeper, db, wall + year, now + 5 * SECOND);
    sweep_on(fixture, &sweeper, db, wall + year, now + 10 * SECOND);
    sweep_on(fixture, &sweeper, db, wall, now + 15 * SECOND);
    assert_kept(db, "", "a", 1, 1, temp);
    assert_int_equal(count_lines(fixture, "GC0207"), 1);
    /* And one that stays. */
    sweep_on(fixture, &sweeper, db, wall + year, now + 20 * SECOND);
    sweep_on(fixture, &sweeper, db, wall + year, now + 20 * SECOND + WRITE_SWEEP_HOLD - 1);
    assert_kept(db, "", "a", 1, 1, temp);
    sweep_on(fixture, &sweeper, db, wall + year, now + 20 * SECOND + WRITE_SWEEP_HOLD);
    assert_kept(db, "", "a", 2, 1, temp);
    assert_int_equal(count_lines(fixture, "GC0207"), 2);
    assert_int_equal(count_lines(fixture, "\n"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(answers_a_post_before_it_deletes),
        TEMP_TEST(does_not_sweep_where_a_post_could_not_be_stored),
        TEMP_TEST(logs_that_nothing_can_be_deleted_once_and_apart_from_posts),
        TEMP_TEST(sweeps_again_at_once_only_what_went_well_and_is_not_done),
        TEMP_TEST(deletes_nothing_for_an_hour_when_the_clock_jumps_ahead),
    };

    return UNIT_RUN(tests);
}
