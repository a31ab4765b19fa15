#include "write_append.h"

/* How long batches are stored job by job after one that had to be. Else each post to a room that
 * cannot take it would cost the others of its batch a transaction and a connection. */
#define EACH_PERIOD apr_time_from_sec(10)

/* How often it is told. */
#define TOLD_PERIOD apr_time_from_sec(60)

static void report(write_append_t *append, const chat_database_t *db, const chat_append_t *failed,
                   gc_moment_t now)
{
    append->each_until = now + EACH_PERIOD;
    if (append->told_until > now) {
        return;
    }
    append->told_until = now + TOLD_PERIOD;
    gc_log_line(
        append->log, GC_LOG_ERR, APR_SUCCESS,
        "GC0230: a message to the room '%s' of the site '%s' cannot be stored, while others can: "
        "%s; was the database changed by hand?",
        failed->room, failed->site, chat_database_last_error(db));
}

apr_status_t write_append(write_append_t *append, chat_database_t *db, chat_append_t *const *jobs,
                          int count, apr_time_t wall, gc_moment_t now, apr_pool_t *scratch_pool)
{
    apr_status_t rv = APR_EGENERAL;
    int i;

    if (append->each_until > now) {
        rv = chat_store_append_each(db, jobs, count, wall, scratch_pool);
    }
    /* A lock, or another cause that all jobs wait for, is not waited for again. */
    if (rv == APR_EGENERAL) {
        rv = chat_store_append(db, jobs, count, wall, scratch_pool);
    }
    if (rv == APR_EGENERAL) {
        rv = chat_store_append_each(db, jobs, count, wall, scratch_pool);
    }
    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        if (jobs[i]->outcome == CHAT_APPEND_FAILED) {
            report(append, db, jobs[i], now);
        }
    }
    return rv;
}
