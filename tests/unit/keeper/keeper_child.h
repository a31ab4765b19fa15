/* A child's end of a connection to the keeper, in the hands of a test. */
#ifndef KEEPER_CHILD_H
#define KEEPER_CHILD_H

#include "keeper_connection.h"
#include "unit.h"

/** Make a connection as the keeper accepts them. @param child  the other end, to be closed by the caller */
keeper_connection_t *keeper_child_connect(int *child);

/** The frame of a job; owned by pool. */
gc_slice_t keeper_child_frame(const ipc_job_t *job, apr_pool_t *pool);

/** Send bytes, which all fit into the socket. */
void keeper_child_send(int child, gc_slice_t bytes);

/** Wait for the answer to a job. @return its status */
ipc_status_e keeper_child_receive(int child);

#endif
