/* The thread that writes one database: it takes all jobs that have arrived, commits them in one
 * transaction, bumps the rooms' generations and hands them back. While it waits for a disk or a lock,
 * the loop and the other databases go on. */
#ifndef KEEPER_WRITER_H
#define KEEPER_WRITER_H

#include "chat_retention.h"
#include "keeper_site.h"
#include "keeper_wire.h"

/** What a task is. */
typedef enum keeper_task_kind_e {
    KEEPER_TASK_JOB,      /**< a child's job */
    KEEPER_TASK_PROGRESS, /**< keep how far a proxy has been told */
    KEEPER_TASK_SWEEP,    /**< delete a few of the messages that are not kept any longer */
    KEEPER_TASK_BEHIND    /**< from the writer: a room that a proxy may not have been told of */
} keeper_task_kind_e;

/** Something that goes to a writer and comes back. Who holds it may change it, but for is_given_up; its
 *  strings belong to its owner and outlive the round trip. */
typedef struct keeper_task_t {
    keeper_task_kind_e kind;
    void *owner; /**< the loop's: what it answers */
    const keeper_site_t *site;
    apr_size_t proxy;      /**< PROGRESS and BEHIND: which of the site's */
    keeper_job_kind_e job; /**< JOB: which kind */
    chat_append_t append;  /**< JOB: of a post */
    int is_given_up; /**< JOB: nobody waits for it any more, so it is not to be stored unless that
                                  has begun; atomic, see keeper_task_give_up */
    apr_int64_t watermark;  /**< PROGRESS: the highest message id below which all is published;
                                  BEHIND: the one that was kept */
    chat_sweep_t *sweep;    /**< SWEEP: of the site */
    int is_swept;           /**< SWEEP, on return: nothing more is to be deleted now */
    char *room;             /**< BEHIND: malloc'ed with the task; NULL for none, watermark only */
    keeper_status_e status; /**< on return */
    struct keeper_task_t *next;
} keeper_task_t;

typedef struct keeper_writer_t keeper_writer_t;

/** Called by the writer's thread when tasks have come back. */
typedef void keeper_writer_notify_fn(void *baton);

/**
 * Start the thread that writes a database.
 *
 * @param sites   all sites of that database, site_count of them
 * @param notify  wakes the loop; called from the thread
 * @param pool    the loop's; the writer has pools of its own
 */
apr_status_t keeper_writer_start(keeper_writer_t **out, const keeper_config_t *config,
                                 const keeper_site_t *const *sites, apr_size_t site_count,
                                 keeper_writer_notify_fn *notify, void *baton, apr_pool_t *pool);

/** Whether the writer writes this database. */
int keeper_writer_serves(const keeper_writer_t *writer, const keeper_site_t *site);

/** Tell that nobody waits for a task any more, wherever it is. The loop's thread. */
void keeper_task_give_up(keeper_task_t *task);

/** Give it a task. The loop's thread. */
void keeper_writer_push(keeper_writer_t *writer, keeper_task_t *task);

/** Have it look after its database: try again what could not be seen to yet of what the keeper before
 *  left undone, and notice what others did to the file. About once a second; the writer has no timer of
 *  its own. The loop's thread. */
void keeper_writer_look(keeper_writer_t *writer);

/** Take back what is done, oldest first; NULL where nothing is. The loop's thread. */
keeper_task_t *keeper_writer_done(keeper_writer_t *writer);

/** Finish what was pushed, close the database and join the thread. The loop's thread. */
apr_status_t keeper_writer_stop(keeper_writer_t *writer);

#endif
