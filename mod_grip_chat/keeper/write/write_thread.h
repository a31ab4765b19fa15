/* The thread that writes one database: it takes all jobs that have arrived from children, commits them in
 * one transaction, bumps the rooms' generations, has those told who watch, answers the children, and gives
 * the loop what is to be published. While it waits for a disk or a lock, the loop and the other databases go on. */
#ifndef WRITE_THREAD_H
#define WRITE_THREAD_H

#include "ipc_notice.h"
#include "keeper_task.h"

typedef struct write_thread_t write_thread_t;

/** What a writer's thread calls. */
typedef struct write_thread_hooks_t {
    void (*notify)(void *baton); /**< there is something for write_thread_done, or room for more */
    /** count rooms have changed. Called before the children are answered: must not block. The pool is
     *  cleared afterwards. */
    void (*moved)(const ipc_moved_t *moved, int count, apr_pool_t *pool, void *baton);
    void *baton;
} write_thread_hooks_t;

/**
 * Start the thread that writes a database.
 *
 * @param sites   all sites of that database, site_count of them
 * @param hooks   copied
 * @param pool    the loop's; the writer has pools of its own
 */
apr_status_t write_thread_start(write_thread_t **out, const keeper_config_t *config,
                                const ipc_site_t *const *sites, apr_size_t site_count,
                                const write_thread_hooks_t *hooks, apr_pool_t *pool);

/** Whether the writer writes this database. */
int write_thread_serves(const write_thread_t *writer, const ipc_site_t *site);

/** Whether it may be given a connection: not while it has not yet taken as many of before as it takes at
 *  once, as when it waits for a disk or a lock. The loop is notified when it may again. The loop's thread. */
int write_thread_has_room(write_thread_t *writer);

/** Give it a task: a CONNECTION, which it serves from now on, whose job may have arrived; PROGRESS or
 *  SWEEP, which come back. The loop's thread. */
void write_thread_push(write_thread_t *writer, keeper_task_t *task);

/** Have it look after its database: try again what could not be seen to yet of what the keeper before
 *  left undone, and notice what others did to the file. About once a second; the writer has no timer of
 *  its own. The loop's thread. */
void write_thread_look(write_thread_t *writer);

/** Have it take no more jobs: it finishes those that it has read, and closes its connections. A
 *  KEEPER_TASK_CLOSED comes back, once, behind all that these have stored. The loop's thread. */
void write_thread_close(write_thread_t *writer);

/** Take what it has done or found, oldest first; NULL where nothing is. The loop's thread. */
keeper_task_t *write_thread_done(write_thread_t *writer);

/** Finish what was pushed, take no more jobs, close the database and join the thread. The loop's thread. */
apr_status_t write_thread_stop(write_thread_t *writer);

#endif
