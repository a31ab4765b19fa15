/* A keeper's grip on its database: the lock, the connection, the work that the keeper before left
 * undone, and whether the file is still the same.
 * Lives in the keeper, in a writer's thread, as a part of the writer. */
#ifndef WRITE_DATABASE_H
#define WRITE_DATABASE_H

#include "ipc_site.h"
#include "keeper_config.h"
#include "write_positions.h"
#include "write_recovery.h"

/** The questions and news for its owner, in the owner's thread. */
typedef struct write_database_hooks_t {
    int (*must_stop)(void *baton); /**< whether not to wait any longer for the lock */
    write_recovery_fn *behind;     /**< takes each room that a proxy may not have been told of */
    void *baton;                   /**< the owner's */
} write_database_hooks_t;

/** A database that the keeper has, or is about to get. Its owner may read the fields. */
typedef struct write_database_t {
    const keeper_config_t *config;
    const ipc_site_t *const *sites;
    apr_size_t site_count;
    write_database_hooks_t hooks;
    apr_pool_t *pool;
    chat_database_t *db;
    write_lock_t lock;
    write_positions_t positions;
    int is_locked;
    int is_recovered;
    int was_replaced;      /* since it was recovered last */
    int is_forgetful;      /* positions could not be kept, which was logged */
    unsigned openings;     /* of the connection, when it was recovered last */
    apr_status_t reported; /* the failure that was logged last */
} write_database_t;

/**
 * Lay out a database, closed as yet.
 *
 * @param sites  all sites of that database, site_count of them, 1 or more
 * @param pool   of the thread
 */
void write_database_init(write_database_t *database, const keeper_config_t *config,
                         const ipc_site_t *const *sites, apr_size_t site_count,
                         const write_database_hooks_t *hooks, apr_pool_t *pool);

/**
 * Get the lock, open the database and, if it was opened anew, do the work that was left undone.
 * Cheap if nothing has changed.
 *
 * @return APR_SUCCESS; APR_EAGAIN if another process holds it; or why it cannot be used
 */
apr_status_t write_database_ready(write_database_t *database, apr_pool_t *scratch_pool);

/** Another file lies there: log that once, and see to it at the next write_database_ready. */
void write_database_forget(write_database_t *database);

/**
 * A failed append may have stored its messages all the same. So move all versions, and have each
 * room above the watermark hinted at the next write_database_ready.
 */
void write_database_doubt(write_database_t *database);

/**
 * Try again the work that the keeper before may have left undone. Else see whether others changed
 * the database, and tell the children, which trust their memory. A file that is gone is not made
 * anew at once, so an operator who is about to move a file there finds the name unused. About once
 * a second.
 */
void write_database_look(write_database_t *database, apr_pool_t *scratch_pool);

/** Note what was stored, before anybody is told. */
void write_database_note(write_database_t *database, chat_append_t *const *appends, int count);

/** Log a failure once, and the end of it once. */
void write_database_report(write_database_t *database, apr_status_t rv);

/**
 * Close the database and release the lock. If another process reads in a deleted log, so that it
 * cannot be saved, wait for two seconds: the next keeper cannot tell the owner of the log.
 */
void write_database_close(write_database_t *database, apr_pool_t *scratch_pool);

#endif
