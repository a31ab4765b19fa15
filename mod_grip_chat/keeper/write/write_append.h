/* Storing a batch of posts so that a bad one does not take the others along. A post cannot be
 * stored if its room's row was changed by hand, for instance.
 * Lives in the keeper, in a writer's thread, as a part of the writer. */
#ifndef WRITE_APPEND_H
#define WRITE_APPEND_H

#include "chat_store.h"
#include "gc_clock.h"
#include "ipc_site.h"

/** Zeroed before the first batch, except the fields that the writer sets. */
typedef struct write_append_t {
    const gc_log_t *log;
    gc_moment_t each_until; /**< until then jobs are tried one by one at once */
    gc_moment_t told_until; /**< until then no other line is logged */
} write_append_t;

/**
 * Store a batch. Logs GC0230, once a minute at most, where jobs are left out.
 *
 * @param wall  the date that the messages get
 * @param now   gc_clock_now()
 * @return as chat_store_append_each
 */
apr_status_t write_append(write_append_t *append, chat_database_t *db, chat_append_t *const *jobs,
                          int count, apr_time_t wall, gc_moment_t now, apr_pool_t *scratch_pool);

#endif
