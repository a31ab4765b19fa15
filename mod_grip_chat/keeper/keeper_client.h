/* A child's side of the keeper's socket: send a job, wait for its reply, and send it again where the
 * keeper was lost in between. */
#ifndef KEEPER_CLIENT_H
#define KEEPER_CLIENT_H

#include "keeper_wire.h"

/** How long a job may take before the child gives up. */
#define KEEPER_CLIENT_TIMEOUT apr_time_from_sec(5)

/** Connections that are kept though no job uses them, and how long; each costs the keeper a descriptor.
 *  Whether they have been kept too long is looked at when a job ends. */
#define KEEPER_CLIENT_IDLE_MAX  16
#define KEEPER_CLIENT_IDLE_TIME apr_time_from_sec(60)

typedef struct keeper_client_t keeper_client_t;

/**
 * Make a client; it connects when it is first used, with one connection for each job under way.
 *
 * @param out          untouched on failure
 * @param socket_path  lives as long as the client
 * @param pool         owns it; its cleanup closes the connections
 */
apr_status_t keeper_client_create(keeper_client_t **out, const char *socket_path, apr_pool_t *pool);

/**
 * Have a job done. Thread-safe with pools of one's own; blocks for at most `timeout`. Does not log.
 *
 * @param job      its key makes it safe to send it again
 * @param reply    untouched on failure
 * @param timeout  in MICROSECONDS
 * @return APR_SUCCESS if the keeper answered, whatever it answered; APR_ENOSPC if the job is larger than
 *         KEEPER_WIRE_MAX_BYTES; APR_TIMEUP if it did not: the job
 *         may be done later or never; another status if there is no keeper to be reached
 */
apr_status_t keeper_client_call(keeper_client_t *client, const keeper_job_t *job,
                                keeper_reply_t *reply, apr_interval_time_t timeout,
                                apr_pool_t *scratch_pool);

#endif
