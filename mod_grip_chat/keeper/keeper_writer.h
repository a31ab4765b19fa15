/* The thread that writes one database: it takes all jobs that have arrived from children, commits them in
 * one transaction, bumps the rooms' generations, has those told who watch, answers the children, and gives
 * the loop what is to be published. While it waits for a disk or a lock, the loop and the other databases go on. */
#ifndef KEEPER_WRITER_H
#define KEEPER_WRITER_H

#include "ipc_notice.h"
#include "keeper_task.h"

typedef struct keeper_writer_t keeper_writer_t;

/** What a writer's thread calls. */
typedef struct keeper_writer_hooks_t {
    void (*notify)(void *baton); /**< there is something for keeper_writer_done, or room for more */
    /** count rooms have changed. Called before the children are answered: must not block. The pool is
     *  cleared afterwards. */
    void (*moved)(const ipc_moved_t *moved, int count, apr_pool_t *pool, void *baton);
    void *baton;
} keeper_writer_hooks_t;

/**
 * Start the thread that writes a database.
 *
 * @param sites   all sites of that database, site_count of them
 * @param hooks   copied
 * @param pool    the loop's; the writer has pools of its own
 */
apr_status_t keeper_writer_start(keeper_writer_t **out, const keeper_config_t *config,
                                 const ipc_site_t *const *sites, apr_size_t site_count,
                                 const keeper_writer_hooks_t *hooks, apr_pool_t *pool);

/** Whether the writer writes this database. */
int keeper_writer_serves(const keeper_writer_t *writer, const ipc_site_t *site);

/** Whether it may be given a connection: not while it has not yet taken as many of before as it takes at
 *  once, as when it waits for a disk or a lock. The loop is notified when it may again. The loop's thread. */
int keeper_writer_has_room(keeper_writer_t *writer);

/** Give it a task: a CONNECTION, which it serves from now on, whose job may have arrived; PROGRESS or
 *  SWEEP, which come back. The loop's thread. */
void keeper_writer_push(keeper_writer_t *writer, keeper_task_t *task);

/** Have it look after its database: try again what could not be seen to yet of what the keeper before
 *  left undone, and notice what others did to the file. About once a second; the writer has no timer of
 *  its own. The loop's thread. */
void keeper_writer_look(keeper_writer_t *writer);

/** Have it take no more jobs: it finishes those that it has read, and closes its connections. A
 *  KEEPER_TASK_CLOSED comes back, once, behind all that these have stored. The loop's thread. */
void keeper_writer_close(keeper_writer_t *writer);

/** Take what it has done or found, oldest first; NULL where nothing is. The loop's thread. */
keeper_task_t *keeper_writer_done(keeper_writer_t *writer);

/** Finish what was pushed, take no more jobs, close the database and join the thread. The loop's thread. */
apr_status_t keeper_writer_stop(keeper_writer_t *writer);

#endif
