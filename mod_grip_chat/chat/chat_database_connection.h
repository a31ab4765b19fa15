/* The insides of a connection, for the files that make it. chat_database_dbd.c speaks to the
 * driver, and chat_database_open.c opens. chat_database_use.c checks before each use that the files
 * are still the right ones. */
#ifndef CHAT_DATABASE_CONNECTION_H
#define CHAT_DATABASE_CONNECTION_H

#include "chat_database.h"
#include "gc_clock.h"

/** How long a lock is waited for that the driver does not wait for, and how often it is tried. */
#define CHAT_DATABASE_PATIENCE apr_time_from_msec(1500)
#define CHAT_DATABASE_PAUSE    apr_time_from_msec(5)

/** The number of changes is not known any more. */
#define CHAT_DATABASE_CHANGES_UNKNOWN (-1)

struct chat_database_t {
    chat_database_spec_t spec;
    chat_database_role_e role;
    const chat_sql_dialect_t *dialect;
    apr_pool_t *pool;
    apr_pool_t *connection_pool; /**< owns the driver's things and path; NULL while it is closed */
    const struct apr_dbd_driver_t *driver;
    struct apr_dbd_t *handle;
    struct apr_dbd_prepared_t *statements[CHAT_SQL_COUNT];
    const char *path; /**< of the file itself, where its name is a link */
    chat_database_files_t
        files; /**< a writer's: open, or open last; a reader's: as the writer said */
    chat_database_held_fn *held;      /**< a reader's */
    chat_database_opened_fn *opened;  /**< a writer's, may be NULL */
    chat_database_opened_fn *changed; /**< likewise */
    void *baton;                      /**< for the one that there is */
    const char *kept_log;             /**< the name that a log was given; NULL once that was told */
    apr_int64_t changes;   /**< the last answer of CHAT_SQL_CHANGES; 0 before the first */
    gc_moment_t fold_from; /**< when the log may be moved into the file again to make space */
    unsigned openings;
    int is_opening; /**< opened is being called: it may read and write, but not have it closed */
    char last_error[256];
};

/** Keep the cause of a failure. @return rv */
apr_status_t chat_database_fail(chat_database_t *db, apr_status_t rv, const char *why);

/** Connect to the named file, and read nothing of it yet. When the connection is closed it writes
 * nothing, until chat_database_let_checkpoint allows it. */
apr_status_t chat_database_connect(chat_database_t *db, const char *params);

/** Say whether the connection, when it is closed, may write the log into the file. */
apr_status_t chat_database_let_checkpoint(chat_database_t *db, int may_checkpoint);

/** Whether a transaction of the open connection is yet to be committed or rolled back. */
int chat_database_is_in_transaction(const chat_database_t *db);

/** Prepare all statements. */
apr_status_t chat_database_prepare(chat_database_t *db);

/**
 * Whether the writer still names the files that it named when a reader's connection was opened.
 */
int chat_database_is_held(const chat_database_t *db);

/** Give the log that lies under the name another one, which has its own file's inode in it. */
apr_status_t chat_database_set_log_aside(chat_database_t *db);

#endif
