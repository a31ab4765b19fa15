/* Which files a database was opened on: others may lie under their names by now. SQLite goes on with
 * files that have no name any more, and finds a log by its name only. */
#ifndef CHAT_DATABASE_FILE_H
#define CHAT_DATABASE_FILE_H

#include <apr_file_info.h>

/** The file and its write-ahead log, as they were when the database was opened. */
typedef struct chat_database_file_t {
    const char *path;
    apr_finfo_t file;
    apr_finfo_t log; /**< valid is 0 where there was none */
} chat_database_file_t;

/** Note the file that lies there. @return APR_SUCCESS, or why there is none */
apr_status_t chat_database_file_note(chat_database_file_t *file, const char *path,
                                     apr_pool_t *scratch_pool);

/** Note its log, once the database is open. */
void chat_database_file_note_log(chat_database_file_t *file, apr_pool_t *scratch_pool);

/** Whether the noted file is the one that lies there. */
int chat_database_file_is_there(const chat_database_file_t *file, apr_pool_t *scratch_pool);

/** Whether the noted log is the one that lies there; 0 also where none was noted. Asked while the
 *  database is open, for no other log can get this one's inode until then. */
int chat_database_file_has_log(const chat_database_file_t *file, apr_pool_t *scratch_pool);

/** Whether a log lies there, the noted one or another, into which something was written. */
int chat_database_file_finds_used_log(const chat_database_file_t *file, apr_pool_t *scratch_pool);

/** Take the log away, and its index. */
void chat_database_file_remove_log(const chat_database_file_t *file, apr_pool_t *scratch_pool);

#endif
