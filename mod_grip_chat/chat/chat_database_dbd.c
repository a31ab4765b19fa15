#include "chat_database.h"

#include <fcntl.h>
#include <unistd.h>

#include <apr_dbd.h>
#include <apr_file_io.h>

#include "chat_database_file.h"
#include "chat_database_schema.h"
#include "gc_clock.h"

/* What APR's sqlite3 driver hands through of SQLite's own result codes. */
#define RC_BUSY   5
#define RC_LOCKED 6

/* How long a lock is waited for that the driver does not wait for, and how often it is tried. */
#define LOCK_PATIENCE apr_time_from_msec(1500)
#define LOCK_PAUSE    apr_time_from_msec(5)

/* The number of changes is not known any more. */
#define CHANGES_UNKNOWN (-1)

struct chat_database_t {
    chat_database_spec_t spec;
    chat_database_role_e role;
    const chat_sql_dialect_t *dialect;
    apr_pool_t *pool;
    apr_pool_t *connection_pool; /* owns all below; NULL while it is closed */
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_dbd_prepared_t *statements[CHAT_SQL_COUNT];
    chat_database_file_t file; /* what was opened, to notice when something else lies there */
    apr_int64_t changes; /* what the dialect's query answered last; 0 before it was first asked */
    unsigned openings;
    char last_error[256];
};

struct chat_rows_t {
    chat_database_t *db;
    apr_dbd_results_t *results;
    apr_dbd_row_t *row;
    apr_pool_t *pool;
};

apr_status_t chat_database_global_init(apr_pool_t *pool)
{
    return apr_dbd_init(pool);
}

apr_status_t chat_database_driver_check(const char *driver, apr_pool_t *scratch_pool)
{
    const apr_dbd_driver_t *found;

    return apr_dbd_get_driver(scratch_pool, driver, &found);
}

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

static apr_status_t close_handle(void *data)
{
    chat_database_t *db = data;

    return apr_dbd_close(db->driver, db->handle);
}

void chat_database_close(chat_database_t *db)
{
    if (db->connection_pool) {
        apr_pool_destroy(db->connection_pool);
        db->connection_pool = NULL;
        db->changes = CHANGES_UNKNOWN;
    }
}

/* Keep what the driver says of rc and map it; 0 is success. */
static apr_status_t driver_status(chat_database_t *db, int rc)
{
    if (rc == 0) {
        return APR_SUCCESS;
    }
    apr_cpystrn(db->last_error, apr_dbd_error(db->driver, db->handle, rc), sizeof(db->last_error));
    return rc == RC_BUSY || rc == RC_LOCKED ? APR_EAGAIN : APR_EGENERAL;
}

static apr_status_t fail(chat_database_t *db, apr_status_t rv, const char *why)
{
    apr_cpystrn(db->last_error, why, sizeof(db->last_error));
    return rv;
}

apr_status_t chat_database_run(chat_database_t *db, const char *sql)
{
    int rows;

    return driver_status(db, apr_dbd_query(db->driver, db->handle, &rows, sql));
}

apr_status_t chat_database_ask(chat_database_t *db, const char *sql, const char **value,
                               apr_pool_t *pool)
{
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;
    apr_status_t rv;

    rv = driver_status(db, apr_dbd_select(db->driver, pool, db->handle, &results, sql, 0));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (apr_dbd_get_row(db->driver, pool, results, &row, -1) != 0) {
        return APR_NOTFOUND;
    }
    *value = apr_dbd_get_entry(db->driver, row, 0);
    return APR_SUCCESS;
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
                   : fail(db, APR_EGENERAL, "the database file cannot be written");
    }
    if (rv != APR_SUCCESS) {
        return fail(db, APR_EGENERAL, "the database file cannot be opened for writing");
    }
    return apr_file_close(file);
}

/* A new database cannot change to the write-ahead log while somebody reads it, as a child may in a new
 * site's first moments. The driver does not retry that, and answers it as any other error. */
