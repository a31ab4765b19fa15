#include "chat_database_schema.h"

/* APR_NOTFOUND where no version is kept yet. */
static apr_status_t read_version(chat_database_t *db, apr_int64_t *version, apr_pool_t *pool)
{
    const char *text = NULL;
    apr_status_t rv = chat_database_ask(
        db, "SELECT value FROM grip_chat_meta WHERE site = '' AND name = 'schema'", &text, pool);

    if (rv == APR_SUCCESS) {
        *version = apr_atoi64(text);
    }
    return rv;
}

static apr_status_t check_version(apr_int64_t version)
{
    return version == CHAT_SQL_SCHEMA_VERSION ? APR_SUCCESS : APR_EINCOMPLETE;
}

static apr_status_t run_all(chat_database_t *db, const char *const *sql)
{
    apr_status_t rv = APR_SUCCESS;

    for (; rv == APR_SUCCESS && *sql; sql++) {
        rv = chat_database_run(db, *sql);
    }
    return rv;
}

/* Bring a schema up to date, one version after the other. */
static apr_status_t upgrade(chat_database_t *db, const chat_sql_dialect_t *dialect,
                            apr_int64_t version)
{
    apr_status_t rv = APR_SUCCESS;

    for (; rv == APR_SUCCESS && version < CHAT_SQL_SCHEMA_VERSION; version++) {
        rv = run_all(db, dialect->upgrades[version - 1]);
    }
    return rv;
}

/* A database that has the schema needs no lock for that, so that it can be read while another
 * process holds it. The first statement makes the table that the version is looked up in. A death
 * in between leaves the schema that was there. */
apr_status_t chat_database_schema_make(chat_database_t *db, const chat_sql_dialect_t *dialect,
                                       apr_pool_t *scratch_pool)
{
    apr_int64_t version = 0;
    apr_status_t rv = read_version(db, &version, scratch_pool);

    if (rv == APR_SUCCESS && version == CHAT_SQL_SCHEMA_VERSION) {
        return APR_SUCCESS;
    }
    rv = chat_database_run(db, dialect->begin);
    if (rv == APR_SUCCESS) {
        rv = chat_database_run(db, dialect->schema[0]);
    }
    if (rv == APR_SUCCESS) {
        rv = read_version(db, &version, scratch_pool);
    }
    if (rv == APR_NOTFOUND ||
        (rv == APR_SUCCESS && version >= 1 && version < CHAT_SQL_SCHEMA_VERSION)) {
        rv = rv == APR_NOTFOUND ? run_all(db, dialect->schema) : upgrade(db, dialect, version);
        version = CHAT_SQL_SCHEMA_VERSION;
        if (rv == APR_SUCCESS) {
            rv = chat_database_run(
                db,
                "INSERT INTO grip_chat_meta (site, name, value) VALUES ('', 'schema', "
                "'" APR_STRINGIFY(CHAT_SQL_SCHEMA_VERSION) "') ON CONFLICT (site, name)"
                                                           " DO UPDATE SET value = excluded.value");
        }
    }
    if (rv == APR_SUCCESS) {
        rv = check_version(version);
    }
    return rv == APR_SUCCESS ? chat_database_run(db, "COMMIT") : rv;
}

apr_status_t chat_database_schema_check(chat_database_t *db, apr_pool_t *scratch_pool)
{
    apr_int64_t version = 0;
    apr_status_t rv = read_version(db, &version, scratch_pool);

    if (rv == APR_SUCCESS) {
        rv = check_version(version);
    }
    return rv == APR_NOTFOUND ? APR_EGENERAL : rv;
}
