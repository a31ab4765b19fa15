#include "ipc_client.h"

#include "gc_clock.h"
#include "unit_events.h"
#include "unit_temp.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#define JOBS_MAX 8

/* A keeper in a thread that follows a script, one letter for each job that comes. The letters:
 * (r)eply, (h)alf a reply and the end, (e)nd without a reply, (g)arbage instead of one, (w)ait in
 * silence. */
typedef struct listener_t {
    const char *script;
    const char *path;
    int fd;
    int stop[2];
    pthread_t thread;
    /* the next fields are read once it was stopped */
    int connections;
    int jobs;
    int repeats[JOBS_MAX];
    char keys[JOBS_MAX][IPC_FRAME_KEY_MAX_BYTES];
} listener_t;

/* Wait until fd can be read; 0 when it is time to stop. */
static int can_read(const listener_t *listener, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
                            {.fd = listener->stop[0], .events = POLLIN}};

    return poll(fds, 2, 10000) > 0 && !fds[1].revents;
}

static int take_job(listener_t *listener, int fd)
{
    char frame[1024];
    apr_size_t have = 0;
    apr_size_t size = sizeof(frame);
    ipc_job_t job;

    while (have < size) {
        ssize_t got = can_read(listener, fd) ? recv(fd, frame + have, sizeof(frame) - have, 0) : 0;

        if (got <= 0) {
            return 0;
        }
        have += (apr_size_t)got;
        (void)ipc_frame_size(gc_slice(frame, have), &size);
    }
    if (ipc_frame_read_job(&job, gc_slice(frame, have)) != APR_SUCCESS ||
        listener->jobs == JOBS_MAX) {
        return 0;
    }
    listener->repeats[listener->jobs] = job.append.is_repeat;
    apr_cpystrn(listener->keys[listener->jobs], job.append.job_key, IPC_FRAME_KEY_MAX_BYTES);
    listener->jobs++;
    return 1;
}

static void serve(listener_t *listener, int fd)
{
    while (take_job(listener, fd)) {
        ipc_reply_t reply = {IPC_DONE, 100 + listener->jobs, listener->jobs, 99};
        char bytes[IPC_FRAME_REPLY_BYTES + 1];
        gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};
        char act = *listener->script ? *listener->script++ : 'r';

        ipc_frame_append_reply(&frame, &reply);
        bytes[4] = act == 'g' ? 'x' : bytes[4];
        if (act == 'w') {
            (void)can_read(listener, listener->stop[0]);
        }
        if (act == 'w' || act == 'e' ||
            send(fd, bytes, act == 'h' ? frame.len / 2 : frame.len, MSG_NOSIGNAL) < 0 || act == 'h')
        {
            return;
        }
    }
}

static void *listen_in_thread(void *data)
{
    listener_t *listener = data;

    while (can_read(listener, listener->fd)) {
        int fd = accept(listener->fd, NULL, NULL);

        listener->connections++;
        serve(listener, fd);
        close(fd);
    }
    return NULL;
}

static listener_t *start_listener(const char *script, const unit_temp_t *temp)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    listener_t *listener = apr_pcalloc(temp->pool, sizeof(*listener));

    listener->script = script;
    listener->path = apr_pstrcat(temp->pool, temp->dir, "/keeper.sock", NULL);
    apr_cpystrn(address.sun_path, listener->path, sizeof(address.sun_path));
    listener->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener->fd, 8), 0);
    assert_int_equal(pipe(listener->stop), 0);
    assert_int_equal(pthread_create(&listener->thread, NULL, listen_in_thread, listener), 0);
    return listener;
}

static void stop_listener(listener_t *listener)
{
    assert_int_equal(write(listener->stop[1], "x", 1), 1);
    assert_int_equal(pthread_join(listener->thread, NULL), 0);
    close(listener->stop[0]);
    close(listener->stop[1]);
    close(listener->fd);
}

static ipc_client_t *client_of(const listener_t *listener, apr_pool_t *pool)
{
    ipc_client_t *client = NULL;

    assert_int_equal(ipc_client_create(&client, listener->path, pool), APR_SUCCESS);
    return client;
}

static apr_status_t call(ipc_client_t *client, const char *key, ipc_reply_t *reply,
                         apr_interval_time_t timeout, const unit_temp_t *temp)
{
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, "site", "room", "al", "hello", key, "", "");

    return ipc_client_call(client, &job, reply, timeout, temp->pool);
}

