#include "write_sweep.h"

/* The site whose rooms a sweep goes through. */
typedef struct sweeping_t {
    ipc_shared_t *shared;
    const ipc_site_t *site;
} sweeping_t;

/* A room that a sweep goes through has fewer messages than before. */
static void bump_swept(const char *room, void *baton)
{
    const sweeping_t *sweeping = baton;

    ipc_shared_bump(sweeping->shared, ipc_site_slot(sweeping->site, gc_slice_of(room)));
}

/* Whether the wall clock has jumped ahead just now. A machine that slept, or was stopped, looks the same,
 * and an hour costs nothing then either. */
static int must_hold(write_sweeper_t *sweeper, apr_time_t wall, gc_moment_t now)
{
    apr_interval_time_t jump = wall - now - sweeper->offset;

    if (sweeper->is_started && jump > WRITE_SWEEP_JUMP) {
        if (!sweeper->held_since) {
            sweeper->held_since = now;
            gc_log_line(sweeper->config->log, GC_LOG_WARNING, APR_SUCCESS,
                        "GC0207: the clock went ahead by %" APR_INT64_T_FMT
                        " s at once; nothing is deleted from the database %s for an hour",
                        apr_time_sec(jump), sweeper->path);
        }
        if (now - sweeper->held_since < WRITE_SWEEP_HOLD) {
            return 1;
        }
    }
    sweeper->is_started = 1;
    sweeper->held_since = 0;
    sweeper->offset = wall - now;
    return 0;
}

static void report(write_sweeper_t *sweeper, const chat_database_t *db, apr_status_t rv)
{
    if (rv != APR_SUCCESS && !sweeper->is_failing) {
        gc_log_line(
            sweeper->config->log, GC_LOG_WARNING, rv,
            "GC0206: messages beyond GripChatRetention cannot be deleted from the database %s: %s; "
            "trying again",
            sweeper->path, chat_database_last_error(db));
    }
    sweeper->is_failing = rv != APR_SUCCESS;
}

apr_status_t write_sweep_step(write_sweeper_t *sweeper, chat_database_t *db, keeper_task_t *task,
                              apr_time_t wall, gc_moment_t now, apr_pool_t *scratch_pool)
{
    ipc_shared_t *shared = sweeper->config->shared;
    sweeping_t sweeping = {shared, task->site};
    apr_uint64_t epoch = ipc_shared_version(shared, task->site->database_number, 0).epoch;
    apr_status_t rv;

    if (must_hold(sweeper, wall, now)) {
        task->is_swept = 1;
        return APR_SUCCESS;
    }
    if (task->sweep->epoch != epoch) {
        memset(task->sweep, 0, sizeof(*task->sweep));
        task->sweep->epoch = epoch;
    }
    rv = chat_retention_step(db, task->site->name, &task->site->retention, task->sweep,
                             &task->is_swept, apr_time_as_msec(wall), bump_swept, &sweeping,
                             scratch_pool);
    report(sweeper, db, rv);
    return rv;
}
