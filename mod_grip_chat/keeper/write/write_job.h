/* The kinds of jobs, a row each, with all that a writer needs of one. The frames carry all kinds
 * alike.
 * Lives in the keeper, in a writer's thread. Constant: there is nothing to free. */
#ifndef WRITE_JOB_H
#define WRITE_JOB_H

#include "ipc_frame.h"

/** A kind of job. */
typedef struct write_job_t {
    ipc_job_kind_e kind;
    int is_stored; /**< it takes part in the transaction, and its reply has the event's numbers */
    /**
     * Whether the job can be done; a job that a child of another version lets through must not
     * make a room unreadable.
     */
    int (*is_valid)(const chat_append_t *append);
    /** The status of one that was done. */
    ipc_status_e (*status)(const chat_append_t *append);
} write_job_t;

/** Find a kind. @param kind  one that ipc_frame_read_job lets through */
const write_job_t *write_job_find(ipc_job_kind_e kind);

#endif