/* Have one job done by a keeper that follows a script; what the client answers. */
static apr_status_t call_with(const char *script, listener_t **listener, ipc_reply_t *reply,
                              const unit_temp_t *temp)
{
    apr_status_t rv;

    *listener = start_listener(script, temp);
    rv = call(client_of(*listener, temp->pool), "key", reply, apr_time_from_msec(300), temp);
    stop_listener(*listener);
    return rv;
}

static void gets_the_reply_to_its_job(void **state)
{
    ipc_reply_t reply = {IPC_MALFORMED, 0, 0, 0};
    listener_t *listener;

    assert_int_equal(call_with("r", &listener, &reply, *state), APR_SUCCESS);
    assert_int_equal(reply.status, IPC_DONE);
    assert_int_equal(reply.id, 101);
    assert_int_equal(reply.position, 1);
    assert_int_equal(listener->jobs, 1);
    assert_int_equal(listener->repeats[0], 0);
    assert_string_equal(listener->keys[0], "key");
}

static void uses_a_connection_again(void **state)
{
    const unit_temp_t *temp = *state;
    listener_t *listener = start_listener("rrr", temp);
    ipc_client_t *client = client_of(listener, temp->pool);
    ipc_reply_t reply;
    int i;

    for (i = 1; i <= 3; i++) {
        assert_int_equal(call(client, "key", &reply, UNIT_PATIENCE, temp), APR_SUCCESS);
        assert_int_equal(reply.position, i);
    }
    stop_listener(listener);
    assert_int_equal(listener->connections, 1);
    assert_int_equal(listener->jobs, 3);
    assert_int_equal(listener->repeats[2], 0);
}

static void sends_a_job_again_under_its_key_when_the_keeper_is_lost(void **state)
{
    ipc_reply_t reply = {IPC_MALFORMED, 0, 0, 0};
    listener_t *listener;

    assert_int_equal(call_with("er", &listener, &reply, *state), APR_SUCCESS);
    assert_int_equal(reply.status, IPC_DONE);
    assert_int_equal(listener->jobs, 2);
    assert_int_equal(listener->connections, 2);
    assert_int_equal(listener->repeats[0], 0);
    assert_int_equal(listener->repeats[1], 1);
    assert_string_equal(listener->keys[1], "key");
}

static void sends_a_job_again_that_got_half_a_reply(void **state)
{
    ipc_reply_t reply = {IPC_MALFORMED, 0, 0, 0};
    listener_t *listener;

    assert_int_equal(call_with("hhr", &listener, &reply, *state), APR_SUCCESS);
    assert_int_equal(reply.position, 3);
    assert_int_equal(listener->repeats[1] + listener->repeats[2], 2);
}

/* Only a use shows that an idle connection has died. */
static void does_not_fail_on_a_connection_that_died_while_idle(void **state)
{
    const unit_temp_t *temp = *state;
    listener_t *listener = start_listener("r", temp);
    ipc_client_t *client = client_of(listener, temp->pool);
    ipc_reply_t reply;

    assert_int_equal(call(client, "one", &reply, UNIT_PATIENCE, temp), APR_SUCCESS);
    stop_listener(listener);
    assert_int_equal(unlink(listener->path), 0);
    listener = start_listener("r", temp);
    assert_int_equal(call(client, "two", &reply, UNIT_PATIENCE, temp), APR_SUCCESS);
    stop_listener(listener);
    assert_string_equal(listener->keys[0], "two");
}

static void gives_up_on_a_keeper_that_says_nothing(void **state)
{
    ipc_reply_t reply = {IPC_MALFORMED, 7, 0, 0};
    gc_moment_t start = gc_clock_now();
    listener_t *listener;

    assert_int_equal(call_with("w", &listener, &reply, *state), APR_TIMEUP);
    assert_in_range(gc_clock_now() - start, apr_time_from_msec(290), UNIT_PATIENCE);
    assert_int_equal(reply.id, 7);
    assert_int_equal(listener->jobs, 1);
}

static void interrupt(int number)
{
}

/* How long a call that may take a second takes, if a signal comes after nine tenths of that. */
static apr_interval_time_t time_until_given_up(const unit_temp_t *temp)
{
    const struct itimerval late = {.it_value = {.tv_usec = 900000}};
    listener_t *listener;
    ipc_client_t *client;
    ipc_reply_t reply;
    gc_moment_t start;
    gc_moment_t end;
    sigset_t alarm;

    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &alarm, NULL), 0);
    listener = start_listener("w", temp);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &alarm, NULL), 0);
    client = client_of(listener, temp->pool);
    start = gc_clock_now();
    assert_int_equal(setitimer(ITIMER_REAL, &late, NULL), 0);
    assert_int_equal(call(client, "key", &reply, apr_time_from_sec(1), temp), APR_TIMEUP);
    end = gc_clock_now();
    stop_listener(listener);
    assert_int_equal(unlink(listener->path), 0);
    return end - start;
}

