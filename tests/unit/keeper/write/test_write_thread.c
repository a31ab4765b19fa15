/* A database's writer while much comes at once, or its database keeps it waiting. */
#include "unit_events.h"
#include "write_thread.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/socket.h>

#include "gc_clock.h"
#include "keeper_child.h"
#include "keeper_process.h"
#include "write_intake.h"

/* A writer, and what it needs. */
typedef struct fixture_t {
    keeper_home_t *home;
    write_thread_t *writer;
    apr_pool_t *pool; /* of one frame or result */
    int keys;
    int moved;  /* atomic: posts whose rooms it said have changed */
    int stored; /* tasks that have come back so far */
    int progress;
    int closed;
} fixture_t;

static void ignore(void *baton)
{
}

static void count_moved(const ipc_moved_t *moved, int count, apr_pool_t *pool, void *baton)
{
    __atomic_add_fetch(&((fixture_t *)baton)->moved, count, __ATOMIC_SEQ_CST);
}

static fixture_t *make_fixture(const unit_temp_t *temp)
{
    fixture_t *fixture = apr_pcalloc(temp->pool, sizeof(*fixture));

    fixture->home = keeper_home_make(temp, "s", "http://localhost:5561/");
    assert_int_equal(apr_pool_create(&fixture->pool, temp->pool), APR_SUCCESS);
    return fixture;
}

static void start_writer(fixture_t *fixture)
{
    write_thread_hooks_t hooks = {ignore, count_moved, fixture};

    assert_int_equal(write_thread_start(&fixture->writer, &fixture->home->config,
                                        fixture->home->sites, 1, &hooks, fixture->home->temp->pool),
                     APR_SUCCESS);
}

/* Take what has come back, as the loop would. */
static void take_done(fixture_t *fixture)
{
    keeper_task_t *task;

    while ((task = write_thread_done(fixture->writer))) {
        switch (task->kind) {
        case KEEPER_TASK_STORED:
            fixture->stored++;
            free(task->owner);
            break;
        case KEEPER_TASK_PROGRESS:
            fixture->progress++;
            free(task);
            break;
        case KEEPER_TASK_BEHIND:
            free(task);
            break;
        case KEEPER_TASK_CLOSED:
            fixture->closed++;
            break;
        default:
            fail_msg("a task of kind %d came back", task->kind);
        }
    }
}

static void stop_writer(fixture_t *fixture)
{
    assert_int_equal(write_thread_stop(fixture->writer), APR_SUCCESS);
    take_done(fixture);
    assert_int_equal(fixture->closed, 1);
    assert_int_equal(fixture->moved, fixture->stored);
}

static void send_job(fixture_t *fixture, int child)
{
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, fixture->home->site.identity, "room", "al", "hello",
                             NULL, "", "");

    apr_pool_clear(fixture->pool);
    job.append.job_key = apr_psprintf(fixture->pool, "%d", ++fixture->keys);
    keeper_child_send(child, keeper_child_frame(&job, fixture->pool));
}

/* Give the writer a new connection, on which a job has arrived; the child's end of it. */
static int push_child(fixture_t *fixture)
{
    int child;
    keeper_connection_t *connection = keeper_child_connect(&child);

    send_job(fixture, child);
    assert_int_equal(keeper_connection_read(connection), KEEPER_READ_JOB);
    write_thread_push(fixture->writer, &connection->pass);
    return child;
}

static void push_progress(fixture_t *fixture)
{
    keeper_task_t *task = calloc(1, sizeof(*task));

    assert_non_null(task);
    task->kind = KEEPER_TASK_PROGRESS;
    task->site = &fixture->home->site;
    write_thread_push(fixture->writer, task);
}

/* Wait for a child's reply; 0 if none comes in time, -1 for the end of its connection. */
static int await_reply(int child, int timeout_ms, ipc_reply_t *reply)
{
    struct pollfd wanted = {.fd = child, .events = POLLIN};
    char bytes[IPC_FRAME_REPLY_BYTES];

    if (poll(&wanted, 1, timeout_ms) == 0) {
        return 0;
    }
    if (recv(child, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes)) {
        return -1;
    }
    assert_int_equal(ipc_frame_read_reply(reply, gc_slice(bytes, sizeof(bytes))), APR_SUCCESS);
    return (int)reply->status;
}

static int await_answer(int child, int timeout_ms)
{
    ipc_reply_t reply;

    return await_reply(child, timeout_ms, &reply);
}

/* Nothing else wakes the writer, as something does once a second in a keeper. */
static void serves_who_came_while_it_opened_the_database_for_another(void **state)
{
    const unit_temp_t *temp = *state;
    fixture_t *fixture = make_fixture(temp);
    chat_database_t *other =
        chat_database_create(&fixture->home->site.database, CHAT_DATABASE_WRITER, temp->pool);
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;
    int first;
    int second;

    assert_int_equal(chat_database_begin(other, temp->pool), APR_SUCCESS);
    start_writer(fixture);
    first = push_child(fixture);
    while (__atomic_load_n(fixture->home->log_lines, __ATOMIC_SEQ_CST) == 0 && gc_clock_now() < end)
    {
        apr_sleep(apr_time_from_msec(2)); /* until it has found the database locked */
    }
    apr_sleep(apr_time_from_msec(50)); /* it tries once more, for the first */
    second = push_child(fixture);
    assert_int_equal(chat_database_run(other, "COMMIT"), APR_SUCCESS);
    assert_int_equal(await_answer(first, 4000), IPC_DONE);
    assert_int_equal(await_answer(second, 4000), IPC_DONE);
    stop_writer(fixture);
    chat_database_close(other);
    close(first);
    close(second);
}

