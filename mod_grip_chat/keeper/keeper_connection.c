#include "keeper_connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_START_BYTES 2048

keeper_connection_t *keeper_connection_create(int fd)
{
    keeper_connection_t *connection = calloc(1, sizeof(*connection));

    if (!connection) {
        return NULL;
    }
    connection->frame = malloc(FRAME_START_BYTES);
    if (!connection->frame) {
        free(connection);
        return NULL;
    }
    connection->room = FRAME_START_BYTES;
    connection->fd = fd;
    return connection;
}

/* Make room for a frame of this size. */
static int reserve(keeper_connection_t *connection, apr_size_t size)
{
    char *frame;

    if (size <= connection->room) {
        return 1;
    }
    frame = realloc(connection->frame, size);
    if (!frame) {
        return 0;
    }
    connection->frame = frame;
    connection->room = size;
    return 1;
}

keeper_read_e keeper_connection_read(keeper_connection_t *connection)
{
    apr_size_t size;
    ssize_t got;

    do {
        got = recv(connection->fd, connection->frame + connection->have,
                   connection->room - connection->have, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EAGAIN ? KEEPER_READ_MORE : KEEPER_READ_CLOSED;
    }
    if (got == 0) {
        return KEEPER_READ_CLOSED;
    }
    connection->have += (apr_size_t)got;
    switch (keeper_wire_frame_size(gc_slice(connection->frame, connection->have), &size)) {
    case APR_SUCCESS:
        break;
    case APR_INCOMPLETE:
        return KEEPER_READ_MORE;
    default:
        return KEEPER_READ_CLOSED;
    }
    if (connection->have > size || !reserve(connection, size)) {
        return KEEPER_READ_CLOSED;
    }
    return connection->have == size ? KEEPER_READ_JOB : KEEPER_READ_MORE;
}

int keeper_connection_reply(keeper_connection_t *connection, const keeper_reply_t *reply)
{
    char bytes[KEEPER_WIRE_REPLY_BYTES + 1];
    gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};

    connection->have = 0;
    keeper_wire_append_reply(&frame, reply);
    /* A reply always fits into a socket buffer: a child that does not take it is gone. */
    return send(connection->fd, frame.data, frame.len, MSG_NOSIGNAL) == (ssize_t)frame.len;
}

void keeper_connection_close(keeper_connection_t *connection)
{
    if (connection->fd >= 0) {
        close(connection->fd);
        connection->fd = -1;
    }
    if (!connection->is_busy) {
        free(connection->frame);
        free(connection);
    }
}
