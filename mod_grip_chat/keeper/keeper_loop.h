/* The keeper's process: one loop that takes jobs, hands them to the databases' writers, answers,
 * and publishes. It never blocks; the threads of write_thread.h may.
 * Lives in the keeper, in its first thread. Freed as the process ends. */
#ifndef KEEPER_LOOP_H
#define KEEPER_LOOP_H

#include "ipc_site.h"
#include "keeper_config.h"

/**
 * Be the keeper until the stop fd becomes readable; then finish all jobs that have arrived, answer
 * them, publish for a moment longer, and keep how far that got. Runs alone in its process: starts a
 * thread for each database.
 *
 * @param config  read only
 * @param pool    the process's
 * @return APR_SUCCESS after a stop, or why the keeper could not start
 */
apr_status_t keeper_run(const keeper_config_t *config, apr_pool_t *pool);

#endif
