#include "write_batch.h"

#include "write_job.h"

ipc_status_e write_batch_status(apr_status_t rv)
{
    return rv == APR_SUCCESS ? IPC_DONE : rv == APR_EAGAIN ? IPC_LOCKED : IPC_UNAVAILABLE;
}

static ipc_moved_t bump(const write_batch_t *batch, const keeper_task_t *task)
{
    ipc_moved_t moved = {.site = task->site, .append = &task->append};

    moved.slot = ipc_site_slot(task->site, gc_slice_of(task->append.room));
    ipc_shared_bump(batch->shared, moved.slot);
    moved.version = ipc_shared_version(batch->shared, task->site->database_number, moved.slot);
    return moved;
}

/* Commit what is to be stored, in the order in which it came. */
static apr_status_t commit(const write_batch_t *batch, chat_append_t **appends, int count,
                           apr_time_t now, apr_pool_t *pool)
{
    apr_status_t rv =
        write_append(batch->append, batch->database->db, appends, count, now, gc_clock_now(), pool);

    if (rv == APR_SUCCESS) {
        write_database_note(batch->database, appends, count);
    }
    else if (rv == APR_EAGAIN && appends[count - 1]->event.id) {
        write_database_doubt(batch->database); /* committed, into a log that was deleted */
    }
    return rv;
}

static ipc_reply_t reply_of(const keeper_connection_t *connection, apr_status_t rv)
{
    const chat_append_t *append = &connection->received->task.append;
    ipc_status_e status = rv == APR_SUCCESS ? write_job_find(connection->kind)->status(append)
                                            : write_batch_status(rv);

    return append->outcome == CHAT_APPEND_FAILED
               ? (ipc_reply_t){status, 0, 0, 0}
               : (ipc_reply_t){status, append->event.id, append->event.position,
                               append->event.created_ms};
}

apr_status_t write_batch_store(const write_batch_t *batch, apr_time_t now, apr_pool_t *pool)
{
    write_intake_t *intake = batch->intake;
    apr_size_t room = (apr_size_t)intake->count;
    chat_append_t **appends = apr_palloc(pool, sizeof(chat_append_t *) * room);
    ipc_moved_t *moved = apr_palloc(pool, sizeof(*moved) * room);
    int moved_count = 0;
    apr_status_t rv;
    int count = 0;
    int i;

    for (i = 0; i < intake->count; i++) {
        if (write_job_find(intake->jobs[i]->kind)->is_stored) {
            appends[count++] = &intake->jobs[i]->received->task.append;
        }
    }
    if (count == 0) {
        return APR_SUCCESS;
    }
    rv = commit(batch, appends, count, now, pool);
    for (i = 0; i < intake->count; i++) {
        keeper_connection_t *connection = intake->jobs[i];

        if (write_job_find(connection->kind)->is_stored) {
            connection->reply = reply_of(connection, rv);
            if (connection->reply.status == IPC_DONE &&
                connection->received->task.append.outcome == CHAT_APPEND_NEW)
            {
                moved[moved_count++] = bump(batch, &connection->received->task);
            }
        }
    }
    if (moved_count > 0) {
        batch->moved(moved, moved_count, pool, batch->baton);
    }
    return rv;
}
