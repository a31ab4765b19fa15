#include "ipc_client.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_thread_mutex.h>

#include "gc_assert.h"
#include "gc_b64url.h"
#include "gc_clock.h"
#include "grip_crypto.h"

/* If no process listens on the socket there is no parent either: wait a moment, not the whole
 * time. */
#define REFUSED_PATIENCE apr_time_from_msec(500)
#define RETRY_PAUSE      apr_time_from_msec(5)

/* By how much a call of the system's may miss the deadline, so that it need not be told a new one each time. */
#define DEADLINE_SLACK apr_time_from_msec(10)

/* Random bytes that all job keys of a client share. */
#define NONCE_BYTES 15

typedef struct connection_t {
    int fd;
    apr_interval_time_t patience; /* how long a call of the system's waits, as it was told */
    const void *site;             /* whose job it did last; to compare, not to look at */
    gc_moment_t used;
} connection_t;

struct ipc_client_t {
    const char *socket_path;
    char nonce[NONCE_BYTES / 3 * 4 + 1];
    apr_uint64_t count;                     /* of job keys; atomic */
    apr_thread_mutex_t *mutex;              /* guards the next fields */
    connection_t idle[IPC_CLIENT_IDLE_MAX]; /* without a job, the last used at the end */
    int idle_count;
};

/* Close so many of those that were used longest ago. */
static void close_oldest(ipc_client_t *client, int count)
{
    int i;

    GC_ASSERT(count >= 0 && count <= client->idle_count);
    for (i = 0; i < count; i++) {
        close(client->idle[i].fd);
    }
    client->idle_count -= count;
    memmove(client->idle, client->idle + count,
            sizeof(client->idle[0]) * (apr_size_t)client->idle_count);
}

static apr_status_t close_idle(void *data)
{
    ipc_client_t *client = data;

    close_oldest(client, client->idle_count);
    return APR_SUCCESS;
}

apr_status_t ipc_client_create(ipc_client_t **out, const char *socket_path, apr_pool_t *pool)
{
    ipc_client_t *client;
    struct sockaddr_un address;
    char nonce[NONCE_BYTES];
    apr_status_t rv;

    if (strlen(socket_path) >= sizeof(address.sun_path)) {
        return APR_ENAMETOOLONG;
    }
    client = apr_pcalloc(pool, sizeof(*client));
    client->socket_path = socket_path;
    rv = grip_crypto_random(nonce, sizeof(nonce));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_cpystrn(client->nonce, gc_b64url_encode(gc_slice(nonce, sizeof(nonce)), pool),
                sizeof(client->nonce));
    rv = apr_thread_mutex_create(&client->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(pool, client, close_idle, apr_pool_cleanup_null);
        *out = client;
    }
    return rv;
}

const char *ipc_client_job_key(ipc_client_t *client, apr_time_t now, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%012" APR_UINT64_T_HEX_FMT "%s%" APR_UINT64_T_HEX_FMT,
                        (apr_uint64_t)apr_time_as_msec(now), client->nonce,
                        __atomic_add_fetch(&client->count, 1, __ATOMIC_RELAXED));
}

/* Take the idle connection that did a job of this site last; 0 where there is none. The keeper's end of
 * another's is with the writer of that one's database, which may be waiting for a lock. */
static int take_idle(ipc_client_t *client, const void *site, connection_t *out)
{
    int i = -1;

    if (apr_thread_mutex_lock(client->mutex) == APR_SUCCESS) {
        i = client->idle_count - 1;
        while (i >= 0 && client->idle[i].site != site) {
            i--;
        }
        if (i >= 0) {
            *out = client->idle[i];
            client->idle_count--;
            memmove(client->idle + i, client->idle + i + 1,
                    sizeof(client->idle[0]) * (apr_size_t)(client->idle_count - i));
        }
        (void)apr_thread_mutex_unlock(client->mutex);
    }
    return i >= 0;
}

/* How many were not needed for long; more than a few have to have been needed lately. */
static int count_unneeded(const ipc_client_t *client, gc_moment_t now)
{
    int count = client->idle_count == IPC_CLIENT_IDLE_MAX;

    while (count < client->idle_count) {
        int is_one_of_a_few = client->idle_count - count < IPC_CLIENT_IDLE_FEW;

        if (client->idle[count].used +
                (is_one_of_a_few ? IPC_CLIENT_IDLE_TIME : IPC_CLIENT_IDLE_TIME_MANY) >
            now)
        {
            break;
        }
        count++;
    }
    return count;
}

/* Keep a connection for the next job, and close connections that were not needed for long. */
static void put_idle(ipc_client_t *client, const connection_t *connection)
{
    if (apr_thread_mutex_lock(client->mutex) == APR_SUCCESS) {
        gc_moment_t now = gc_clock_now();

        close_oldest(client, count_unneeded(client, now));
        GC_ASSERT(client->idle_count < IPC_CLIENT_IDLE_MAX);
        client->idle[client->idle_count] = *connection;
        client->idle[client->idle_count++].used = now;
        (void)apr_thread_mutex_unlock(client->mutex);
    }
    else {
        close(connection->fd);
    }
}

/* The keeper was lost, so every idle connection is dead as well. */
static void drop_idle(ipc_client_t *client)
{
    if (apr_thread_mutex_lock(client->mutex) == APR_SUCCESS) {
        close_oldest(client, client->idle_count);
        (void)apr_thread_mutex_unlock(client->mutex);
    }
}

