/* The keeper's side of watching: the loops of children that hold event streams have a connection each over
 * which they say for which slots they have readers, and are told which of those moved, with the event that
 * came where that is short and the child keeps up. A child that is told no more than that a slot moved reads
 * for itself what is stored. Belongs to the loop's thread but for keeper_subscribers_moved. */
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
 * Take over the connection of a child that asked to watch (keeper_wire_read_watch) and answer it. Closes
 * the connection where memory is short.
 *
 * @param fd  not watched; the object of its KEEPER_FD_WATCH entries is a keeper_subscriber_t
 */
void keeper_subscribers_add(keeper_subscribers_t *watch, int fd);

/** Something has become possible at a child's connection. */
void keeper_subscribers_ready(keeper_subscriber_t *watching, int is_ended);

/**
 * Tell the children who watch them that count rooms have changed. Called by writers' threads, of which each
 * tells at once what it has stored: does not block.
 *
 * @param pool  for events, until the return
 * @return 0 if some child could not be told all: the loop is to call keeper_subscribers_tell
 */
int keeper_subscribers_moved(keeper_subscribers_t *watch, const ipc_moved_t *moved, int count,
                             apr_pool_t *pool);

/** Tell the children what they could not be told yet: call it in each turn of the loop. */
void keeper_subscribers_tell(keeper_subscribers_t *watch);

#endif
