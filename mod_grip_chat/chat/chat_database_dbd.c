#include "chat_database_connection.h"

#include <apr_dbd.h>

#include "chat_database_sqlite.h"

/* The result codes of SQLite that APR's sqlite3 driver hands through. */
#define RC_BUSY   5
#define RC_LOCKED 6

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

apr_status_t chat_database_fail(chat_database_t *db, apr_status_t rv, const char *why)
{
    apr_cpystrn(db->last_error, why, sizeof(db->last_error));
    return rv;
}

/* Keep the driver's words for rc and map it; 0 is success. */
static apr_status_t driver_status(chat_database_t *db, int rc)
{
    if (rc == 0) {
        return APR_SUCCESS;
    }
    apr_cpystrn(db->last_error, apr_dbd_error(db->driver, db->handle, rc), sizeof(db->last_error));
    if (chat_database_sqlite_is_full(apr_dbd_native_handle(db->driver, db->handle))) {
        return APR_ENOSPC;
    }
    return rc == RC_BUSY || rc == RC_LOCKED ? APR_EAGAIN : APR_EGENERAL;
}

int chat_database_is_in_transaction(const chat_database_t *db)
{
    return chat_database_sqlite_is_in_transaction(apr_dbd_native_handle(db->driver, db->handle));
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
        db->changes = CHAT_DATABASE_CHANGES_UNKNOWN;
    }
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

apr_status_t chat_database_let_checkpoint(chat_database_t *db, int may_checkpoint)
{
    apr_status_t rv = chat_database_sqlite_let_checkpoint(
        apr_dbd_native_handle(db->driver, db->handle), may_checkpoint);

    return rv == APR_SUCCESS ? rv : chat_database_fail(db, APR_EGENERAL, "this SQLite is too old");
}

apr_status_t chat_database_connect(chat_database_t *db, const char *params)
{
    const char *why = NULL;
    const char *source_id = NULL;
    apr_status_t rv = apr_dbd_get_driver(db->connection_pool, db->spec.driver, &db->driver);

    if (rv != APR_SUCCESS) {
        return chat_database_fail(db, APR_EGENERAL, "APR has no such DBD driver");
    }
    if (apr_dbd_open_ex(db->driver, db->connection_pool, params, &db->handle, &why) != APR_SUCCESS)
    {
        return chat_database_fail(db, APR_EGENERAL, why ? why : "the database cannot be opened");
    }
    apr_pool_cleanup_register(db->connection_pool, db, close_handle, apr_pool_cleanup_null);
    rv = chat_database_ask(db, "SELECT sqlite_source_id()", &source_id, db->connection_pool);
    if (rv == APR_SUCCESS && !chat_database_sqlite_is_own(source_id)) {
        rv = chat_database_fail(db, APR_EGENERAL,
                                "apr_dbd_sqlite3 has another SQLite than this module");
    }
    return rv == APR_SUCCESS ? chat_database_let_checkpoint(db, 0) : rv;
}

apr_status_t chat_database_prepare(chat_database_t *db)
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
