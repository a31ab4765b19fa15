/* A child's side of the keeper's socket: send a job, wait for its reply, and send the job again if
 * the keeper was lost in between.
 * Lives in a child, in the threads of requests. Freed with its pool, the child's. */
#ifndef IPC_CLIENT_H
#define IPC_CLIENT_H

#include "ipc_frame.h"

/** How long a job may take before the child gives up. */
#define IPC_CLIENT_TIMEOUT apr_time_from_sec(5)

/**
 * Connections that are kept though no job uses them: a few for a while, more only as long as they
 * are needed often, as when many clients post at once. Each costs the keeper a descriptor. The end
 * of a job checks whether connections have been kept too long.
 */
#define IPC_CLIENT_IDLE_FEW       16
#define IPC_CLIENT_IDLE_TIME      apr_time_from_sec(60)
#define IPC_CLIENT_IDLE_MAX       256
#define IPC_CLIENT_IDLE_TIME_MANY apr_time_from_sec(1)

typedef struct ipc_client_t ipc_client_t;

/**
 * Make a client; it connects when it is first used, with one connection for each job under way.
 *
 * @param out          untouched on failure
 * @param socket_path  lives as long as the client
 * @param pool         owns it; its cleanup closes the connections
 */
apr_status_t ipc_client_create(ipc_client_t **out, const char *socket_path, apr_pool_t *pool);

/**
 * Make a key for a job, unlike all others of this and any other client. Later keys are mostly
 * greater, so that an index of them grows at its end. Thread-safe with a pool of the thread's own.
 *
 * @param now  the wall clock's
 * @return up to IPC_FRAME_KEY_MAX_BYTES, owned by pool
 */
const char *ipc_client_job_key(ipc_client_t *client, apr_time_t now, apr_pool_t *pool);

/**
 * Have a job done. Thread-safe with a pool of the thread's own; blocks for `timeout` at most, and
 * some milliseconds. Does not log.
 *
 * @param job      its key makes it safe to send it again; of two sites the pointers in `site` differ
 * @param reply    untouched on failure
 * @param timeout  in MICROSECONDS
 * @return APR_SUCCESS if the keeper answered, with any status in the reply. APR_TIMEUP if it did
 *         not: the job may be done later or never. APR_ENOSPC if the job is larger than
 *         IPC_FRAME_MAX_BYTES. Another status if no keeper can be reached
 */
apr_status_t ipc_client_call(ipc_client_t *client, const ipc_job_t *job, ipc_reply_t *reply,
                             apr_interval_time_t timeout, apr_pool_t *scratch_pool);

#endif
