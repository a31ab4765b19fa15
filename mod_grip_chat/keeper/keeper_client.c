#include "keeper_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_thread_mutex.h>

#include "gc_clock.h"

/* Where nobody listens on the socket there is no parent either: wait a moment, not the whole time. */
#define REFUSED_PATIENCE apr_time_from_msec(500)
#define RETRY_PAUSE      apr_time_from_msec(5)

typedef struct idle_t {
    int fd;
    gc_moment_t used;
} idle_t;

struct keeper_client_t {
    const char *socket_path;
    apr_thread_mutex_t *mutex;           /* guards what follows */
    idle_t idle[KEEPER_CLIENT_IDLE_MAX]; /* connections without a job, the last used at the end */
    int idle_count;
};

/* Close so many of those that were used longest ago. */
static void close_oldest(keeper_client_t *client, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        close(client->idle[i].fd);
    }
    client->idle_count -= count;
    memmove(client->idle, client->idle + count, sizeof(idle_t) * (apr_size_t)client->idle_count);
}

static apr_status_t close_idle(void *data)
{
    keeper_client_t *client = data;

    close_oldest(client, client->idle_count);
    return APR_SUCCESS;
}

apr_status_t keeper_client_create(keeper_client_t **out, const char *socket_path, apr_pool_t *pool)
{
    keeper_client_t *client;
    struct sockaddr_un address;
    apr_status_t rv;

    if (strlen(socket_path) >= sizeof(address.sun_path)) {
        return APR_ENAMETOOLONG;
    }
    client = apr_pcalloc(pool, sizeof(*client));
    client->socket_path = socket_path;
    rv = apr_thread_mutex_create(&client->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(pool, client, close_idle, apr_pool_cleanup_null);
        *out = client;
    }
    return rv;
}

/* Take an idle connection, -1 where there is none. */
static int take_idle(keeper_client_t *client)
{
    int fd = -1;

    if (apr_thread_mutex_lock(client->mutex) == APR_SUCCESS) {
        if (client->idle_count > 0) {
            fd = client->idle[--client->idle_count].fd;
        }
        (void)apr_thread_mutex_unlock(client->mutex);
    }
    return fd;
}

/* Keep a connection for the next job, and give back what was not needed for long. */
static void put_idle(keeper_client_t *client, int fd)
{
    if (apr_thread_mutex_lock(client->mutex) == APR_SUCCESS) {
        gc_moment_t now = gc_clock_now();
        int too_old = client->idle_count == KEEPER_CLIENT_IDLE_MAX;

        while (too_old < client->idle_count &&
               client->idle[too_old].used + KEEPER_CLIENT_IDLE_TIME <= now) {
            too_old++;
        }
        close_oldest(client, too_old);
        client->idle[client->idle_count++] = (idle_t){fd, now};
        (void)apr_thread_mutex_unlock(client->mutex);
    }
    else {
        close(fd);
    }
}

/* The keeper was lost, so every idle connection is dead as well. */
static void drop_idle(keeper_client_t *client)
{
    int fd;

    while ((fd = take_idle(client)) >= 0) {
        close(fd);
    }
}

static apr_status_t connect_once(keeper_client_t *client, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    apr_status_t rv;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0) {
        return errno;
    }
    apr_cpystrn(address.sun_path, client->socket_path, sizeof(address.sun_path));
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
    {
        rv = errno;
        close(fd);
        return rv;
    }
    *out = fd;
    return APR_SUCCESS;
}

/* A full backlog answers EAGAIN: the keeper is about to start, or busy. */
static apr_status_t connect_patiently(keeper_client_t *client, gc_moment_t deadline, int *out)
{
    gc_moment_t start = gc_clock_now();

    for (;;) {
        apr_status_t rv = connect_once(client, out);
        gc_moment_t now = gc_clock_now();

        if (rv == APR_SUCCESS) {
            return rv;
        }
        if (!APR_STATUS_IS_EAGAIN(rv) && now - start > REFUSED_PATIENCE) {
            return rv;
        }
        if (now >= deadline) {
            return APR_STATUS_IS_EAGAIN(rv) ? APR_TIMEUP : rv;
        }
        apr_sleep(RETRY_PAUSE);
    }
}

static apr_status_t wait_for(int fd, short events, gc_moment_t deadline)
{
    struct pollfd wanted = {.fd = fd, .events = events};
    apr_interval_time_t left = deadline - gc_clock_now();
    int ready;

    if (left <= 0) {
        return APR_TIMEUP;
    }
    ready = poll(&wanted, 1, (int)apr_time_as_msec(left) + 1);
    if (ready < 0) {
        return errno == EINTR ? APR_SUCCESS : errno;
    }
    return ready ? APR_SUCCESS : APR_TIMEUP;
}

static apr_status_t send_all(int fd, gc_slice_t bytes, gc_moment_t deadline)
{
    while (bytes.len) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);

        if (sent >= 0) {
            bytes.data += sent;
            bytes.len -= (apr_size_t)sent;
        }
        else if (errno == EAGAIN) {
            apr_status_t rv = wait_for(fd, POLLOUT, deadline);

            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        else if (errno != EINTR) {
            return errno;
        }
    }
    return APR_SUCCESS;
}

/* Read exactly one reply; a job has one, and nothing else is ever sent. */
static apr_status_t receive_reply(int fd, keeper_reply_t *reply, gc_moment_t deadline)
{
    char frame[KEEPER_WIRE_REPLY_BYTES];
    apr_size_t have = 0;

    while (have < sizeof(frame)) {
        ssize_t got = recv(fd, frame + have, sizeof(frame) - have, 0);

        if (got > 0) {
            have += (apr_size_t)got;
        }
        else if (got == 0) {
            return APR_EOF;
        }
        else if (errno == EAGAIN) {
            apr_status_t rv = wait_for(fd, POLLIN, deadline);

            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        else if (errno != EINTR) {
            return errno;
        }
    }
    return keeper_wire_read_reply(reply, gc_slice(frame, sizeof(frame)));
}

apr_status_t keeper_client_call(keeper_client_t *client, const keeper_job_t *job,
                                keeper_reply_t *reply, apr_interval_time_t timeout,
                                apr_pool_t *scratch_pool)
{
    gc_moment_t deadline = gc_clock_now() + timeout;
    gc_buffer_t frame = gc_buffer_make(strlen(job->text) + 1024, scratch_pool);

    keeper_wire_append_job(&frame, job);
    if (frame.len > KEEPER_WIRE_MAX_BYTES) {
        return APR_ENOSPC;
    }
    for (;;) {
        apr_status_t rv = APR_SUCCESS;
        int fd = take_idle(client);

        if (fd < 0) {
            rv = connect_patiently(client, deadline, &fd);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        rv = send_all(fd, gc_buffer_slice(&frame), deadline);
        if (rv == APR_SUCCESS) {
            rv = receive_reply(fd, reply, deadline);
        }
        if (rv == APR_SUCCESS) {
            put_idle(client, fd);
            return rv;
        }
        /* What the keeper would answer later must not be taken for another job's reply. */
        close(fd);
        if (APR_STATUS_IS_TIMEUP(rv) || rv == APR_EINVAL || gc_clock_now() >= deadline) {
            return rv;
        }
        drop_idle(client);
        frame.data[KEEPER_WIRE_REPEAT_OFFSET] = 1;
    }
}
