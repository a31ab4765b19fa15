/* A connection to the database that the chat is kept in. The one file that uses apr_dbd is
 * chat_database_dbd.c; the one that uses libsqlite3, chat_database_sqlite.c.
 *
 * A connection belongs to one thread at a time: its user guards it. After an error it is closed,
 * and the next call opens a new one. So a changed schema, a replaced file or a restarted server
 * heal by themselves. */
#ifndef CHAT_DATABASE_H
#define CHAT_DATABASE_H

#include "chat_database_file.h"
#include "chat_sql.h"
#include "chat_types.h"

typedef struct chat_database_t chat_database_t;

/** Rows that a statement answered, owned by the pool that it was run with. */
typedef struct chat_rows_t chat_rows_t;

/** Which database; the strings live as long as the connection. */
typedef struct chat_database_spec_t {
    const char *driver; /**< an APR DBD driver: "sqlite3" */
    const char *params; /**< its parameters; for sqlite3 an absolute path */
} chat_database_spec_t;

/** The purpose of a connection. */
typedef enum chat_database_role_e {
    CHAT_DATABASE_WRITER, /**< makes the schema, writes; one for each database */
    CHAT_DATABASE_READER /**< only reads, and only files that a writer has open; never writes into a file */
} chat_database_role_e;

/**
 * Prepare a process for databases. Call once, from one thread, before any other function here.
 *
 * @param pool  lives as long as the process uses databases
 */
apr_status_t chat_database_global_init(apr_pool_t *pool);

/** Whether APR has a driver. @return APR_SUCCESS, or the loader's status */
apr_status_t chat_database_driver_check(const char *driver, apr_pool_t *scratch_pool);

/**
 * Make a connection, closed as yet: chat_database_ready or the first call opens it.
 *
 * @param pool  owns it; its cleanup closes the connection
 */
chat_database_t *chat_database_create(const chat_database_spec_t *spec, chat_database_role_e role,
                                      apr_pool_t *pool);

/**
 * Asks which files the database's writer has open. Called before and after each read: must not block.
 *
 * @return whether that is known
 */
typedef int chat_database_held_fn(chat_database_files_t *held, void *baton);

/**
 * Set the function that tells a reader which files it may open. It opens and reads no others.
 * Without this call it opens nothing. Call before the first use.
 */
void chat_database_follow(chat_database_t *db, chat_database_held_fn *held, void *baton);

/**
 * Called whenever a writer's connection was opened, before anything else uses it.
 *
 * @return APR_SUCCESS; or why the connection is to be closed again, which its user is then told
 */
typedef apr_status_t chat_database_opened_fn(chat_database_t *db, apr_pool_t *scratch_pool,
                                             void *baton);

/**
 * Give a writer the facts that it needs. Call before the first use.
 *
 * @param known   which files the writer before had open; zeros where that is not known
 * @param opened   may be NULL
 * @param changed  called by chat_database_begin, outside of a transaction, if another connection
 *                 has committed since it or chat_database_was_changed asked last. It may use the
 *                 connection; if it fails, the connection is closed. NULL: nothing is asked
 */
void chat_database_lead(chat_database_t *db, const chat_database_files_t *known,
                        chat_database_opened_fn *opened, chat_database_opened_fn *changed,
                        void *baton);

/** Which files are open, or were last. */
const chat_database_files_t *chat_database_files(const chat_database_t *db);

/**
 * The name that was given to a log whose file was replaced; each is told once. NULL if there is
 * none. The name holds the inode of the file that the log belongs to. A writer's call; the name
 * lives as long as the connection.
 */
const char *chat_database_kept_log(chat_database_t *db);

/**
 * Open the database if it is not open. A writer creates the file (mode 0600) and the schema, sets and
 * checks journal_mode=WAL and synchronous=FULL.
 *
 * @return APR_SUCCESS; APR_ENOENT if a reader's database does not exist, or is not the one that its
 *         writer has open. APR_EINCOMPLETE if the schema is of another version; APR_EAGAIN if it is
 *         locked; APR_EGENERAL otherwise
 */
apr_status_t chat_database_ready(chat_database_t *db);

/**
 * See whether the open files are still the files to use. A reader's connection is closed if its
 * writer has others open.
 *
 * A writer looks at the files under the names. If its file is gone or replaced, it saves the log
 * into the file that it has open, wherever that is. Then it takes the log away from the side of the
 * next file. If another process reads in the log for 1.5 s, the writer gives the log another name:
 * see chat_database_kept_log. Then the connection is closed. If only the log or its index is
 * another, the log is saved and the connection closed.
 *
 * @return APR_SUCCESS, also if nothing is open, or was a reader's; APR_ENOENT if a writer's file was deleted or
 *         replaced; APR_EAGAIN if its log was, and cannot be saved yet
 */
