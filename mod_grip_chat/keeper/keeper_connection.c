#include "keeper_connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gc_assert.h"

#define FRAME_START_BYTES 2048

keeper_connection_t *keeper_connection_create(int fd)
{
    keeper_connection_t *connection = calloc(1, sizeof(*connection));

    if (!connection) {
        return NULL;
    }
    connection->fd = fd;
    connection->pass.kind = KEEPER_TASK_CONNECTION;
    connection->pass.owner = connection;
    return connection;
}

/* Make room for a frame of this size. */
static int reserve(keeper_connection_t *connection, apr_size_t size)
{
    keeper_received_t *received = connection->received;

    if (received && size <= received->room) {
        return 1;
    }
    received = realloc(received, sizeof(*received) + size);
    if (!received) {
        return 0;
    }
    if (!connection->received) {
        received->have = 0;
    }
    received->room = size;
    connection->received = received;
    return 1;
}

gc_slice_t keeper_connection_frame(const keeper_connection_t *connection)
{
    return connection->received ? gc_slice(connection->received->frame, connection->received->have)
                                : gc_slice("", 0);
}

int keeper_connection_has_job(const keeper_connection_t *connection)
{
    gc_slice_t frame = keeper_connection_frame(connection);
    apr_size_t size;

    return ipc_frame_size(frame, &size) == APR_SUCCESS && frame.len == size;
}

keeper_read_e keeper_connection_read(keeper_connection_t *connection)
{
    keeper_received_t *received;
    apr_size_t size;
    ssize_t got;

    GC_ASSERT(!connection->is_busy && !keeper_connection_has_job(connection));
    if (!reserve(connection, FRAME_START_BYTES)) {
        return KEEPER_READ_CLOSED;
    }
    received = connection->received;
    GC_ASSERT(received->have < received->room);
    do {
        got = recv(connection->fd, received->frame + received->have,
                   received->room - received->have, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EAGAIN ? KEEPER_READ_MORE : KEEPER_READ_CLOSED;
    }
    if (got == 0) {
        return KEEPER_READ_CLOSED;
    }
    received->have += (apr_size_t)got;
    switch (ipc_frame_size(keeper_connection_frame(connection), &size)) {
    case APR_SUCCESS:
        break;
    case APR_INCOMPLETE:
        return KEEPER_READ_MORE;
    default:
        return KEEPER_READ_CLOSED;
    }
    if (received->have > size || !reserve(connection, size)) {
        return KEEPER_READ_CLOSED;
    }
    return connection->received->have == size ? KEEPER_READ_JOB : KEEPER_READ_MORE;
}

keeper_received_t *keeper_connection_take(keeper_connection_t *connection)
{
    keeper_received_t *received = connection->received;

    GC_ASSERT(received != NULL);
    connection->received = NULL;
    return received;
}

int keeper_connection_reply(keeper_connection_t *connection, const ipc_reply_t *reply)
{
    char bytes[IPC_FRAME_REPLY_BYTES + 1];
    gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};

    GC_ASSERT(!connection->is_busy);
    if (connection->received) {
        connection->received->have = 0;
    }
    ipc_frame_append_reply(&frame, reply);
    /* A reply always fits into a socket buffer: a child that does not take it is gone. */
    return send(connection->fd, frame.data, frame.len, MSG_NOSIGNAL) == (ssize_t)frame.len;
}

int keeper_connection_release(keeper_connection_t *connection)
{
    int fd = connection->fd;

    free(connection->received);
    free(connection);
    return fd;
}

void keeper_connection_close(keeper_connection_t *connection)
{
    close(connection->fd);
    free(connection->received);
    free(connection);
}
