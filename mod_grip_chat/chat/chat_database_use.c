#include "chat_database_connection.h"

/* How often, and for how long, it is tried to make space where the disk is full. */
#define FOLD_PERIOD   apr_time_from_sec(1)
#define FOLD_PATIENCE apr_time_from_msec(100)

apr_status_t chat_database_set_log_aside(chat_database_t *db)
{
    const char *kept = NULL;
    apr_status_t rv = chat_database_files_set_log_aside(db->path, &db->files.file, &kept, db->pool);

    if (rv != APR_SUCCESS) {
        return chat_database_fail(db, APR_EGENERAL,
                                  "another file's write-ahead log cannot be renamed");
    }
    db->kept_log = kept ? kept : db->kept_log;
    return APR_SUCCESS;
}

/* Move all of the log into the file. A process that reads in the log prevents that for as long as
 * it reads. */
static apr_status_t save_log(chat_database_t *db, apr_interval_time_t patience,
                             apr_pool_t *scratch_pool)
{
    gc_moment_t end = gc_clock_now() + patience;
    const char *is_busy = "1";
    apr_status_t rv;

    while ((rv = chat_database_ask(db, "PRAGMA wal_checkpoint(TRUNCATE)", &is_busy,
                                   scratch_pool)) == APR_SUCCESS &&
           strcmp(is_busy, "0") != 0 && gc_clock_now() < end)
    {
        apr_sleep(CHAT_DATABASE_PAUSE);
    }
    return rv != APR_SUCCESS || strcmp(is_busy, "0") == 0
               ? rv
               : chat_database_fail(db, APR_EAGAIN, "another process reads in the write-ahead log");
}

/* The log or its index is gone, or another, while its database is in use: an operator's mistake.
 * Acknowledged messages are in the log without a name, and are moved into the file, where they will
 * be found. */
static apr_status_t leave_log(chat_database_t *db, apr_pool_t *scratch_pool)
{
    apr_status_t rv = save_log(db, CHAT_DATABASE_PATIENCE, scratch_pool);

    if (rv == APR_SUCCESS) {
        chat_database_close(db);
    }
    return rv == APR_SUCCESS
               ? rv
               : chat_database_fail(
                     db, APR_EAGAIN,
                     "the write-ahead log was deleted, and another process reads the file");
}

/* Acknowledged messages go with the file that they were written to, wherever that is. SQLite finds
 * a log by its name only: this log would be written over the file that replaced the other. */
static apr_status_t leave_file(chat_database_t *db, const chat_database_files_t *found,
                               apr_pool_t *scratch_pool)
{
    apr_status_t rv = save_log(db, CHAT_DATABASE_PATIENCE, scratch_pool);

    if (!chat_file_id_is_same(&found->file, &db->files.file) &&
        chat_file_id_is_same(&found->log, &db->files.log))
    {
        if (rv == APR_SUCCESS) {
            chat_database_files_remove_log(db->path, scratch_pool);
        }
        else {
            rv = chat_database_set_log_aside(db);
        }
    }
    if (rv == APR_SUCCESS) {
        (void)chat_database_let_checkpoint(db,
                                           0); /* connecting has shown that this SQLite knows it */
    }
    chat_database_close(db);
    return chat_database_fail(db, APR_ENOENT, "the database file was deleted or replaced");
}

static apr_status_t check_writer(chat_database_t *db, apr_pool_t *scratch_pool)
{
    chat_database_files_t found;
    chat_database_files_t named;

    chat_database_files_look(&found, db->path, scratch_pool);
    named = found;
    if (strcmp(db->path, db->spec.params) != 0) {
        chat_database_files_look(&named, db->spec.params, scratch_pool);
    }
    if (!chat_file_id_is_same(&named.file, &db->files.file)) {
        return leave_file(db, &found, scratch_pool);
    }
    return chat_database_files_are_same(&found, &db->files) ? APR_SUCCESS
                                                            : leave_log(db, scratch_pool);
}

apr_status_t chat_database_check(chat_database_t *db, apr_pool_t *scratch_pool)
{
    if (!db->connection_pool || db->is_opening) {
        return APR_SUCCESS;
    }
    if (db->role == CHAT_DATABASE_WRITER) {
        return check_writer(db, scratch_pool);
    }
    if (!chat_database_is_held(db)) {
        chat_database_close(db);
    }
    return APR_SUCCESS;
}

static int take_changes(chat_database_t *db, apr_int64_t now)
{
    int differs = now != db->changes;

    db->changes = now;
    return differs;
}

apr_status_t chat_database_was_changed(chat_database_t *db, int *was_changed,
                                       apr_pool_t *scratch_pool)
{
    const char *answer = NULL;
    apr_status_t rv;

    if (!db->connection_pool) {
        return APR_SUCCESS;
    }
    /* Prepared anew, as prepared statements die of changes by others. */
    rv = chat_database_ask(db, chat_sql_text(CHAT_SQL_CHANGES), &answer, scratch_pool);
    if (rv == APR_SUCCESS) {
        *was_changed = take_changes(db, answer ? apr_atoi64(answer) : 0);
    }
    return rv;
}

