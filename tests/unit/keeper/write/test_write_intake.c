#include "keeper_child.h"
#include "write_intake.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gc_clock.h"

/* An intake of one site, and what it gave back. */
typedef struct bench_t {
    apr_pool_t *pool;
    ipc_site_t site;
    const ipc_site_t *sites[1];
    write_intake_t intake;
    keeper_connection_t *given_back;
} bench_t;

static void note_given_back(keeper_connection_t *connection, void *baton)
{
    bench_t *bench = baton;

    assert_null(bench->given_back);
    bench->given_back = connection;
}

static bench_t *make_bench(apr_pool_t *pool)
{
    bench_t *bench = apr_pcalloc(pool, sizeof(*bench));

    bench->pool = pool;
    bench->site.identity = "mine";
    bench->site.name = "";
    bench->sites[0] = &bench->site;
    assert_int_equal(
        write_intake_init(&bench->intake, bench->sites, 1, note_given_back, bench, pool),
        APR_SUCCESS);
    return bench;
}

static void send_job(const bench_t *bench, int child, const char *site, const char *text)
{
    ipc_job_t job = {IPC_JOB_POST, 0, site, "room", "al", text, "key", "", ""};

    keeper_child_send(child, keeper_child_frame(&job, bench->pool));
}

/* A new connection that the intake serves; the child's end of it. */
static int connect_child(bench_t *bench)
{
    int child;

    write_intake_adopt(&bench->intake, keeper_child_connect(&child));
    return child;
}

static void read_all(bench_t *bench)
{
    assert_int_equal(write_intake_read(&bench->intake, 0), APR_SUCCESS);
}

static void reply_to_all(bench_t *bench, ipc_status_e status)
{
    int i;

    for (i = 0; i < bench->intake.count; i++) {
        bench->intake.jobs[i]->reply = (ipc_reply_t){status, 1, 1, 1};
    }
    write_intake_reply(&bench->intake);
}

