#include "write_job.h"

#include "chat_key.h"
#include "chat_kind.h"
#include "chat_validate.h"

static int is_always_valid(const chat_append_t *append)
{
    return 1;
}

static ipc_status_e is_done(const chat_append_t *append)
{
    return IPC_DONE;
}

static int is_valid_append(const chat_append_t *append)
{
    const chat_kind_t *kind = chat_kind_find(append->event.kind);
    gc_slice_t key = append->event.key;

    return kind && chat_validate_room(gc_slice_of(append->room)) == CHAT_VALID &&
           kind->is_valid(&append->event) &&
           (key.len ? chat_key_is_valid(key) && *append->digest : !*append->digest);
}

static ipc_status_e status_of_append(const chat_append_t *append)
{
    return append->outcome == CHAT_APPEND_CONFLICT ? IPC_CONFLICT
           : append->outcome == CHAT_APPEND_FAILED ? IPC_UNAVAILABLE
                                                   : IPC_DONE;
}

/* kind, is_stored, is_valid, status */
static const write_job_t jobs[] = {
    {IPC_JOB_READY, 0, is_always_valid, is_done},
    {IPC_JOB_APPEND, 1, is_valid_append, status_of_append},
};

const write_job_t *write_job_find(ipc_job_kind_e kind)
{
    const write_job_t *job = jobs;

    while (job->kind != kind) {
        job++;
    }
    return job;
}