/* Have the next call of the system wait until a deadline at most; without one it could wait
 * endlessly. */
static apr_status_t set_deadline(connection_t *connection, gc_moment_t deadline)
{
    apr_interval_time_t left = deadline - gc_clock_now();
    apr_interval_time_t off = connection->patience - left;
    struct timeval time;

    if (connection->patience > 0 && off <= DEADLINE_SLACK && off >= -DEADLINE_SLACK) {
        return APR_SUCCESS;
    }
    left = left > 1 ? left : 1;
    time.tv_sec = apr_time_sec(left);
    time.tv_usec = apr_time_usec(left);
    if (setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) < 0 ||
        setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) < 0)
    {
        return errno;
    }
    connection->patience = left;
    return APR_SUCCESS;
}

static apr_status_t connect_once(ipc_client_t *client, gc_moment_t deadline, connection_t *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    connection_t connection = {.fd = socket(AF_UNIX, SOCK_STREAM, 0)};
    apr_status_t rv;

    if (connection.fd < 0) {
        return errno;
    }
    apr_cpystrn(address.sun_path, client->socket_path, sizeof(address.sun_path));
    rv = set_deadline(&connection, deadline);
    if (rv == APR_SUCCESS &&
        (fcntl(connection.fd, F_SETFD, FD_CLOEXEC) < 0 ||
         connect(connection.fd, (struct sockaddr *)&address, sizeof(address)) < 0))
    {
        rv = errno;
    }
    if (rv != APR_SUCCESS) {
        close(connection.fd);
        return rv;
    }
    *out = connection;
    return APR_SUCCESS;
}

/* A full backlog is waited for: the keeper is about to start, or busy. */
static apr_status_t connect_patiently(ipc_client_t *client, gc_moment_t deadline, connection_t *out)
{
    gc_moment_t start = gc_clock_now();

    for (;;) {
        apr_status_t rv = connect_once(client, deadline, out);
        int is_waiting = APR_STATUS_IS_EAGAIN(rv) || APR_STATUS_IS_EINTR(rv);
        gc_moment_t now = gc_clock_now();

        if (rv == APR_SUCCESS) {
            return rv;
        }
        if (!is_waiting && now - start > REFUSED_PATIENCE) {
            return rv;
        }
        if (now >= deadline) {
            return is_waiting ? APR_TIMEUP : rv;
        }
        apr_sleep(RETRY_PAUSE);
    }
}

static apr_status_t send_all(connection_t *connection, gc_slice_t bytes, gc_moment_t deadline)
{
    while (bytes.len) {
        apr_status_t rv = set_deadline(connection, deadline);
        ssize_t sent;

        if (rv != APR_SUCCESS) {
            return rv;
        }
        sent = send(connection->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.data += sent;
            bytes.len -= (apr_size_t)sent;
        }
        else if (errno != EINTR) {
            return errno == EAGAIN ? APR_TIMEUP : errno;
        }
    }
    return APR_SUCCESS;
}

/* Read exactly one reply; a job has one, and nothing else is ever sent. */
static apr_status_t receive_reply(connection_t *connection, ipc_reply_t *reply,
                                  gc_moment_t deadline)
{
    char frame[IPC_FRAME_REPLY_BYTES];
    apr_size_t have = 0;

    while (have < sizeof(frame)) {
        apr_status_t rv = set_deadline(connection, deadline);
        ssize_t got;

        if (rv != APR_SUCCESS) {
            return rv;
        }
        got = recv(connection->fd, frame + have, sizeof(frame) - have, 0);
        if (got > 0) {
            have += (apr_size_t)got;
        }
        else if (got == 0) {
            return APR_EOF;
        }
        else if (errno != EINTR) {
            return errno == EAGAIN ? APR_TIMEUP : errno;
        }
    }
    return ipc_frame_read_reply(reply, gc_slice(frame, sizeof(frame)));
}

apr_status_t ipc_client_call(ipc_client_t *client, const ipc_job_t *job, ipc_reply_t *reply,
                             apr_interval_time_t timeout, apr_pool_t *scratch_pool)
{
    gc_moment_t deadline = gc_clock_now() + timeout;
    gc_buffer_t frame = gc_buffer_make(job->append.event.payload.len + 1024, scratch_pool);

    ipc_frame_append_job(&frame, job);
    if (frame.len > IPC_FRAME_MAX_BYTES) {
        return APR_ENOSPC;
    }
    for (;;) {
        connection_t connection;
        apr_status_t rv = APR_SUCCESS;

        if (!take_idle(client, job->site, &connection)) {
            rv = connect_patiently(client, deadline, &connection);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        rv = send_all(&connection, gc_buffer_slice(&frame), deadline);
        if (rv == APR_SUCCESS) {
            rv = receive_reply(&connection, reply, deadline);
        }
        if (rv == APR_SUCCESS) {
            connection.site = job->site;
            put_idle(client, &connection);
            return rv;
        }
        /* A later answer of the keeper must not be taken for another job's reply. */
        close(connection.fd);
        if (APR_STATUS_IS_TIMEUP(rv) || rv == APR_EINVAL || gc_clock_now() >= deadline) {
            return rv;
        }
        drop_idle(client);
        frame.data[IPC_FRAME_REPEAT_OFFSET] = 1;
    }
}