/* What the child was answered; 0 for nothing yet, -1 if its connection was closed. */
static int answer_to(int child)
{
    char bytes[IPC_FRAME_REPLY_BYTES];
    ipc_reply_t reply;
    ssize_t got = recv(child, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (got <= 0) {
        return got < 0 ? 0 : -1;
    }
    assert_int_equal(ipc_frame_read_reply(&reply, gc_slice(bytes, (apr_size_t)got)), APR_SUCCESS);
    return (int)reply.status;
}

static void takes_the_jobs_of_all_children_and_replies_to_each(void **state)
{
    bench_t *bench = make_bench(*state);
    int a = connect_child(bench);
    int b = connect_child(bench);
    int round;

    for (round = 0; round < 2; round++) {
        send_job(bench, a, "mine", "one");
        send_job(bench, b, "mine", "two");
        read_all(bench);
        assert_int_equal(bench->intake.count, 2);
        assert_ptr_equal(bench->intake.jobs[0]->received->task.site, &bench->site);
        assert_int_equal(answer_to(a), 0);
        reply_to_all(bench, IPC_DONE);
        assert_int_equal(bench->intake.count, 0);
        assert_int_equal(answer_to(a), IPC_DONE);
        assert_int_equal(answer_to(b), IPC_DONE);
    }
    close(a);
    close(b);
    write_intake_close(&bench->intake);
}

static void takes_a_job_that_came_before_the_connection(void **state)
{
    bench_t *bench = make_bench(*state);
    int child;
    keeper_connection_t *connection = keeper_child_connect(&child);

    send_job(bench, child, "mine", "one");
    assert_int_equal(keeper_connection_read(connection), KEEPER_READ_JOB);
    write_intake_adopt(&bench->intake, connection);
    assert_int_equal(bench->intake.count, 1);
    reply_to_all(bench, IPC_DONE);
    assert_int_equal(answer_to(child), IPC_DONE);
    close(child);
    write_intake_close(&bench->intake);
}

static void forgets_the_job_of_a_child_that_has_gone(void **state)
{
    bench_t *bench = make_bench(*state);
    int gone = connect_child(bench);
    int waits = connect_child(bench);

    send_job(bench, gone, "mine", "one");
    send_job(bench, waits, "mine", "two");
    read_all(bench);
    assert_int_equal(bench->intake.count, 2);
    close(gone);
    read_all(bench);
    assert_int_equal(bench->intake.count, 1);
    assert_string_equal(bench->intake.jobs[0]->received->task.append.text, "two");
    reply_to_all(bench, IPC_LOCKED);
    assert_int_equal(answer_to(waits), IPC_LOCKED);
    close(waits);
    write_intake_close(&bench->intake);
}

static void does_not_read_the_job_of_a_child_that_has_gone(void **state)
{
    bench_t *bench = make_bench(*state);
    int child = connect_child(bench);

    send_job(bench, child, "mine", "one");
    close(child);
    read_all(bench);
    assert_int_equal(bench->intake.count, 0);
    assert_null(keeper_poll_next(bench->intake.poll, KEEPER_FD_CHILD, NULL));
}

static void gives_back_a_connection_whose_job_is_for_another_site(void **state)
{
    bench_t *bench = make_bench(*state);
    int child = connect_child(bench);

    send_job(bench, child, "theirs", "one");
    read_all(bench);
    assert_int_equal(bench->intake.count, 0);
    assert_non_null(bench->given_back);
    assert_null(keeper_poll_next(bench->intake.poll, KEEPER_FD_CHILD, NULL));
    assert_int_equal(answer_to(child), 0);
    keeper_connection_close(bench->given_back);
    close(child);
}

/* As a child of another version of the module might send one. */
static void refuses_what_would_make_a_room_unreadable(void **state)
{
    bench_t *bench = make_bench(*state);
    int child = connect_child(bench);

    send_job(bench, child, "mine", "\xff");
    read_all(bench);
    assert_int_equal(bench->intake.count, 0);
    assert_int_equal(answer_to(child), IPC_MALFORMED);
    send_job(bench, child, "mine", "well");
    read_all(bench);
    assert_int_equal(bench->intake.count, 1);
    reply_to_all(bench, IPC_DONE);
    close(child);
    write_intake_close(&bench->intake);
}

static void leaves_more_than_it_may_take_for_the_next_time(void **state)
{
    bench_t *bench = make_bench(*state);
    int children[WRITE_INTAKE_MAX + 3];
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;
    int answered = 0;
    int i;

    for (i = 0; i < COUNT_OF(children); i++) {
        children[i] = connect_child(bench);
        send_job(bench, children[i], "mine", "one");
    }
    read_all(bench);
    assert_int_equal(bench->intake.count, WRITE_INTAKE_MAX);
    while (answered < COUNT_OF(children) && gc_clock_now() < end) {
        answered += bench->intake.count;
        reply_to_all(bench, IPC_DONE);
        read_all(bench);
    }
    for (i = 0; i < COUNT_OF(children); i++) {
        assert_int_equal(answer_to(children[i]), IPC_DONE);
        close(children[i]);
    }
    write_intake_close(&bench->intake);
}

/* The job that was not read is for the next keeper. */
static void closes_all_connections_and_those_that_come_later(void **state)
{
    bench_t *bench = make_bench(*state);
    int a = connect_child(bench);
    int b = connect_child(bench);
    int late;

    send_job(bench, b, "mine", "one");
    write_intake_close(&bench->intake);
    late = connect_child(bench);
    assert_int_equal(answer_to(a), -1);
    assert_true(answer_to(b) <= 0); /* closed with something unread, it is reset */
    assert_int_equal(answer_to(late), -1);
    assert_int_equal(send(b, "x", 1, MSG_NOSIGNAL), -1);
    close(a);
    close(b);
    close(late);
}

/* As when the system has no memory for one more. */
static void closes_a_connection_once_that_it_cannot_watch(void **state)
{
    bench_t *bench = make_bench(*state);
    int file = open("/dev/null", O_RDWR); /* epoll takes none */
    keeper_connection_t *connection = keeper_connection_create(file);

    assert_non_null(connection);
    write_intake_adopt(&bench->intake, connection);
    assert_int_equal(fcntl(file, F_GETFD), -1);
    assert_null(keeper_poll_next(bench->intake.poll, KEEPER_FD_CHILD, NULL));
    write_intake_close(&bench->intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(takes_the_jobs_of_all_children_and_replies_to_each),
        POOL_TEST(takes_a_job_that_came_before_the_connection),
        POOL_TEST(forgets_the_job_of_a_child_that_has_gone),
        POOL_TEST(does_not_read_the_job_of_a_child_that_has_gone),
        POOL_TEST(gives_back_a_connection_whose_job_is_for_another_site),
        POOL_TEST(refuses_what_would_make_a_room_unreadable),
        POOL_TEST(leaves_more_than_it_may_take_for_the_next_time),
        POOL_TEST(closes_a_connection_once_that_it_cannot_watch),
        POOL_TEST(closes_all_connections_and_those_that_come_later),
    };

    return UNIT_RUN(tests);
}
