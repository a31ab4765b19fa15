#include "keeper_child.h"
#include "unit_events.h"
#include "write_intake.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gc_clock.h"

/* An intake of one site, and what it gave back. */
typedef struct fixture_t {
    apr_pool_t *pool;
    ipc_site_t site;
    const ipc_site_t *sites[1];
    write_intake_t intake;
    keeper_connection_t *given_back;
} fixture_t;

static void note_given_back(keeper_connection_t *connection, void *baton)
{
    fixture_t *fixture = baton;

    assert_null(fixture->given_back);
    fixture->given_back = connection;
}

static fixture_t *make_fixture(apr_pool_t *pool)
{
    fixture_t *fixture = apr_pcalloc(pool, sizeof(*fixture));

    fixture->pool = pool;
    fixture->site.identity = "mine";
    fixture->site.name = "";
    fixture->sites[0] = &fixture->site;
    assert_int_equal(
        write_intake_init(&fixture->intake, fixture->sites, 1, note_given_back, fixture, pool),
        APR_SUCCESS);
    return fixture;
}

static void send_job(const fixture_t *fixture, int child, const char *site, const char *text)
{
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, site, "room", "al", text, "key", "", "");

    keeper_child_send(child, keeper_child_frame(&job, fixture->pool));
}

/* A new connection that the intake serves; the child's end of it. */
static int connect_child(fixture_t *fixture)
{
    int child;

    write_intake_adopt(&fixture->intake, keeper_child_connect(&child));
    return child;
}

static void read_all(fixture_t *fixture)
{
    assert_int_equal(write_intake_read(&fixture->intake, 0), APR_SUCCESS);
}

static void reply_to_all(fixture_t *fixture, ipc_status_e status)
{
    int i;

    for (i = 0; i < fixture->intake.count; i++) {
        fixture->intake.jobs[i]->reply = (ipc_reply_t){status, 1, 1, 1};
    }
    write_intake_reply(&fixture->intake);
}

/* The child's answer; 0 for none yet, -1 if its connection was closed. */
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
    fixture_t *fixture = make_fixture(*state);
    int a = connect_child(fixture);
    int b = connect_child(fixture);
    int round;

    for (round = 0; round < 2; round++) {
        send_job(fixture, a, "mine", "one");
        send_job(fixture, b, "mine", "two");
        read_all(fixture);
        assert_int_equal(fixture->intake.count, 2);
        assert_ptr_equal(fixture->intake.jobs[0]->received->task.site, &fixture->site);
        assert_int_equal(answer_to(a), 0);
        reply_to_all(fixture, IPC_DONE);
        assert_int_equal(fixture->intake.count, 0);
        assert_int_equal(answer_to(a), IPC_DONE);
        assert_int_equal(answer_to(b), IPC_DONE);
    }
    close(a);
    close(b);
    write_intake_close(&fixture->intake);
}

static void takes_a_job_that_came_before_the_connection(void **state)
{
    fixture_t *fixture = make_fixture(*state);
    int child;
    keeper_connection_t *connection = keeper_child_connect(&child);

    send_job(fixture, child, "mine", "one");
    assert_int_equal(keeper_connection_read(connection), KEEPER_READ_JOB);
    write_intake_adopt(&fixture->intake, connection);
    assert_int_equal(fixture->intake.count, 1);
    reply_to_all(fixture, IPC_DONE);
    assert_int_equal(answer_to(child), IPC_DONE);
    close(child);
    write_intake_close(&fixture->intake);
}

static void forgets_the_job_of_a_child_that_has_gone(void **state)
{
    fixture_t *fixture = make_fixture(*state);
    int gone = connect_child(fixture);
    int waits = connect_child(fixture);

    send_job(fixture, gone, "mine", "one");
    send_job(fixture, waits, "mine", "two");
    read_all(fixture);
    assert_int_equal(fixture->intake.count, 2);
    close(gone);
    read_all(fixture);
    assert_int_equal(fixture->intake.count, 1);
    assert_string_equal(fixture->intake.jobs[0]->received->task.append.event.payload.data, "two");
    reply_to_all(fixture, IPC_LOCKED);
    assert_int_equal(answer_to(waits), IPC_LOCKED);
    close(waits);
    write_intake_close(&fixture->intake);
}

static void does_not_read_the_job_of_a_child_that_has_gone(void **state)
{
    fixture_t *fixture = make_fixture(*state);
    int child = connect_child(fixture);

    send_job(fixture, child, "mine", "one");
    close(child);
    read_all(fixture);
    assert_int_equal(fixture->intake.count, 0);
    assert_null(keeper_poll_next(fixture->intake.poll, KEEPER_FD_CHILD, NULL));
}

static void gives_back_a_connection_whose_job_is_for_another_site(void **state)
{
    fixture_t *fixture = make_fixture(*state);
    int child = connect_child(fixture);

    send_job(fixture, child, "theirs", "one");
    read_all(fixture);
    assert_int_equal(fixture->intake.count, 0);
    assert_non_null(fixture->given_back);
    assert_null(keeper_poll_next(fixture->intake.poll, KEEPER_FD_CHILD, NULL));
    assert_int_equal(answer_to(child), 0);
    keeper_connection_close(fixture->given_back);
    close(child);
}

/* As a child of another version of the module might send one. */
static void refuses_what_would_make_a_room_unreadable(void **state)
{
    fixture_t *fixture = make_fixture(*state);
    int child = connect_child(fixture);

    send_job(fixture, child, "mine", "\xff");
    read_all(fixture);
    assert_int_equal(fixture->intake.count, 0);
    assert_int_equal(answer_to(child), IPC_MALFORMED);
    send_job(fixture, child, "mine", "well");
    read_all(fixture);
    assert_int_equal(fixture->intake.count, 1);
    reply_to_all(fixture, IPC_DONE);
    close(child);
    write_intake_close(&fixture->intake);
}

static void leaves_more_than_it_may_take_for_the_next_time(void **state)
{
    fixture_t *fixture = make_fixture(*state);
    int children[WRITE_INTAKE_MAX + 3];
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;
    int answered = 0;
    int i;

    for (i = 0; i < COUNT_OF(children); i++) {
        children[i] = connect_child(fixture);
        send_job(fixture, children[i], "mine", "one");
    }
    read_all(fixture);
    assert_int_equal(fixture->intake.count, WRITE_INTAKE_MAX);
    while (answered < COUNT_OF(children) && gc_clock_now() < end) {
        answered += fixture->intake.count;
        reply_to_all(fixture, IPC_DONE);
        read_all(fixture);
    }
    for (i = 0; i < COUNT_OF(children); i++) {
        assert_int_equal(answer_to(children[i]), IPC_DONE);
        close(children[i]);
    }
    write_intake_close(&fixture->intake);
}

/* The job that was not read is for the next keeper. */
static void closes_all_connections_and_those_that_come_later(void **state)
{
    fixture_t *fixture = make_fixture(*state);
    int a = connect_child(fixture);
    int b = connect_child(fixture);
    int late;

    send_job(fixture, b, "mine", "one");
    write_intake_close(&fixture->intake);
    late = connect_child(fixture);
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
    fixture_t *fixture = make_fixture(*state);
    int file = open("/dev/null", O_RDWR); /* epoll takes none */
    keeper_connection_t *connection = keeper_connection_create(file);

    assert_non_null(connection);
    write_intake_adopt(&fixture->intake, connection);
    assert_int_equal(fcntl(file, F_GETFD), -1);
    assert_null(keeper_poll_next(fixture->intake.poll, KEEPER_FD_CHILD, NULL));
    write_intake_close(&fixture->intake);
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
