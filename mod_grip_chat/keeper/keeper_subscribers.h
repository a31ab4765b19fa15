/* The keeper's side of watching. Each child that holds event streams has one connection from its
 * loop. Over it the child says for which slots it has readers, and the keeper tells which of those
 * moved. The notice has the new event if that is short and the child keeps up. A child that is only
 * told that a slot moved reads the room itself. It is the loop's thread's, except
 * keeper_subscribers_moved, which a writer's thread calls.
 * Lives in the keeper. Freed with the loop's pool, and each subscriber when its child is gone. */
#ifndef KEEPER_SUBSCRIBERS_H
#define KEEPER_SUBSCRIBERS_H

#include "gc_log.h"
#include "ipc_notice.h"
#include "keeper_poll.h"

typedef struct keeper_subscribers_t keeper_subscribers_t;
typedef struct keeper_subscriber_t keeper_subscriber_t;

/** Make the set of all watching children. @return APR_SUCCESS, or why there can be no lock */
apr_status_t keeper_subscribers_create(keeper_subscribers_t **out, keeper_poll_t *poll,
                                       const gc_log_t *log, apr_pool_t *pool);

/**
 * Take over the connection of a child that asked to watch (ipc_frame_is_watch) and answer it.
 * Closes the connection if memory is short.
 *
 * @param fd  not watched; the object of its KEEPER_FD_WATCH entries is a keeper_subscriber_t
 */
void keeper_subscribers_add(keeper_subscribers_t *subscribers, int fd);

/** A child's connection has become readable or writable. */
void keeper_subscribers_ready(keeper_subscriber_t *subscriber, int is_ended);

/**
 * Tell the children that watch them that count rooms have changed. Each writer's thread calls this
 * at once after it has stored messages: does not block.
 *
 * @param pool  for events, until the return
 * @return 0 if some child could not be told all: the loop is to call keeper_subscribers_tell
 */
int keeper_subscribers_moved(keeper_subscribers_t *subscribers, const ipc_moved_t *moved, int count,
                             apr_pool_t *pool);

/**
 * Tell the children the changes that they could not be told yet: call it in each turn of the loop.
 */
void keeper_subscribers_tell(keeper_subscribers_t *subscribers);

#endif
