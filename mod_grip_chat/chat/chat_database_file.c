#include "chat_database_file.h"

#include <apr_file_io.h>
#include <apr_strings.h>

static const char *log_path(const chat_database_file_t *file, apr_pool_t *pool)
{
    return apr_pstrcat(pool, file->path, "-wal", NULL);
}

/* Whether the file that lies under a path is the noted one. */
static int is_same(const apr_finfo_t *noted, const char *path, apr_pool_t *pool)
{
    apr_finfo_t now;

    return noted->valid && apr_stat(&now, path, APR_FINFO_IDENT, pool) == APR_SUCCESS &&
           now.device == noted->device && now.inode == noted->inode;
}

apr_status_t chat_database_file_note(chat_database_file_t *file, const char *path,
                                     apr_pool_t *scratch_pool)
{
    file->path = path;
    file->log.valid = 0;
    return apr_stat(&file->file, path, APR_FINFO_IDENT, scratch_pool);
}

void chat_database_file_note_log(chat_database_file_t *file, apr_pool_t *scratch_pool)
{
    if (apr_stat(&file->log, log_path(file, scratch_pool), APR_FINFO_IDENT, scratch_pool) !=
        APR_SUCCESS)
    {
        file->log.valid = 0;
    }
}

int chat_database_file_is_there(const chat_database_file_t *file, apr_pool_t *scratch_pool)
{
    return is_same(&file->file, file->path, scratch_pool);
}

int chat_database_file_has_log(const chat_database_file_t *file, apr_pool_t *scratch_pool)
{
    return is_same(&file->log, log_path(file, scratch_pool), scratch_pool);
}

int chat_database_file_finds_used_log(const chat_database_file_t *file, apr_pool_t *scratch_pool)
{
    apr_finfo_t found;

    return apr_stat(&found, log_path(file, scratch_pool), APR_FINFO_SIZE, scratch_pool) ==
               APR_SUCCESS &&
           found.size > 0;
}

void chat_database_file_remove_log(const chat_database_file_t *file, apr_pool_t *scratch_pool)
{
    /* What cannot be removed is not there, or SQLite will say so. */
    (void)apr_file_remove(log_path(file, scratch_pool), scratch_pool);
    (void)apr_file_remove(apr_pstrcat(scratch_pool, file->path, "-shm", NULL), scratch_pool);
}
