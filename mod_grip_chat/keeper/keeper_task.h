/* What the loop gives a writer to do, and gets back. */
#ifndef KEEPER_TASK_H
#define KEEPER_TASK_H

#include "chat_store.h"
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

/** Tell that nobody waits for a task any more, wherever it is. The loop's thread. */
void keeper_task_give_up(keeper_task_t *task);

/** Tasks that wait, the first one first; zeroed for none. Its user guards it. */
typedef struct keeper_queue_t {
    keeper_task_t *first;
    keeper_task_t *last;
} keeper_queue_t;

/** Put a task behind all others. It is in no other queue. */
void keeper_queue_push(keeper_queue_t *queue, keeper_task_t *task);

/** Take the first out; NULL where there is none. */
keeper_task_t *keeper_queue_pop(keeper_queue_t *queue);

#endif