static apr_status_t ask_patiently(chat_database_t *db, const char *sql, const char **value)
{
    gc_moment_t end = gc_clock_now() + LOCK_PATIENCE;
    apr_status_t rv;

    while ((rv = chat_database_ask(db, sql, value, db->connection_pool)) == APR_EGENERAL &&
           strstr(db->last_error, "locked"))
    {
        if (gc_clock_now() > end) {
            return APR_EAGAIN;
        }
        apr_sleep(LOCK_PAUSE);
    }
    return rv;
}

/* Keep what the dialect's query answers; 1 in *differs if it was another before. */
static apr_status_t note_changes(chat_database_t *db, int *differs, apr_pool_t *pool)
{
    const char *answer = NULL;
    apr_status_t rv = chat_database_ask(db, db->dialect->changes, &answer, pool);

    if (rv == APR_SUCCESS) {
        apr_int64_t now = answer ? apr_atoi64(answer) : 0;

        *differs = now != db->changes;
        db->changes = now;
    }
    return rv;
}

static apr_status_t schema_status(chat_database_t *db, apr_status_t rv)
{
    return rv == APR_EINCOMPLETE ? fail(db, rv, "the schema is of another version of mod_grip_chat")
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
            rv = fail(db, APR_EGENERAL,
                      apr_psprintf(db->connection_pool, "%s answers %s instead of %s", check[0],
                                   answer ? answer : "nothing", check[1]));
        }
    }
    if (rv == APR_SUCCESS) {
        rv = schema_status(db, chat_database_schema_make(db, db->dialect, db->connection_pool));
    }
    if (rv == APR_SUCCESS && db->changes != CHANGES_UNKNOWN) {
        int differs;

        rv = note_changes(db, &differs, db->connection_pool);
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

static apr_status_t prepare_all(chat_database_t *db)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < CHAT_SQL_COUNT; i++) {
        db->statements[i] = NULL;
        rv = driver_status(db, apr_dbd_prepare(db->driver, db->connection_pool, db->handle,
                                               chat_sql_text(i), NULL, &db->statements[i]));
    }
    return rv;
}

