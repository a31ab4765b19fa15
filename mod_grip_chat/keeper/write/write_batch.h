/* A batch: the jobs that have arrived at a writer, of which all events are stored in one transaction.
 * Lives in the keeper, in a writer's thread, as a part of the writer. */
#ifndef WRITE_BATCH_H
#define WRITE_BATCH_H

#include "ipc_notice.h"
#include "write_append.h"
#include "write_database.h"
#include "write_intake.h"

/** Parts of the writer that a batch needs; they live as long as that. */
typedef struct write_batch_t {
    write_intake_t *intake; /**< has the jobs */
    write_append_t *append;
    write_database_t *database;
    ipc_shared_t *shared;
    /** Tells the rooms that have changed. */
    void (*moved)(const ipc_moved_t *moved, int count, apr_pool_t *pool, void *baton);
    void *baton;
} write_batch_t;

/** The status of jobs of which none could be done, and IPC_DONE for APR_SUCCESS. Pure. */
ipc_status_e write_batch_status(apr_status_t rv);

/**
 * Store all events, give their jobs their replies, and tell the rooms that have changed. An event that was stored
 * before changes nothing. Where its COMMIT was reported as failed, or its keeper died over it, all versions have
 * moved since, and each room above the watermark was hinted.
 *
 * @param now  the date that the events get
 * @return as chat_store_append_each; APR_SUCCESS where there is no event
 */
apr_status_t write_batch_store(const write_batch_t *batch, apr_time_t now, apr_pool_t *pool);

#endif
