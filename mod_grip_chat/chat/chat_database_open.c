#include "chat_database_connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <apr_file_io.h>

#include "chat_database_schema.h"
#include "chat_database_sqlite.h"
#include "gc_clock.h"

chat_database_t *chat_database_create(const chat_database_spec_t *spec, chat_database_role_e role,
                                      apr_pool_t *pool)
{
    chat_database_t *db = apr_pcalloc(pool, sizeof(*db));

    db->spec = *spec;
    db->role = role;
    db->dialect = chat_sql_dialect(spec->driver);
    db->pool = pool;
    return db;
}

const char *chat_database_last_error(const chat_database_t *db)
{
    return db->last_error;
}

unsigned chat_database_openings(const chat_database_t *db)
{
    return db->openings;
}

void chat_database_follow(chat_database_t *db, chat_database_held_fn *held, void *baton)
{
    db->held = held;
    db->baton = baton;
}

void chat_database_lead(chat_database_t *db, const chat_database_files_t *known,
                        chat_database_opened_fn *opened, chat_database_opened_fn *changed,
                        void *baton)
{
    db->files = *known;
    db->opened = opened;
    db->changed = changed;
    db->baton = baton;
}

const chat_database_files_t *chat_database_files(const chat_database_t *db)
{
    return &db->files;
}

const char *chat_database_kept_log(chat_database_t *db)
{
    const char *kept = db->kept_log;

    db->kept_log = NULL;
    return kept;
}

/* SQLite makes files as readable as the umask allows, but the site's secret lies in this one. A file
 * that is there is not even opened: to close it would release all locks that SQLite holds on it. */
static apr_status_t create_file(chat_database_t *db)
{
    apr_file_t *file;
    apr_status_t rv =
        apr_file_open(&file, db->spec.params, APR_FOPEN_CREATE | APR_FOPEN_EXCL | APR_FOPEN_WRITE,
                      APR_FPROT_UREAD | APR_FPROT_UWRITE, db->connection_pool);

    if (APR_STATUS_IS_EEXIST(rv)) {
        /* SQLite would make its log as unwritable as the file is now, and it would stay so. */
        return faccessat(AT_FDCWD, db->spec.params, W_OK, AT_EACCESS) == 0
                   ? APR_SUCCESS
                   : chat_database_fail(db, APR_EGENERAL, "the database file cannot be written");
    }
    if (rv != APR_SUCCESS) {
        return chat_database_fail(db, APR_EGENERAL,
                                  "the database file cannot be opened for writing");
    }
    return apr_file_close(file);
}

/* A new database cannot change to the write-ahead log while another process reads it, as a child
 * may in a new site's first moments. The driver does not retry that, and answers it as any other
 * error. */
static apr_status_t ask_patiently(chat_database_t *db, const char *sql, const char **value)
{
    gc_moment_t end = gc_clock_now() + CHAT_DATABASE_PATIENCE;
    apr_status_t rv;

    while ((rv = chat_database_ask(db, sql, value, db->connection_pool)) == APR_EGENERAL &&
           strstr(db->last_error, "locked"))
    {
        if (gc_clock_now() > end) {
            return APR_EAGAIN;
        }
        apr_sleep(CHAT_DATABASE_PAUSE);
    }
    return rv;
}

static apr_status_t schema_status(chat_database_t *db, apr_status_t rv)
{
    return rv == APR_EINCOMPLETE
               ? chat_database_fail(db, rv, "the schema is of another version of mod_grip_chat")
               : rv;
}

static apr_status_t set_up_writer(chat_database_t *db)
{
    const char *const *check;
    apr_status_t rv;

    rv = chat_database_run(db, "PRAGMA synchronous=FULL");
    for (check = db->dialect->checks; rv == APR_SUCCESS && *check; check += 2) {
        const char *answer = NULL;

        rv = ask_patiently(db, check[0], &answer);
        if (rv == APR_SUCCESS && (!answer || strcmp(answer, check[1]) != 0)) {
            rv = chat_database_fail(db, APR_EGENERAL,
                                    apr_psprintf(db->connection_pool, "%s answers %s instead of %s",
                                                 check[0], answer ? answer : "nothing", check[1]));
        }
    }
    if (rv == APR_SUCCESS) {
        rv = schema_status(db, chat_database_schema_make(db, db->dialect, db->connection_pool));
    }
    if (rv == APR_SUCCESS && db->changes != CHAT_DATABASE_CHANGES_UNKNOWN) {
        int differs;

        rv = chat_database_was_changed(db, &differs, db->connection_pool);
    }
    return rv;
}

static apr_status_t set_up_reader(chat_database_t *db)
{
    const char *const *sql;
    apr_status_t rv = APR_SUCCESS;

    for (sql = db->dialect->for_read; rv == APR_SUCCESS && *sql; sql++) {
        rv = chat_database_run(db, *sql);
    }
    return rv == APR_SUCCESS
               ? schema_status(db, chat_database_schema_check(db, db->connection_pool))
               : rv;
}

