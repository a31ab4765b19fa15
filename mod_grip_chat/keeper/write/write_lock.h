/* The lock that keeps two keepers off one database: during a restart, two of one server; by
 * mistake, those of two servers.
 * Lives in the keeper, in a writer's thread. Released by write_lock_release, or with its pool. */
#ifndef WRITE_LOCK_H
#define WRITE_LOCK_H

#include <apr_portable.h>

/** A lock that is held as long as its file is open. */
typedef struct write_lock_t {
    apr_file_t *file;
    apr_os_file_t fd; /**< file's */
} write_lock_t;

/**
 * Try to lock a database's file: `{path}.keeper-lock` is made beside it. An OFD lock, so that neither
 * a fork nor another open of the file gives it away.
 *
 * @param pool  owns the lock; its cleanup releases it
 * @return APR_SUCCESS, APR_EAGAIN if another keeper holds it, or why the file cannot be made
 */
apr_status_t write_lock_try(write_lock_t *lock, const char *path, apr_pool_t *pool);

/**
 * Read from the file of a lock that is held: notes that one keeper leaves to the next.
 *
 * @param from  where in the file, in bytes
 * @param data  size bytes; zeros follow the file's bytes
 */
apr_status_t write_lock_read(const write_lock_t *lock, apr_off_t from, char *data, apr_size_t size);

/** Write into the file of a lock that is held, from a place on. */
apr_status_t write_lock_write(const write_lock_t *lock, apr_off_t to, const char *data,
                              apr_size_t size);

/** Release a lock that was got. */
apr_status_t write_lock_release(write_lock_t *lock);

#endif
