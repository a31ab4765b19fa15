/* How many connections a client keeps when its threads have nothing to do any more. */
#include "ipc_client.h"
#include "unit_events.h"
#include "unit_temp.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "gc_pool.h"

#define CROWD (IPC_CLIENT_IDLE_MAX + 8)

/* By how much the client's clock is ahead of the system's. */
static int ahead_secs;

int clock_gettime(clockid_t id, struct timespec *now)
{
    int failed = (int)syscall(SYS_clock_gettime, id, now);

    now->tv_sec += ahead_secs;
    return failed;
}

/* A keeper in a thread. It answers nothing before so many jobs wait for an answer. */
typedef struct keeper_t {
    struct pollfd
        fds[2 + CROWD]; /* stop, the listening socket, connections in the order they came */
    int count;
    int jobs;
    int jobs_awaited;
    int stop[2];
    const char *path;
    pthread_t thread;
} keeper_t;

static void answer(int fd)
{
    ipc_reply_t reply = {IPC_DONE, 1, 1, 1};
    char bytes[IPC_FRAME_REPLY_BYTES + 1];
    gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};

    ipc_frame_append_reply(&frame, &reply);
    (void)send(fd, frame.data, frame.len, MSG_NOSIGNAL);
}

/* Take what came from a connection: a job, since these are small, or its end. */
static void take(keeper_t *keeper, struct pollfd *from)
{
    char job[1024];
    int i;

    if (recv(from->fd, job, sizeof(job), 0) <= 0) {
        from->events = 0; /* the counter of connections sees its end itself */
        return;
    }
    if (++keeper->jobs < keeper->jobs_awaited) {
        return;
    }
    if (keeper->jobs > keeper->jobs_awaited) {
        answer(from->fd);
        return;
    }
    for (i = 2; i < keeper->count; i++) {
        answer(keeper->fds[i].fd);
    }
}

static void *be_keeper(void *data)
{
    keeper_t *keeper = data;
    int i;

    while (poll(keeper->fds, (nfds_t)keeper->count, 10000) > 0 && !keeper->fds[0].revents) {
        for (i = keeper->count - 1; i > 1; i--) {
            if (keeper->fds[i].events && keeper->fds[i].revents) {
                take(keeper, &keeper->fds[i]);
            }
        }
        if (keeper->fds[1].revents && keeper->count < 2 + CROWD) {
            keeper->fds[keeper->count++] =
                (struct pollfd){.fd = accept(keeper->fds[1].fd, NULL, NULL), .events = POLLIN};
        }
    }
    return NULL;
}

static keeper_t *start_keeper(int jobs_awaited, const unit_temp_t *temp)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    keeper_t *keeper = apr_pcalloc(temp->pool, sizeof(*keeper));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    keeper->path = apr_pstrcat(temp->pool, temp->dir, "/keeper.sock", NULL);
    apr_cpystrn(address.sun_path, keeper->path, sizeof(address.sun_path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, CROWD), 0);
    assert_int_equal(pipe(keeper->stop), 0);
    keeper->fds[0] = (struct pollfd){.fd = keeper->stop[0], .events = POLLIN};
    keeper->fds[1] = (struct pollfd){.fd = fd, .events = POLLIN};
    keeper->count = 2;
    keeper->jobs_awaited = jobs_awaited;
    assert_int_equal(pthread_create(&keeper->thread, NULL, be_keeper, keeper), 0);
    return keeper;
}

/* End the keeper, and count the connections that the client has left open. */
static int stop_and_count(keeper_t *keeper)
{
    int open = 0;
    char c;
    int i;

    assert_int_equal(write(keeper->stop[1], "x", 1), 1);
    assert_int_equal(pthread_join(keeper->thread, NULL), 0);
    for (i = 2; i < keeper->count; i++) {
        open += recv(keeper->fds[i].fd, &c, 1, MSG_DONTWAIT) != 0;
        close(keeper->fds[i].fd);
    }
    close(keeper->fds[1].fd);
    close(keeper->stop[0]);
    close(keeper->stop[1]);
    return open;
}