static apr_status_t open_connection(chat_database_t *db)
{
    const char *why = NULL;
    apr_status_t rv = apr_dbd_get_driver(db->connection_pool, db->spec.driver, &db->driver);

    if (rv != APR_SUCCESS) {
        return fail(db, APR_EGENERAL, "APR has no such DBD driver");
    }
    if (db->dialect->is_file && db->role == CHAT_DATABASE_WRITER) {
        rv = create_file(db);
    }
    if (rv == APR_SUCCESS && db->dialect->is_file &&
        chat_database_file_note(&db->file, db->spec.params, db->connection_pool) != APR_SUCCESS)
    {
        rv = fail(db, APR_ENOENT, "the database file does not exist");
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (apr_dbd_open_ex(db->driver, db->connection_pool, db->spec.params, &db->handle, &why) !=
        APR_SUCCESS)
    {
        return fail(db, APR_EGENERAL, why ? why : "the database cannot be opened");
    }
    apr_pool_cleanup_register(db->connection_pool, db, close_handle, apr_pool_cleanup_null);
    rv = db->role == CHAT_DATABASE_WRITER ? set_up_writer(db) : set_up_reader(db);
    rv = rv == APR_SUCCESS ? prepare_all(db) : rv;
    if (rv == APR_SUCCESS && db->dialect->is_file) {
        chat_database_file_note_log(&db->file, db->connection_pool);
    }
    return rv;
}

/* The log is gone, or is another, while its database is in use: an operator's mistake. What was
 * acknowledged is in the one without a name, and is moved to where it will be found. Until the writer has
 * done so a reader finds it there alone; a new log without a commit may be another reader's. */
static apr_status_t leave_log(chat_database_t *db, apr_pool_t *scratch_pool)
{
    const char *is_busy = "0";
    apr_status_t rv = APR_SUCCESS;

    if (db->role == CHAT_DATABASE_READER &&
        !chat_database_file_finds_used_log(&db->file, scratch_pool)) {
        return APR_SUCCESS;
    }
    if (db->role == CHAT_DATABASE_WRITER) {
        rv = chat_database_ask(db, "PRAGMA wal_checkpoint(TRUNCATE)", &is_busy, scratch_pool);
    }
    if (rv != APR_SUCCESS || strcmp(is_busy, "0") != 0) {
        return fail(db, APR_EAGAIN, "the write-ahead log was deleted, and somebody reads the file");
    }
    chat_database_close(db);
    return APR_SUCCESS;
}

apr_status_t chat_database_check(chat_database_t *db, apr_pool_t *scratch_pool)
{
    int has_log;

    if (!db->dialect->is_file || !db->connection_pool) {
        return APR_SUCCESS;
    }
    has_log = chat_database_file_has_log(&db->file, scratch_pool);
    if (chat_database_file_is_there(&db->file, scratch_pool)) {
        return has_log || !db->file.log.valid ? APR_SUCCESS : leave_log(db, scratch_pool);
    }
    if (has_log) {
        if (db->role == CHAT_DATABASE_READER) {
            return fail(db, APR_ENOENT, "the database file was replaced, but not yet its log");
        }
        const char *answer;

        /* What was acknowledged goes with the file that it was written to, wherever that is now. The
         * log is found by its name only: what it holds would be written over the file that replaced
         * the other, a restored backup for instance. */
        (void)chat_database_ask(db, "PRAGMA wal_checkpoint(TRUNCATE)", &answer, scratch_pool);
        chat_database_file_remove_log(&db->file, scratch_pool);
    }
    chat_database_close(db);
    return fail(db, APR_ENOENT, "the database file was deleted or replaced");
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

apr_status_t chat_database_was_changed(chat_database_t *db, int *was_changed,
                                       apr_pool_t *scratch_pool)
{
    return db->connection_pool ? note_changes(db, was_changed, scratch_pool) : APR_SUCCESS;
}

apr_status_t chat_database_ready(chat_database_t *db)
{
    gc_moment_t end = gc_clock_now() + LOCK_PATIENCE;
    apr_status_t rv;

    if (!db->dialect) {
        return fail(db, APR_EGENERAL, "this DBD driver is not supported");
    }
    if (db->connection_pool) {
        return APR_SUCCESS;
    }
    /* Whoever closes the last connection to a file holds it alone for a moment, as at each restart. The
     * driver waits for a lock when it runs a statement, but not when it prepares one. */
    while ((rv = open_once(db)) == APR_EAGAIN && gc_clock_now() < end) {
        apr_sleep(LOCK_PAUSE);
    }
    return rv;
}

apr_status_t chat_database_begin(chat_database_t *db, apr_pool_t *scratch_pool)
{
    apr_status_t rv = chat_database_ready(db);

    if (rv == APR_SUCCESS) {
        rv = chat_database_check(db, scratch_pool);
    }
    if (rv == APR_SUCCESS) {
        rv = chat_database_ready(db); /* again, if its log was not the one that lies there */
    }
    return rv == APR_SUCCESS ? chat_database_run(db, db->dialect->begin) : rv;
}

apr_status_t chat_database_select(chat_database_t *db, chat_sql_statement_e statement,
                                  const void **params, chat_rows_t **rows, apr_pool_t *pool)
{
    chat_rows_t *found = apr_pcalloc(pool, sizeof(*found));
    apr_status_t rv;

    found->db = db;
    found->pool = pool;
    rv = driver_status(db, apr_dbd_pbselect(db->driver, pool, db->handle, &found->results,
                                            db->statements[statement], 0, params));
    if (rv == APR_SUCCESS) {
        *rows = found;
    }
    return rv;
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
        if (rv == APR_SUCCESS || rv == APR_EINCOMPLETE || rv == APR_EAGAIN ||
            (rv == APR_ENOENT && (db->role == CHAT_DATABASE_WRITER || db->connection_pool)))
        {
            break; /* a writer's user has to know that it goes on with another file */
        }
        chat_database_close(db);
    }
    return rv;
}

int chat_rows_next(chat_rows_t *rows)
{
    rows->row = NULL;
    return apr_dbd_get_row(rows->db->driver, rows->pool, rows->results, &rows->row, -1) == 0;
}

const char *chat_rows_text(const chat_rows_t *rows, int column)
{
    return apr_dbd_get_entry(rows->db->driver, rows->row, column);
}

apr_int64_t chat_rows_int64(const chat_rows_t *rows, int column)
{
    const char *text = chat_rows_text(rows, column);

    return text ? apr_atoi64(text) : 0;
}
