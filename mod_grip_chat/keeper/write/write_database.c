#include "write_database.h"

#include "gc_assert.h"
#include "gc_clock.h"
#include "write_files.h"

/* How often to look whether another keeper has let go of the database. */
#define LOCK_PAUSE apr_time_from_msec(10)

/* How often to try to save a deleted log at the end, while another process reads in it. */
#define CLOSE_TRIES 200

/* After this long it is worth a line in the log. */
#define LOCK_PATIENCE apr_time_from_sec(3)

void write_database_init(write_database_t *database, const keeper_config_t *config,
                         const ipc_site_t *const *sites, apr_size_t site_count,
                         const write_database_hooks_t *hooks, apr_pool_t *pool)
{
    GC_ASSERT(site_count > 0);
    memset(database, 0, sizeof(*database));
    database->config = config;
    database->sites = sites;
    database->site_count = site_count;
    database->hooks = *hooks;
    database->pool = pool;
    database->db = chat_database_create(&sites[0]->database, CHAT_DATABASE_WRITER, pool);
}

void write_database_report(write_database_t *database, apr_status_t rv)
{
    const char *path = database->sites[0]->database.params;

    if (rv == database->reported || (APR_STATUS_IS_EAGAIN(rv) && database->reported == APR_EBUSY)) {
        return;
    }
    database->reported = rv;
    if (rv == APR_SUCCESS) {
        gc_log_line(database->config->log, GC_LOG_NOTICE, rv,
                    "GC0201: the database %s can be written again", path);
    }
    else if (rv == APR_EAGAIN) {
        gc_log_line(
            database->config->log, GC_LOG_WARNING, APR_SUCCESS,
            "GC0202: another process holds the database %s; posts are answered 503 until it "
            "lets go",
            path);
    }
    else {
        gc_log_line(
            database->config->log, GC_LOG_ERR, rv,
            "GC0203: the database %s cannot be written: %s; posts are answered 503 until it "
            "can",
            path, chat_database_last_error(database->db));
    }
}

static unsigned number_of(const write_database_t *database)
{
    return database->sites[0]->database_number;
}

/* A log was given another name, because its file was moved away and it could not be saved into that. */
static void tell_kept_log(write_database_t *database)
{
    const char *kept = chat_database_kept_log(database->db);

    if (kept) {
        gc_log_line(
            database->config->log, GC_LOG_WARNING, APR_SUCCESS,
            "GC0220: the database file that lay at %s was moved away. Acknowledged messages "
            "are still in its write-ahead log, which is kept as %s. Before you open the "
            "moved file, whose inode is in that name, move the log beside it as {moved "
            "file}-wal",
            database->sites[0]->database.params, kept);
    }
}

/* Posts are not refused because the numbers that were given out cannot be read or kept. */
static void report_positions(write_database_t *database, apr_status_t rv)
{
    if (rv != APR_SUCCESS && !database->is_forgetful) {
        gc_log_line(
            database->config->log, GC_LOG_WARNING, rv,
            "GC0209: %s.keeper-lock cannot be read or written: if an older copy replaces the "
            "database while Apache is down, the keeper cannot notice that",
            database->sites[0]->database.params);
    }
    database->is_forgetful = rv != APR_SUCCESS;
}

/* Keep the numbers that were given out for the next keeper. */
static void keep_positions(write_database_t *database)
{
    GC_ASSERT(database->is_locked);
    report_positions(database, write_positions_keep(&database->positions, &database->lock));
}

/* See that no position is shown twice. */
static apr_status_t settle_positions(write_database_t *database, apr_pool_t *pool)
{
    int was_moved;
    apr_status_t rv = write_positions_settle(&database->positions, database->db,
                                             database->was_replaced, &was_moved, pool);

    if (was_moved) {
        gc_log_line(
            database->config->log, GC_LOG_WARNING, APR_SUCCESS,
            "GC0208: the database %s was replaced, or is an older copy; its positions go on above "
            "all that readers can have, and readers start anew",
            database->sites[0]->database.params);
        ipc_shared_bump_database(database->config->shared, number_of(database));
    }
    if (rv == APR_SUCCESS) {
        keep_positions(database);
    }
    return rv;
}

