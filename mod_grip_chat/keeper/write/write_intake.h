/* The connections of the children whose jobs one writer does, read by the writer's own thread: a
 * post's way from its child and back leads through no other thread.
 * Lives in the keeper, in a writer's thread, as a part of the writer. It closes its connections. */
#ifndef WRITE_INTAKE_H
#define WRITE_INTAKE_H

#include "keeper_connection.h"
#include "keeper_poll.h"

/** Jobs that are read at once. More wait for the next time, so that an answer never waits for too many. */
#define WRITE_INTAKE_MAX 256

/**
 * Connections that may be adopted on top of these, so that new ones do not wait until there is
 * less work.
 */
#define WRITE_INTAKE_ADOPT_MAX 64

/**
 * Take back a connection whose next job is not for one of the sites; no poll set watches it any
 * more.
 */
typedef void write_intake_give_back_fn(keeper_connection_t *connection, void *baton);

/** A writer's intake; belongs to its thread, but for the poll set's wake. */
typedef struct write_intake_t {
    keeper_poll_t *poll;
    const ipc_site_t *const *sites;
    apr_size_t site_count;
    write_intake_give_back_fn *give_back;
    void *baton;
    int is_closed;
    int count; /**< of jobs to be done */
    /** each with its job in received->task, and is_busy */
    keeper_connection_t *jobs[WRITE_INTAKE_MAX + WRITE_INTAKE_ADOPT_MAX];
} write_intake_t;

/**
 * Lay out an intake.
 *
 * @param sites  whose jobs are taken, site_count of them
 * @param pool   the writer's thread's
 */
apr_status_t write_intake_init(write_intake_t *intake, const ipc_site_t *const *sites,
                               apr_size_t site_count, write_intake_give_back_fn *give_back,
                               void *baton, apr_pool_t *pool);

/** Serve a connection from now on; a whole job may have arrived on it. Once the intake is closed, the
 *  connection is, too. Between two replies, no more than WRITE_INTAKE_ADOPT_MAX. */
void write_intake_adopt(write_intake_t *intake, keeper_connection_t *connection);

/**
 * Read the jobs that have arrived, up to WRITE_INTAKE_MAX. The job of a child that has gone
 * meanwhile is taken out of the batch. Its client was answered an error or is gone, and a message
 * that appears seconds later all the same would surprise.
 *
 * @param timeout  in MICROSECONDS to wait for something, or to be woken; negative for as long as it takes
 */
apr_status_t write_intake_read(write_intake_t *intake, apr_interval_time_t timeout);

/** Send the jobs' replies, and read their connections again. */
void write_intake_reply(write_intake_t *intake);

/**
 * Take no more jobs: close all connections. Unread jobs on them are for the next keeper, to which
 * the children send them again. Only while no job is to be done.
 */
void write_intake_close(write_intake_t *intake);

#endif