static ipc_reply_t post(fixture_t *fixture, int child)
{
    ipc_reply_t reply;

    send_job(fixture, child);
    assert_int_equal(await_reply(child, 4000, &reply), IPC_DONE);
    return reply;
}

/* Change the database by hand after five messages, or restore it to one, and look at what the next
 * two get. No loop looks after the database meanwhile, as it does once a second in a keeper. */
static void check_goes_on_after(const unit_temp_t *temp, const char *sql)
{
    fixture_t *fixture = make_fixture(temp);
    unsigned number = fixture->home->site.database_number;
    ipc_reply_t last = {IPC_DONE, 0, 0, 0};
    const char *path = fixture->home->site.database.params;
    apr_uint64_t epoch;
    int child;
    int i;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    start_writer(fixture);
    child = push_child(fixture);
    assert_int_equal(await_reply(child, 4000, &last), IPC_DONE);
    unit_sqlite(path, apr_psprintf(temp->pool, "VACUUM INTO '%s-copy'", path), temp->pool);
    for (i = 0; i < 4; i++) {
        last = post(fixture, child);
    }
    assert_int_equal(last.position, 5);
    epoch = ipc_shared_version(fixture->home->config.shared, number, 0).epoch;
    unit_sqlite(path, sql ? sql : apr_psprintf(temp->pool, ".restore %s-copy", path), temp->pool);
    for (i = 0; i < 2; i++) {
        ipc_reply_t next = post(fixture, child);

        assert_true(next.id > last.id);
        assert_true(next.position > last.position);
        last = next;
    }
    assert_int_not_equal(ipc_shared_version(fixture->home->config.shared, number, 0).epoch, epoch);
    stop_writer(fixture);
    close(child);
}

static void gives_nothing_again_after_a_message_was_deleted_by_hand(void **state)
{
    check_goes_on_after(*state, "DELETE FROM grip_chat_message WHERE id = 5");
}

static void gives_nothing_again_after_all_was_deleted_by_hand(void **state)
{
    check_goes_on_after(*state, "DELETE FROM grip_chat_message; DELETE FROM grip_chat_room;"
                                " DELETE FROM sqlite_sequence");
}

static void gives_nothing_again_after_a_copy_was_restored(void **state)
{
    check_goes_on_after(*state, NULL);
}

/* Answer for all children whose answers have come by sending their next jobs. @return how many */
static int post_again(fixture_t *fixture, struct pollfd *children, int count)
{
    int answered = 0;
    int i;

    assert_true(poll(children, (nfds_t)count, 5000) > 0);
    for (i = 0; i < count; i++) {
        if (children[i].revents) {
            assert_int_equal(await_answer(children[i].fd, 0), IPC_DONE);
            send_job(fixture, children[i].fd);
            answered++;
        }
    }
    return answered;
}

/* So many children post all the time that the writer never finds fewer jobs than it takes at once. */
static void does_chores_and_serves_new_children_though_others_keep_it_busy(void **state)
{
    enum { CROWD = WRITE_INTAKE_MAX * 5 / 2, ENOUGH = CROWD * 8 };
    fixture_t *fixture = make_fixture(*state);
    struct pollfd children[CROWD];
    struct rlimit limit;
    int answered = 0;
    int last = 0;
    int late;
    int i;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    start_writer(fixture);
    for (i = 0; i < CROWD; i++) {
        children[i] = (struct pollfd){.fd = push_child(fixture), .events = POLLIN};
    }
    while (answered < CROWD * 2) {
        answered += post_again(fixture, children, CROWD);
    }
    push_progress(fixture);
    late = push_child(fixture);
    for (answered = 0; answered < ENOUGH && (last == 0 || fixture->progress == 0);) {
        answered += post_again(fixture, children, CROWD);
        last = last ? last : await_answer(late, 0);
        take_done(fixture);
    }
    assert_int_equal(last, IPC_DONE);
    assert_int_equal(fixture->progress, 1);
    stop_writer(fixture);
    for (i = 0; i < CROWD; i++) {
        close(children[i].fd);
    }
    close(late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(serves_who_came_while_it_opened_the_database_for_another),
        TEMP_TEST(does_chores_and_serves_new_children_though_others_keep_it_busy),
        TEMP_TEST(gives_nothing_again_after_a_message_was_deleted_by_hand),
        TEMP_TEST(gives_nothing_again_after_all_was_deleted_by_hand),
        TEMP_TEST(gives_nothing_again_after_a_copy_was_restored),
    };

    return UNIT_RUN(tests);
}
