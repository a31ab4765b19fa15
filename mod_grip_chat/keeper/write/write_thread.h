/* The thread that writes one database. It takes all jobs that have arrived from children and
 * commits them in one transaction. Then it bumps the rooms' generations, tells the watching
 * children, answers the jobs, and gives the loop the events to publish. While it waits for a disk
 * or a lock, the loop and the other databases go on.
 * Lives in the keeper, in a thread of its own; the loop's thread gives and takes. Freed with the
 * loop's pool. */
#ifndef WRITE_THREAD_H
#define WRITE_THREAD_H

#include "ipc_notice.h"
#include "keeper_config.h"
#include "keeper_task.h"

typedef struct write_thread_t write_thread_t;

/** The functions that a writer's thread calls. */
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

/**
 * Whether it may be given a connection. It may not while as many connections wait for it as it
 * takes at once, as when it waits for a disk or a lock. The loop is notified when it may again. The
 * loop's thread.
 */
int write_thread_has_room(write_thread_t *writer);

/** Give it a task: a CONNECTION, which it serves from now on, whose job may have arrived; PROGRESS or
 *  SWEEP, which come back. The loop's thread. */
void write_thread_push(write_thread_t *writer, keeper_task_t *task);

/**
 * Have it look after its database: try again the work of the keeper before that could not be done
 * yet, and notice changes of the file by others. About once a second; the writer has no timer of
 * its own. The loop's thread.
 */
void write_thread_look(write_thread_t *writer);

/**
 * Have it take no more jobs: it finishes the jobs that it has read, and closes its connections. A
 * KEEPER_TASK_CLOSED comes back, once, behind all tasks of these jobs. The loop's thread.
 */
void write_thread_close(write_thread_t *writer);

/** Take a task that it has done or found, oldest first; NULL for none. The loop's thread. */
keeper_task_t *write_thread_done(write_thread_t *writer);

/**
 * Finish all pushed tasks, take no more jobs, close the database and join the thread. The loop's
 * thread.
 */
apr_status_t write_thread_stop(write_thread_t *writer);

#endif
