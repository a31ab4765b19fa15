/* A child's side of watching: one connection to the keeper over which it says for which slots it has
 * readers, and is told which of those moved, and how. It connects again where the keeper was lost, and then
 * all slots count as moved. Belongs to one thread; never blocks. */
#ifndef KEEPER_WATCHER_H
#define KEEPER_WATCHER_H

#include <apr_pools.h>

#include "keeper_notice.h"

typedef struct keeper_watcher_t keeper_watcher_t;

/** What a watcher needs of the loop that it is in. */
typedef struct keeper_watcher_hooks_t {
    /** Wait for a descriptor to be readable, and also writable if want_write. It ends by being closed. */
    void (*wait)(int fd, int want_write, void *baton);
    /** A room of this slot may have changed. */
    void (*moved)(unsigned slot, void *baton);
    /** A message was stored in a room of this slot. Where it fits to what is known there, this is all that
     *  there is to know; else take it as moved. */
    void (*stored)(unsigned slot, const keeper_notice_t *notice, void *baton);
    void *baton;
} keeper_watcher_hooks_t;

/**
 * Make a watcher; it connects when keeper_watcher_work is called for the first time.
 *
 * @param socket_path  lives as long as the watcher
 * @param hooks        copied
 * @param pool         owns it; its cleanup closes the connection
 * @return APR_SUCCESS, or APR_ENAMETOOLONG
 */
apr_status_t keeper_watcher_create(keeper_watcher_t **out, const char *socket_path,
                                   const keeper_watcher_hooks_t *hooks, apr_pool_t *pool);

/** Begin or cease to want a slot; is sent by the next keeper_watcher_work. */
void keeper_watcher_want(keeper_watcher_t *watcher, unsigned slot, int is_wanted);

/** The connection is ready for something. */
void keeper_watcher_ready(keeper_watcher_t *watcher);

/** Connect if it is time to, and send what has come to be wanted. */
void keeper_watcher_work(keeper_watcher_t *watcher, gc_moment_t now);

/** When keeper_watcher_work is to be called next though nothing has happened, 0 for never. */
gc_moment_t keeper_watcher_due(const keeper_watcher_t *watcher);

/** Whether the keeper tells what moves. While it does not, look for yourself. */
int keeper_watcher_is_told(const keeper_watcher_t *watcher);

#endif