/* Set a log beside another file than its own aside before anything is opened. SQLite would write
 * it over that file, and it removes a log that lies beside no file. */
static apr_status_t set_stray_log_aside(chat_database_t *db)
{
    chat_database_files_t found;

    db->path = chat_database_files_path(db->spec.params, db->connection_pool);
    chat_database_files_look(&found, db->path, db->connection_pool);
    return chat_database_files_have_stray_log(&db->files, &found) ? chat_database_set_log_aside(db)
                                                                  : APR_SUCCESS;
}

/* Open the files that lie there, and none that replace them meanwhile. Until that is certain
 * nothing is written, also not when the connection is closed. */
static apr_status_t open_for_writing(chat_database_t *db)
{
    chat_database_files_t found;
    chat_database_files_t opened;
    const char *answer;
    apr_status_t rv = set_stray_log_aside(db);

    rv = rv == APR_SUCCESS ? create_file(db) : rv;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    db->path = chat_database_files_path(db->spec.params, db->connection_pool);
    chat_database_files_look(&found, db->path, db->connection_pool);
    rv = chat_database_connect(db, db->spec.params);
    if (rv == APR_SUCCESS) {
        rv = chat_database_ask(db, "PRAGMA schema_version", &answer, db->connection_pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    chat_database_files_look(&opened, db->path, db->connection_pool);
    if (!chat_file_id_is_same(&found.file, &opened.file) ||
        (found.log.inode && !chat_file_id_is_same(&found.log, &opened.log)))
    {
        return chat_database_fail(db, APR_EAGAIN,
                                  "the database file was replaced while it was opened");
    }
    db->files = opened;
    rv = chat_database_let_checkpoint(db, 1);
    rv = rv == APR_SUCCESS ? set_up_writer(db) : rv;
    rv = rv == APR_SUCCESS ? chat_database_prepare(db) : rv;
    if (rv == APR_SUCCESS) {
        /* A new database has its log from now on. */
        chat_database_files_look(&opened, db->path, db->connection_pool);
        db->files.log = opened.log;
        db->files.index = opened.index;
    }
    return rv;
}

int chat_database_is_held(const chat_database_t *db)
{
    chat_database_files_t held;

    return db->held && db->held(&held, db->baton) && memcmp(&held, &db->files, sizeof(held)) == 0;
}

static int may_read(const chat_database_t *db)
{
    chat_database_files_t found;

    chat_database_files_look(&found, db->path, db->connection_pool);
    return chat_database_files_may_be_read(&db->files, &found, db->path, db->connection_pool);
}

static apr_status_t open_for_reading(chat_database_t *db)
{
    apr_status_t rv;

    db->path = chat_database_files_path(db->spec.params, db->connection_pool);
    if (!db->held || !db->held(&db->files, db->baton) || !may_read(db)) {
        return chat_database_fail(db, APR_ENOENT,
                                  "the database file is not the one that the keeper has open");
    }
    rv = chat_database_connect(db,
                               chat_database_sqlite_read_only_name(db->path, db->connection_pool));
    rv = rv == APR_SUCCESS ? set_up_reader(db) : rv;
    rv = rv == APR_SUCCESS ? chat_database_prepare(db) : rv;
    return rv != APR_SUCCESS || may_read(db)
               ? rv
               : chat_database_fail(db, APR_ENOENT,
                                    "the database file is not the one that the keeper has open");
}

static apr_status_t open_connection(chat_database_t *db)
{
    apr_status_t rv =
        db->role == CHAT_DATABASE_WRITER ? open_for_writing(db) : open_for_reading(db);

    if (rv == APR_SUCCESS && db->opened) {
        db->is_opening = 1;
        rv = db->opened(db, db->connection_pool, db->baton);
        db->is_opening = 0;
    }
    return rv;
}

static apr_status_t open_once(chat_database_t *db)
{
    apr_status_t rv = apr_pool_create(&db->connection_pool, db->pool);

    if (rv == APR_SUCCESS) {
        apr_pool_tag(db->connection_pool, "grip_chat_database");
        db->openings++;
        rv = open_connection(db);
        if (rv != APR_SUCCESS) {
            chat_database_close(db);
        }
    }
    return rv;
}

apr_status_t chat_database_ready(chat_database_t *db)
{
    gc_moment_t end = gc_clock_now() + CHAT_DATABASE_PATIENCE;
    apr_status_t rv;

    if (!db->dialect) {
        return chat_database_fail(db, APR_EGENERAL, "this DBD driver is not supported");
    }
    if (db->connection_pool) {
        return APR_SUCCESS;
    }
    /* The process that closes the last connection to a file holds it alone for a moment, as at
     * each restart. The driver waits for a lock when it runs a statement, but not when it prepares
     * one. */
    while ((rv = open_once(db)) == APR_EAGAIN && gc_clock_now() < end) {
        apr_sleep(CHAT_DATABASE_PAUSE);
    }
    return rv;
}