apr_status_t chat_database_check(chat_database_t *db, apr_pool_t *scratch_pool);

/**
 * See whether another connection has committed anything since this or chat_database_begin asked
 * last, or since the connection was opened. After a new opening that is not known, and the answer
 * is yes. A writer's call: there is only one writer, so yes means that the database was changed by
 * hand.
 *
 * @param was_changed  untouched on failure
 * @return APR_SUCCESS, also if nothing is open, or as chat_database_select
 */
apr_status_t chat_database_was_changed(chat_database_t *db, int *was_changed,
                                       apr_pool_t *scratch_pool);

/** The driver's words for the last failure, for the log; never NULL. Valid until the next call. */
const char *chat_database_last_error(const chat_database_t *db);

/**
 * How often the connection was opened. Each time another file may have been there: a closed
 * connection does not notice a change of files.
 */
unsigned chat_database_openings(const chat_database_t *db);

/** Close the connection; an open transaction is rolled back. */
void chat_database_close(chat_database_t *db);

/**
 * Leave a transaction that failed. The connection is closed, because a change by another
 * connection may have killed its statements. It stays open if the disk had no space.
 *
 * @param why  the status of the call that failed
 */
void chat_database_abandon(chat_database_t *db, apr_status_t why);

/**
 * Move the log into the file and cut it to nothing: both have many pages in common, so this makes
 * space on a full disk. A writer's call, outside of transactions. It acts once a second at most,
 * and for 0.1 s if another process reads in the log.
 *
 * @return whether it is worth a try to write again
 */
int chat_database_make_space(chat_database_t *db, apr_pool_t *scratch_pool);

/**
 * Move the log into the file if it is larger than the free space of the disk: on a full disk there
 * is no space to do that. A writer's call, after a COMMIT. If another process reads in the log,
 * this does not wait, and a later call tries again.
 */
void chat_database_keep_space(chat_database_t *db, apr_pool_t *scratch_pool);

/** Run a statement that answers nothing, on an open connection. */
apr_status_t chat_database_run(chat_database_t *db, const char *sql);

/**
 * Ask for one value, on an open connection.
 *
 * @param value  the first column of the first row, NULL for NULL; owned by pool; untouched on failure
 * @return APR_SUCCESS; APR_NOTFOUND where there is no row; or as chat_database_select
 */
apr_status_t chat_database_ask(chat_database_t *db, const char *sql, const char **value,
                               apr_pool_t *pool);

/**
 * Start a transaction that will write, on the file that lies there now. A database goes on taking
 * commits after its file was deleted or replaced, and they would be lost. The changed function has
 * handled all earlier commits of other connections: see chat_database_lead.
 *
 * @return as chat_database_ready; APR_ENOENT also if the file was deleted or replaced; APR_EAGAIN also if
 *         others commit again and again; or as changed
 */
apr_status_t chat_database_begin(chat_database_t *db, apr_pool_t *scratch_pool);

/**
 * Run a prepared statement on an open connection, as part of a transaction.
 *
 * @param params  in the statement's order: NUL-terminated strings, and numbers as apr_int64_t *
 * @param rows    its answer, to be read before the connection's next call; owned by pool
 * @return APR_SUCCESS, APR_EAGAIN if the database is locked, APR_ENOSPC if the disk is full, APR_EGENERAL otherwise
 */
apr_status_t chat_database_select(chat_database_t *db, chat_sql_statement_e statement,
                                  const void **params, chat_rows_t **rows, apr_pool_t *pool);

/**
 * Run a prepared statement by itself; open the connection if need be. If the statement fails, run
 * it once more: on the same connection if space could be made for it, else on a new one.
 *
 * @return as chat_database_select and chat_database_ready
 */
apr_status_t chat_database_read(chat_database_t *db, chat_sql_statement_e statement,
                                const void **params, chat_rows_t **rows, apr_pool_t *pool);

/** Move on to the next row, at first to the first. @return whether there is one */
int chat_rows_next(chat_rows_t *rows);

/** A column of the current row as text, NULL for NULL; owned by the rows' pool. */
const char *chat_rows_text(const chat_rows_t *rows, int column);

/** A column of the current row as a number, 0 for NULL. */
apr_int64_t chat_rows_int64(const chat_rows_t *rows, int column);

#endif
