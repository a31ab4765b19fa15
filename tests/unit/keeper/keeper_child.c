#include "keeper_child.h"

#include <fcntl.h>
#include <sys/socket.h>

keeper_connection_t *keeper_child_connect(int *child)
{
    keeper_connection_t *connection;
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    connection = keeper_connection_create(ends[0]);
    assert_non_null(connection);
    *child = ends[1];
    return connection;
}

gc_slice_t keeper_child_frame(const ipc_job_t *job, apr_pool_t *pool)
{
    gc_buffer_t frame = gc_buffer_make(256, pool);

    ipc_frame_append_job(&frame, job);
    return gc_buffer_slice(&frame);
}

void keeper_child_send(int child, gc_slice_t bytes)
{
    assert_int_equal(send(child, bytes.data, bytes.len, MSG_NOSIGNAL), bytes.len);
}

ipc_status_e keeper_child_receive(int child)
{
    char bytes[IPC_FRAME_REPLY_BYTES];
    ipc_reply_t reply;

    assert_int_equal(recv(child, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
    assert_int_equal(ipc_frame_read_reply(&reply, gc_slice(bytes, sizeof(bytes))), APR_SUCCESS);
    return reply.status;
}
