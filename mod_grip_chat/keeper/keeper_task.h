/* The tasks that the loop and the writers give each other.
 * Lives in the keeper, in the thread that has the task. The loop frees a task that has come back,
 * unless that is a part of something else. */
#ifndef KEEPER_TASK_H
#define KEEPER_TASK_H

#include "chat_store.h"
#include "ipc_frame.h"
#include "ipc_site.h"

/** The kind of a task. */
typedef enum keeper_task_kind_e {
    KEEPER_TASK_CONNECTION, /**< either way: a child's connection; the side that gets it serves it */
    KEEPER_TASK_STORED, /**< from the writer: a post that is stored and answered, of a site that publishes */
    KEEPER_TASK_PROGRESS, /**< keep how far a proxy has been told */
    KEEPER_TASK_SWEEP,    /**< delete a few of the messages that are not kept any longer */
    KEEPER_TASK_BEHIND,   /**< from the writer: a room that a proxy may not have been told of */
    KEEPER_TASK_CLOSED /**< from the writer: it takes no more jobs, and all it took came before */
} keeper_task_kind_e;

/**
 * A task that goes to a writer or comes from it. Its holder may change it; its strings belong to
 * its owner and live as long as the owner.
 */
typedef struct keeper_task_t {
    keeper_task_kind_e kind;
    void
        *owner; /**< CONNECTION: the connection; STORED: the keeper_received_t; SWEEP: the loop's */
    const ipc_site_t *site; /**< CONNECTION: on the way to a writer only */
    apr_size_t proxy;       /**< PROGRESS and BEHIND: which of the site's */
    chat_append_t append;   /**< STORED */
    apr_int64_t watermark;  /**< PROGRESS: the highest message id below which all is published;
                                  BEHIND: the one that was kept */
    chat_sweep_t *sweep;    /**< SWEEP: of the site */
    int is_swept;           /**< SWEEP, on return: nothing more is to be deleted now */
    char *room;             /**< BEHIND: malloc'ed with the task; NULL for none, watermark only */
    ipc_status_e status;    /**< PROGRESS and SWEEP, on return */
    struct keeper_task_t *next;
} keeper_task_t;

/** Tasks that wait, the first one first; zeroed for none. Its user guards it. */
typedef struct keeper_queue_t {
    keeper_task_t *first;
    keeper_task_t *last;
} keeper_queue_t;

/** Put a task behind all others. It is in no other queue. @return whether the queue was empty */
int keeper_queue_push(keeper_queue_t *queue, keeper_task_t *task);

/** Take the first out; NULL where there is none. */
keeper_task_t *keeper_queue_pop(keeper_queue_t *queue);

/** Take a task out, if it is in the queue. */
void keeper_queue_remove(keeper_queue_t *queue, const keeper_task_t *task);

#endif
