/* The count of streams by client: how many each address has in all children together, so that none
 * has more than GripChatMaxStreamsPerClient.
 *
 * The parent maps memory for the children of each configuration, before it forks them. Each child
 * has a ledger there that it alone writes, and adds up the counts of a client in the others. A
 * child that dies leaves nothing to be put right: the parent gives its ledger away as it is, and
 * the next one begins with an empty one.
 *
 * Lives in the parent, which maps and forgets, and in every child, in any thread. The
 * configuration's pool ends the memory. */
#ifndef STREAM_QUOTA_H
#define STREAM_QUOTA_H

#include "conf_server.h"
#include "stream_ledger.h"

/**
 * Map the memory for all children of this configuration; none where they hold no streams. In post_config.
 *
 * @param main   the main server, whose stream_capacity_work_out() is done
 * @param pconf  ends it for the parent; older children keep theirs
 * @return APR's status if there is no memory or no random number
 */
apr_status_t stream_quota_map(server_rec *main, apr_pool_t *pconf);

/** A child has ended, in any way: its streams count no more. The parent calls this. */
void stream_quota_forget(pid_t child);

typedef struct stream_quota_t stream_quota_t;

/**
 * Take a ledger for this child. There is one for each that event may have. If all are taken all
 * the same, this child has one that no other child reads.
 *
 * @param each   streams that one client may have, 0 for no limit
 * @param total  streams that this child may have, not more than the share that was worked out
 * @param most   streams that all children together may have
 */
apr_status_t stream_quota_create(stream_quota_t **out, apr_uint32_t each, apr_uint32_t total,
                                 apr_uint32_t most, apr_pool_t *pool);

/**
 * Count one stream more. An address of IPv6 counts with all others of its first 64 bits, which one
 * client has as a rule. If one client asks for several streams in the same moment, in several
 * children, some may be refused although there was room. None is let in beyond the limit.
 * Thread-safe.
 *
 * @param is_own_fault  set to 1 if it was refused because this client has as many as it may, else 0
 * @return the client to count down; NULL if there are as many as there may be
 */
stream_ledger_client_t *stream_quota_enter(stream_quota_t *quota, const apr_sockaddr_t *address,
                                           int *is_own_fault);

/**
 * Look whether this child is full, and tell the other children: it is from when it has as many streams as it may to
 * when it has half of that. Thread-safe.
 */
int stream_quota_look(stream_quota_t *quota);

/** Whether another child has said that it is full. */
int stream_quota_is_full(pid_t child);

/** Whether all children together have as many streams as there may be. */
int stream_quota_all_taken(const stream_quota_t *quota);

/** Streams of all children together. */
apr_uint32_t stream_quota_everywhere(void);

/** Whether this is the first time that a child of this configuration asks so: for a line that is logged once.
 *  @param what  0 or 1 */
int stream_quota_first(int what);

/** How many streams this child has. Thread-safe. */
apr_uint32_t stream_quota_count(stream_quota_t *quota);

/** How many it may have. */
apr_uint32_t stream_quota_limit(const stream_quota_t *quota);

/** Count one stream less. Thread-safe. */
void stream_quota_leave(stream_quota_t *quota, stream_ledger_client_t *client);

#endif