static void *post(void *client)
{
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, "site", "room", "al", "hello", "key", "", "");
    ipc_reply_t reply;
    apr_pool_t *pool;
    apr_status_t rv = gc_pool_create(&pool, NULL, "post");

    if (rv == APR_SUCCESS) {
        rv = ipc_client_call(client, &job, &reply, UNIT_PATIENCE, pool);
        apr_pool_destroy(pool);
    }
    return rv == APR_SUCCESS ? client : NULL;
}

/* Post from as many threads at once, so that each has a connection of its own. */
static void post_at_once(ipc_client_t *client, int threads)
{
    pthread_t thread[CROWD];
    void *posted;
    int i;

    for (i = 0; i < threads; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, post, client), 0);
    }
    for (i = 0; i < threads; i++) {
        assert_int_equal(pthread_join(thread[i], &posted), 0);
        assert_ptr_equal(posted, client);
    }
}

static ipc_client_t *client_of(const keeper_t *keeper, apr_pool_t *pool)
{
    ipc_client_t *client = NULL;

    assert_int_equal(ipc_client_create(&client, keeper->path, pool), APR_SUCCESS);
    return client;
}

static void keeps_no_more_than_so_many(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_t *keeper = start_keeper(CROWD, temp);

    post_at_once(client_of(keeper, temp->pool), CROWD);
    assert_int_equal(stop_and_count(keeper), IPC_CLIENT_IDLE_MAX);
    assert_int_equal(keeper->count - 2, CROWD);
}

/* As when many post at once, and go on. */
static void keeps_a_crowd_for_a_moment_and_a_few_for_longer(void **state)
{
    const int many = IPC_CLIENT_IDLE_FEW + 8;
    const unit_temp_t *temp = *state;
    keeper_t *keeper = start_keeper(many, temp);
    ipc_client_t *client = client_of(keeper, temp->pool);

    post_at_once(client, many);
    post_at_once(client, many);
    assert_int_equal(keeper->count - 2, many);
    ahead_secs += 2;
    post_at_once(client, 1);
    assert_int_equal(stop_and_count(keeper), IPC_CLIENT_IDLE_FEW);
}

static void keeps_those_that_were_used_within_a_minute(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_t *keeper = start_keeper(4, temp);
    ipc_client_t *client = client_of(keeper, temp->pool);

    post_at_once(client, 4);
    ahead_secs += 55;
    post_at_once(client, 1);
    assert_int_equal(stop_and_count(keeper), 4);
    assert_int_equal(keeper->count - 2, 4);
}

static void gives_back_those_that_were_not(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_t *keeper = start_keeper(4, temp);
    ipc_client_t *client = client_of(keeper, temp->pool);

    post_at_once(client, 4);
    ahead_secs += 55;
    post_at_once(client, 1);
    ahead_secs += 10;
    post_at_once(client, 1); /* by the one that was used last, as before */
    assert_int_equal(stop_and_count(keeper), 1);
    assert_int_equal(keeper->count - 2, 4);
}

/* Which ends at the writer of another database, and that may be waiting for a lock. */
static void does_not_use_a_connection_of_another_site(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_t *keeper = start_keeper(2, temp);
    ipc_client_t *client = client_of(keeper, temp->pool);
    int i;

    post_at_once(client, 2);
    for (i = 0; i < 3; i++) {
        ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, "other", "room", "al", "hello", "key", "", "");
        ipc_reply_t reply;

        assert_int_equal(ipc_client_call(client, &job, &reply, UNIT_PATIENCE, temp->pool),
                         APR_SUCCESS);
    }
    assert_int_equal(stop_and_count(keeper), 3);
    assert_int_equal(keeper->count - 2, 3);
}

static void closes_all_with_its_pool(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_t *keeper = start_keeper(4, temp);
    apr_pool_t *pool;

    assert_int_equal(gc_pool_create(&pool, NULL, "client"), APR_SUCCESS);
    post_at_once(client_of(keeper, pool), 4);
    apr_pool_destroy(pool);
    assert_int_equal(stop_and_count(keeper), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(keeps_no_more_than_so_many),
        TEMP_TEST(keeps_a_crowd_for_a_moment_and_a_few_for_longer),
        TEMP_TEST(keeps_those_that_were_used_within_a_minute),
        TEMP_TEST(gives_back_those_that_were_not),
        TEMP_TEST(does_not_use_a_connection_of_another_site),
        TEMP_TEST(closes_all_with_its_pool),
    };

    return UNIT_RUN(tests);
}