/* Start a transaction, and see whether another connection has committed before it. None can after
 * it. */
static apr_status_t begin(chat_database_t *db, int *was_changed, apr_pool_t *pool)
{
    const void *params[] = {NULL};
    chat_rows_t *rows;
    apr_status_t rv = chat_database_run(db, db->dialect->begin);

    *was_changed = 0;
    if (rv == APR_SUCCESS && db->changed) {
        rv = chat_database_select(db, CHAT_SQL_CHANGES, params, &rows, pool);
        if (rv == APR_SUCCESS && chat_rows_next(rows)) {
            *was_changed = take_changes(db, chat_rows_int64(rows, 0));
        }
    }
    return rv;
}

/* Have the connection's user handle the changes of others, outside of the transaction. Its writes
 * are to be durable, and its news to others true, even if the transaction fails. */
static apr_status_t see_to_changes(chat_database_t *db, apr_pool_t *pool)
{
    apr_status_t rv = chat_database_run(db, "ROLLBACK");

    if (rv == APR_SUCCESS) {
        rv = db->changed(db, pool, db->baton);
    }
    if (rv != APR_SUCCESS) {
        chat_database_close(db); /* else the change would be forgotten */
    }
    return rv;
}

apr_status_t chat_database_begin(chat_database_t *db, apr_pool_t *scratch_pool)
{
    gc_moment_t end = gc_clock_now() + CHAT_DATABASE_PATIENCE;
    int was_changed = 1;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && was_changed) {
        if (gc_clock_now() > end) {
            chat_database_close(db);
            return chat_database_fail(db, APR_EAGAIN, "others change the database all the time");
        }
        rv = chat_database_ready(db);
        if (rv == APR_SUCCESS) {
            rv = chat_database_check(db, scratch_pool);
        }
        if (rv == APR_SUCCESS) {
            rv = chat_database_ready(db); /* again, if its files were not those to be used */
        }
        if (rv == APR_SUCCESS) {
            rv = begin(db, &was_changed, scratch_pool);
        }
        if (rv == APR_SUCCESS && was_changed) {
            rv = see_to_changes(db, scratch_pool);
        }
    }
    return rv;
}

void chat_database_keep_space(chat_database_t *db, apr_pool_t *scratch_pool)
{
    gc_moment_t now = gc_clock_now();

    if (db->connection_pool && now >= db->fold_from &&
        chat_database_files_log_is_too_large(db->path, scratch_pool) &&
        save_log(db, 0, scratch_pool) != APR_SUCCESS)
    {
        db->fold_from = now + FOLD_PERIOD;
    }
}

int chat_database_make_space(chat_database_t *db, apr_pool_t *scratch_pool)
{
    gc_moment_t now = gc_clock_now();

    if (!db->connection_pool || db->role != CHAT_DATABASE_WRITER || now < db->fold_from) {
        return 0;
    }
    db->fold_from = now + FOLD_PERIOD;
    return save_log(db, FOLD_PATIENCE, scratch_pool) == APR_SUCCESS;
}

void chat_database_abandon(chat_database_t *db, apr_status_t why)
{
    if (why != APR_ENOSPC || !db->connection_pool ||
        (chat_database_is_in_transaction(db) && chat_database_run(db, "ROLLBACK") != APR_SUCCESS))
    {
        chat_database_close(db);
    }
}

apr_status_t chat_database_read(chat_database_t *db, chat_sql_statement_e statement,
                                const void **params, chat_rows_t **rows, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    int attempt;

    for (attempt = 0; attempt < 2; attempt++) {
        rv = chat_database_ready(db);
        if (rv == APR_SUCCESS) {
            rv = chat_database_check(db, pool);
        }
        if (rv == APR_SUCCESS) {
            rv = chat_database_ready(db); /* likewise */
        }
        if (rv == APR_SUCCESS) {
            rv = chat_database_select(db, statement, params, rows, pool);
        }
        if (rv == APR_SUCCESS && db->role == CHAT_DATABASE_READER && !chat_database_is_held(db)) {
            rv = chat_database_fail(db, APR_ENOENT,
                                    "the database file was replaced while it was read");
        }
        if (rv == APR_SUCCESS || rv == APR_EINCOMPLETE || rv == APR_EAGAIN ||
            (rv == APR_ENOENT && db->role == CHAT_DATABASE_WRITER) || db->is_opening ||
            (rv == APR_ENOSPC && !chat_database_make_space(db, pool)))
        {
            break; /* a writer's user has to know that it goes on with another file */
        }
        if (rv != APR_ENOSPC) {
            chat_database_close(db);
        }
    }
    return rv;
}