/* As by the parent, when it tells a child of prefork to end gracefully. A wait that began anew would never end
 * before 1.9 s, while one that does not may be late on a busy machine. */
static void gives_up_in_time_though_it_is_interrupted(void **state)
{
    const struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    apr_interval_time_t took = APR_INT64_MAX;
    int tries;

    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    for (tries = 0; tries < 10 && took > apr_time_from_msec(1600); tries++) {
        took = time_until_given_up(*state);
        assert_true(took >= apr_time_from_msec(980));
    }
    assert_true(took <= apr_time_from_msec(1600));
}

/* A late reply must not be taken for the reply to the next job. */
static void does_not_use_a_connection_again_that_owes_a_reply(void **state)
{
    const unit_temp_t *temp = *state;
    listener_t *listener = start_listener("w", temp);
    ipc_client_t *client = client_of(listener, temp->pool);
    ipc_reply_t reply;

    assert_int_equal(call(client, "one", &reply, apr_time_from_msec(50), temp), APR_TIMEUP);
    stop_listener(listener);
    assert_int_equal(unlink(listener->path), 0);
    listener = start_listener("r", temp);
    assert_int_equal(call(client, "two", &reply, UNIT_PATIENCE, temp), APR_SUCCESS);
    stop_listener(listener);
    assert_int_equal(listener->jobs, 1);
    assert_int_equal(listener->repeats[0], 0);
}

static void refuses_a_reply_that_is_none(void **state)
{
    ipc_reply_t reply = {IPC_MALFORMED, 7, 0, 0};
    listener_t *listener;

    assert_int_equal(call_with("g", &listener, &reply, *state), APR_EINVAL);
    assert_int_equal(reply.id, 7);
    assert_int_equal(listener->jobs, 1);
}

static void says_that_there_is_no_keeper(void **state)
{
    const unit_temp_t *temp = *state;
    listener_t *listener = start_listener("", temp);
    ipc_client_t *client = client_of(listener, temp->pool);
    gc_moment_t start = gc_clock_now();
    ipc_reply_t reply;

    stop_listener(listener);
    assert_int_equal(call(client, "key", &reply, apr_time_from_msec(100), temp), ECONNREFUSED);
    assert_int_equal(unlink(listener->path), 0);
    assert_int_equal(call(client, "key", &reply, UNIT_PATIENCE, temp), ENOENT);
    assert_true(gc_clock_now() - start < UNIT_PATIENCE / 2);
}

/* The parent binds it, a moment after the children of a first start may ask. */
static void waits_a_moment_for_a_socket_that_is_not_there_yet(void **state)
{
    const unit_temp_t *temp = *state;
    listener_t *listener = start_listener("", temp);
    ipc_client_t *client = client_of(listener, temp->pool);
    const char *away = apr_pstrcat(temp->pool, listener->path, ".away", NULL);
    ipc_reply_t reply;
    pid_t pid;

    assert_int_equal(rename(listener->path, away), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        apr_sleep(apr_time_from_msec(50));
        _exit(rename(away, listener->path));
    }
    assert_int_equal(call(client, "key", &reply, UNIT_PATIENCE, temp), APR_SUCCESS);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    stop_listener(listener);
}

static void refuses_a_path_that_no_socket_can_have(void **state)
{
    const unit_temp_t *temp = *state;
    char path[300];
    ipc_client_t *client = NULL;

    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(ipc_client_create(&client, path, temp->pool), APR_ENAMETOOLONG);
    assert_null(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(gets_the_reply_to_its_job),
        TEMP_TEST(uses_a_connection_again),
        TEMP_TEST(sends_a_job_again_under_its_key_when_the_keeper_is_lost),
        TEMP_TEST(sends_a_job_again_that_got_half_a_reply),
        TEMP_TEST(does_not_fail_on_a_connection_that_died_while_idle),
        TEMP_TEST(gives_up_on_a_keeper_that_says_nothing),
        TEMP_TEST(gives_up_in_time_though_it_is_interrupted),
        TEMP_TEST(does_not_use_a_connection_again_that_owes_a_reply),
        TEMP_TEST(refuses_a_reply_that_is_none),
        TEMP_TEST(says_that_there_is_no_keeper),
        TEMP_TEST(waits_a_moment_for_a_socket_that_is_not_there_yet),
        TEMP_TEST(refuses_a_path_that_no_socket_can_have),
    };

    return UNIT_RUN(tests);
}
