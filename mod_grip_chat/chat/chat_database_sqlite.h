/* The calls to SQLite that apr_dbd's driver does not offer. The one file that uses libsqlite3 is
 * chat_database_sqlite.c; a handle comes from apr_dbd_native_handle of that driver. */
#ifndef CHAT_DATABASE_SQLITE_H
#define CHAT_DATABASE_SQLITE_H

#include <apr_errno.h>
#include <apr_pools.h>

/**
 * The name to give SQLite for a connection that only reads. If the library takes a URI for a name,
 * it is a URI that opens the file read-only.
 *
 * @param path  absolute
 * @return owned by pool
 */
const char *chat_database_sqlite_read_only_name(const char *path, apr_pool_t *pool);

/**
 * Whether a connection is one of the library that this module was linked with. If Apache's driver
 * has another copy of the library in itself, its handles must not be used here.
 *
 * @param source_id  the connection's answer to "SELECT sqlite_source_id()"
 */
int chat_database_sqlite_is_own(const char *source_id);

/** Whether the disk had no space for the call that has just failed. */
int chat_database_sqlite_is_full(void *handle);

/** Whether a transaction has begun that was neither committed nor, also by SQLite itself, rolled back. */
int chat_database_sqlite_is_in_transaction(void *handle);

/**
 * Say whether a connection may move its log into the file when it is the last to be closed, as SQLite does
 * unless told otherwise, and then remove the log.
 *
 * @return APR_SUCCESS, or APR_ENOTIMPL if this SQLite does not know how
 */
apr_status_t chat_database_sqlite_let_checkpoint(void *handle, int may_checkpoint);

#endif