/* A connection was opened, perhaps on another file, and is not yet used. */
static apr_status_t settle_opened(chat_database_t *db, apr_pool_t *scratch_pool, void *baton)
{
    write_database_t *database = baton;
    const chat_database_files_t *files = chat_database_files(db);
    apr_status_t rv = settle_positions(database, scratch_pool);

    tell_kept_log(database);
    if (rv == APR_SUCCESS) {
        report_positions(database, write_files_keep(files, &database->lock));
        ipc_shared_set_files(database->config->shared, number_of(database), files);
    }
    return rv;
}

/* Another connection has committed, which only an operator with a shell does. By .restore
 * everything may have changed: the rooms in children's memory, and the positions and ids that come
 * next. */
static apr_status_t settle_changed(chat_database_t *db, apr_pool_t *scratch_pool, void *baton)
{
    write_database_t *database = baton;

    ipc_shared_bump_database(database->config->shared, number_of(database));
    return settle_positions(database, scratch_pool);
}

/* The files of the keeper before tell which file owns the log. */
static void take_over(write_database_t *database)
{
    chat_database_files_t known;
    apr_status_t rv = write_positions_read(&database->positions, &database->lock);

    memset(&known, 0, sizeof(known));
    if (rv == APR_SUCCESS) {
        rv = write_files_read(&known, &database->lock);
    }
    report_positions(database, rv);
    chat_database_lead(database->db, &known, settle_opened, settle_changed, database);
}

/* Wait until no other keeper has the database: the keeper from before a restart ends in a
 * moment. */
static apr_status_t take_lock(write_database_t *database)
{
    const char *path = database->sites[0]->database.params;
    gc_moment_t start = gc_clock_now();
    apr_status_t rv = APR_SUCCESS;

    while (!database->is_locked) {
        apr_pool_t *pool;

        rv = apr_pool_create(&pool, database->pool);
        if (rv == APR_SUCCESS) {
            rv = write_lock_try(&database->lock, path, pool);
        }
        if (rv == APR_SUCCESS) {
            database->is_locked = 1;
            take_over(database);
            break;
        }
        apr_pool_destroy(pool);
        if (!APR_STATUS_IS_EAGAIN(rv)) {
            break;
        }
        if (database->reported == APR_EBUSY || database->hooks.must_stop(database->hooks.baton)) {
            break;
        }
        if (gc_clock_now() - start > LOCK_PATIENCE) {
            database->reported = APR_EBUSY;
            gc_log_line(database->config->log, GC_LOG_ERR, rv,
                        "GC0204: another keeper holds %s.keeper-lock, and posts are answered 503; "
                        "does another httpd use the same database? Give each a GripChatDatabase of "
                        "its own",
                        path);
            break;
        }
        apr_sleep(LOCK_PAUSE);
    }
    return rv;
}

void write_database_forget(write_database_t *database)
{
    if (!database->was_replaced) {
        gc_log_line(
            database->config->log, GC_LOG_WARNING, APR_SUCCESS,
            "GC0205: the database file %s was deleted or replaced; going on with the file that "
            "lies there, or a new one",
            database->sites[0]->database.params);
    }
    tell_kept_log(database);
    /* In this order: a child that goes by the next epoch reads nothing until the files are open. */
    ipc_shared_set_files(database->config->shared, number_of(database), NULL);
    ipc_shared_bump_database(database->config->shared, number_of(database));
    database->was_replaced = 1;
    database->is_recovered = 0;
}

void write_database_doubt(write_database_t *database)
{
    ipc_shared_bump_database(database->config->shared, number_of(database));
    database->is_recovered = 0;
}

void write_database_note(write_database_t *database, chat_append_t *const *appends, int count)
{
    if (write_positions_note(&database->positions, appends, count)) {
        keep_positions(database);
    }
}

