#include "chat_database_sqlite.h"

#include <string.h>

#include <sqlite3.h>

#include <apr_strings.h>

const char *chat_database_sqlite_read_only_name(const char *path, apr_pool_t *pool)
{
    static const char hex[] = "0123456789ABCDEF";
    char *uri;
    char *to;

    if (!sqlite3_compileoption_used("USE_URI") || *path != '/') {
        return path;
    }
    uri = apr_palloc(pool, sizeof("file:?mode=ro") + 3 * strlen(path));
    to = apr_cpystrn(uri, "file:", sizeof("file:"));
    for (; *path; path++) {
        if (strchr("%?#", *path)) {
            *to++ = '%';
            *to++ = hex[(unsigned char)*path >> 4];
            *to++ = hex[(unsigned char)*path & 15];
        }
        else {
            *to++ = *path;
        }
    }
    (void)apr_cpystrn(to, "?mode=ro", sizeof("?mode=ro"));
    return uri;
}

int chat_database_sqlite_is_own(const char *source_id)
{
    return source_id && strcmp(source_id, sqlite3_sourceid()) == 0;
}

int chat_database_sqlite_is_full(void *handle)
{
    return sqlite3_errcode(handle) == SQLITE_FULL;
}

int chat_database_sqlite_is_in_transaction(void *handle)
{
    return !sqlite3_get_autocommit(handle);
}

apr_status_t chat_database_sqlite_let_checkpoint(void *handle, int may_checkpoint)
{
    int is_forbidden = -1;
    int rc =
        sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !may_checkpoint, &is_forbidden);

    return rc == SQLITE_OK && is_forbidden == !may_checkpoint ? APR_SUCCESS : APR_ENOTIMPL;
}
