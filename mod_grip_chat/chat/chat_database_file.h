/* The files of a database. Others may lie under their names by now: SQLite goes on with files that
 * have no name any more, but finds a log and its index only by their names. */
#ifndef CHAT_DATABASE_FILE_H
#define CHAT_DATABASE_FILE_H

#include <apr_errno.h>
#include <apr_pools.h>

/** A file, told from all others. All zeros: there is none. */
typedef struct chat_file_id_t {
    apr_uint64_t device;
    apr_uint64_t inode; /**< unique as long as the file is open, or has a name */
    apr_uint64_t
        born; /**< in nanoseconds, 0 where the file system does not keep it, or statx is forbidden: an inode is used
                             again soon */
} chat_file_id_t;

/** A database as SQLite opens it. */
typedef struct chat_database_files_t {
    chat_file_id_t file;
    chat_file_id_t log;   /**< "-wal" */
    chat_file_id_t index; /**< "-shm", of the log */
} chat_database_files_t;

/** Whether both are there and the same file. Pure. */
int chat_file_id_is_same(const chat_file_id_t *a, const chat_file_id_t *b);

/** Whether all files are there and the same. Pure. */
int chat_database_files_are_same(const chat_database_files_t *a, const chat_database_files_t *b);

/**
 * The path beside which SQLite keeps the log: links are followed.
 *
 * @return owned by pool; the path itself where nothing lies there
 */
const char *chat_database_files_path(const char *path, apr_pool_t *pool);

/** Look at the files under a database's names, without opening any. */
void chat_database_files_look(chat_database_files_t *found, const char *path,
                              apr_pool_t *scratch_pool);

/**
 * Whether a log that was found is not the log of the file beside it: a process that opens that
 * file writes the one over the other. The log belongs to the file that was known, or no file is
 * there at all. Pure.
 *
 * @param known  the files that the last writer had open; zeros where that is not known
 */
int chat_database_files_have_stray_log(const chat_database_files_t *known,
                                       const chat_database_files_t *found);

/**
 * Whether a reader may open, or has opened, the files that were found. They are the files that the
 * writer has open, or its file alone, with no log or an empty one. The latter holds if the writer
 * had no log left when it closed the file.
 *
 * @param held  the files that the writer names
 */
int chat_database_files_may_be_read(const chat_database_files_t *held,
                                    const chat_database_files_t *found, const char *path,
                                    apr_pool_t *scratch_pool);

/**
 * Whether the log is larger than the free space of its disk: then there may soon be no space to
 * save it in.
 */
int chat_database_files_log_is_too_large(const char *path, apr_pool_t *scratch_pool);

/**
 * Take the log away, and its index. If one cannot be removed, it is not there, or SQLite will say
 * so.
 */
void chat_database_files_remove_log(const char *path, apr_pool_t *scratch_pool);

/**
 * Give a log another name beside the database, with the inode of its own file in the name, and
 * take its index away. An empty log is removed.
 *
 * @param owner  the file that the log belongs to
 * @param kept   its name, owned by pool; NULL where it was empty; untouched on failure
 * @return APR_SUCCESS, or why it cannot be renamed
 */
apr_status_t chat_database_files_set_log_aside(const char *path, const chat_file_id_t *owner,
                                               const char **kept, apr_pool_t *pool);

#endif