static apr_status_t recover(write_database_t *database, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    for (i = 0; rv == APR_SUCCESS && i < database->site_count; i++) {
        rv = write_recovery_run(database->db, database->sites[i], database->config->log,
                                database->hooks.behind, database->hooks.baton, pool);
    }
    return rv;
}

apr_status_t write_database_ready(write_database_t *database, apr_pool_t *scratch_pool)
{
    apr_status_t rv = take_lock(database);
    unsigned openings;

    if (rv == APR_SUCCESS) {
        rv = chat_database_check(database->db, scratch_pool);
    }
    if (rv == APR_ENOENT) {
        write_database_forget(database);
        rv = APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = chat_database_ready(database->db);
    }
    if (rv != APR_SUCCESS ||
        (database->is_recovered && database->openings == chat_database_openings(database->db)))
    {
        return rv;
    }
    if (database->is_recovered) {
        /* Opened anew after an error; another file may have been there meanwhile. */
        ipc_shared_bump_database(database->config->shared, number_of(database));
        database->is_recovered = 0;
    }
    GC_ASSERT(database->is_locked);
    openings = chat_database_openings(database->db);
    rv = recover(database, scratch_pool);
    if (rv == APR_SUCCESS) {
        database->is_recovered = 1;
        database->was_replaced = 0;
        database->openings = openings;
    }
    else if (rv == APR_ENOENT) {
        write_database_forget(database);
    }
    return rv;
}

void write_database_look(write_database_t *database, apr_pool_t *scratch_pool)
{
    int was_changed = 0;
    int was_recovered;
    apr_status_t rv;

    if (database->is_recovered && chat_database_check(database->db, scratch_pool) == APR_ENOENT) {
        write_database_forget(database);
        return;
    }
    was_recovered = database->is_recovered;
    rv = write_database_ready(database, scratch_pool);
    if (rv != APR_SUCCESS || !was_recovered) {
        /* That it is open does not say that posts can be stored again. */
        write_database_report(database, rv);
    }
    /* If it cannot be asked nothing is known, and the rooms in children's memory may be the
     * best. */
    if (database->is_recovered &&
        chat_database_was_changed(database->db, &was_changed, scratch_pool) == APR_SUCCESS &&
        was_changed && settle_changed(database->db, scratch_pool, database) != APR_SUCCESS)
    {
        chat_database_close(database->db); /* it is tried again whenever it is opened */
    }
}

/* The process that closes a database last takes its log away. Children may open it without one
 * while there is no keeper. */
static void tell_closed(const write_database_t *database, apr_pool_t *scratch_pool)
{
    chat_database_files_t held = *chat_database_files(database->db);
    chat_database_files_t found;

    chat_database_files_look(
        &found, chat_database_files_path(database->sites[0]->database.params, scratch_pool),
        scratch_pool);
    if (database->is_recovered && chat_file_id_is_same(&held.file, &found.file) && !found.log.inode)
    {
        memset(&held.log, 0, sizeof(held.log));
        memset(&held.index, 0, sizeof(held.index));
        ipc_shared_set_files(database->config->shared, number_of(database), &held);
    }
}

void write_database_close(write_database_t *database, apr_pool_t *scratch_pool)
{
    int tries = CLOSE_TRIES;

    while (chat_database_check(database->db, scratch_pool) == APR_EAGAIN && tries-- > 0) {
        apr_sleep(LOCK_PAUSE);
    }
    tell_kept_log(database);
    chat_database_close(database->db);
    if (database->is_locked) {
        apr_status_t rv;

        tell_closed(database, scratch_pool);
        rv = write_lock_release(&database->lock);

        if (rv != APR_SUCCESS) {
            gc_log_line(database->config->log, GC_LOG_WARNING, rv,
                        "GC0217: %s.keeper-lock did not close as it should; the lock is released",
                        database->sites[0]->database.params);
        }
        database->is_locked = 0;
    }
}
