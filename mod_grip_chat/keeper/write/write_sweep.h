/* The sweeps of one database's sites, on the writer's thread: the log lines of their failures, and
 * their waits.
 * Lives in the keeper, in a writer's thread, as a part of the writer. */
#ifndef WRITE_SWEEP_H
#define WRITE_SWEEP_H

#include "keeper_config.h"
#include "keeper_task.h"

/** A clock that goes ahead by more than this between two sweeps, which are seconds apart, was set. */
#define WRITE_SWEEP_JUMP apr_time_from_sec(60)

/**
 * So long nothing is deleted after that, for the operator to see it and set the clock right. A
 * deleted message is gone; any other can be deleted later.
 */
#define WRITE_SWEEP_HOLD apr_time_from_sec(60 * 60)

/** The state of one writer's sweeps; zeroed but for the first two. */
typedef struct write_sweeper_t {
    const keeper_config_t *config;
    const char *path; /**< the database's, for the log */
    int is_failing;   /**< the last step failed, and that was logged */
    apr_interval_time_t
        offset; /**< by how much the wall clock was ahead of gc_clock when last trusted */
    gc_moment_t held_since; /**< when the wall clock was found to have jumped, 0 where it has not */
    int is_started;         /**< the offset is known */
} write_sweeper_t;

/**
 * Do the next step of a site's sweep and bump the rooms that have changed. A failure is logged once
 * (GC0206), and again after a step that went well. While the clock is held (GC0207) nothing is done, and
 * the sweep is over.
 *
 * @param task  a KEEPER_TASK_SWEEP; its is_swept is set
 * @param wall  the wall clock
 * @param now   gc_clock_now()
 * @return as chat_retention_step
 */
apr_status_t write_sweep_step(write_sweeper_t *sweeper, chat_database_t *db, keeper_task_t *task,
                              apr_time_t wall, gc_moment_t now, apr_pool_t *scratch_pool);

#endif
