/* The keeper's side of watching: children that hold event streams have a connection each over which
 * they say for which slots they have readers, and are told which of those moved. A notice is a wake-up
 * and nothing else: what is stored, a child reads for itself. Belongs to the loop's thread. */
#ifndef KEEPER_WATCH_H
#define KEEPER_WATCH_H

#include "gc_log.h"
#include "keeper_poll.h"
#include "keeper_shared.h"

typedef struct keeper_watch_t keeper_watch_t;
typedef struct keeper_watching_t keeper_watching_t;

/** Make the set of all watching children. */
keeper_watch_t *keeper_watch_create(keeper_poll_t *poll, const gc_log_t *log, apr_pool_t *pool);

/**
 * Take over the connection of a child that asked to watch (keeper_wire_read_watch) and answer it. Closes
 * the connection where memory is short.
 *
 * @param fd  not watched; the object of its KEEPER_FD_WATCH entries is a keeper_watching_t
 */
void keeper_watch_add(keeper_watch_t *watch, int fd);

/** Something has become possible at a child's connection. */
void keeper_watch_ready(keeper_watching_t *watching, int is_ended);

/** A room of this slot has changed. The children are told by the next keeper_watch_tell. */
void keeper_watch_moved(keeper_watch_t *watch, unsigned slot);

/** Tell the children what has moved, each in one send: call it once in each turn of the loop. */
void keeper_watch_tell(keeper_watch_t *watch);

#endif
