#include "chat_database_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <apr_strings.h>

/* Names that are tried for a log that is set aside. */
#define NAMES_MAX 1000

static const char *log_path(const char *path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, path, "-wal", NULL);
}

static const char *index_path(const char *path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, path, "-shm", NULL);
}

int chat_file_id_is_same(const chat_file_id_t *a, const chat_file_id_t *b)
{
    return a->inode != 0 && a->inode == b->inode && a->device == b->device && a->born == b->born;
}

int chat_database_files_are_same(const chat_database_files_t *a, const chat_database_files_t *b)
{
    return chat_file_id_is_same(&a->file, &b->file) && chat_file_id_is_same(&a->log, &b->log) &&
           chat_file_id_is_same(&a->index, &b->index);
}

const char *chat_database_files_path(const char *path, apr_pool_t *pool)
{
    char *real = realpath(path, NULL);
    const char *copy = apr_pstrdup(pool, real ? real : path);

    free(real);
    return copy;
}

/* Without a birth: a file that takes the inode of one that is gone cannot be told from that. */
static void look_without_birth(chat_file_id_t *id, const char *path)
{
    struct stat there;

    if (stat(path, &there) == 0) {
        id->device = there.st_dev;
        id->inode = there.st_ino;
    }
}

static void look_at(chat_file_id_t *id, const char *path)
{
    struct statx there;

    *id = (chat_file_id_t){0, 0, 0};
    if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &there) != 0) {
        if (errno == EPERM || errno == ENOSYS) {
            look_without_birth(id, path); /* the call itself is not to be had */
        }
        return;
    }
    id->device = makedev(there.stx_dev_major, there.stx_dev_minor);
    id->inode = there.stx_ino;
    if (there.stx_mask & STATX_BTIME) {
        id->born = (apr_uint64_t)there.stx_btime.tv_sec * APR_UINT64_C(1000000000) +
                   there.stx_btime.tv_nsec;
    }
}

void chat_database_files_look(chat_database_files_t *found, const char *path,
                              apr_pool_t *scratch_pool)
{
    look_at(&found->file, path);
    look_at(&found->log, log_path(path, scratch_pool));
    look_at(&found->index, index_path(path, scratch_pool));
}

int chat_database_files_have_stray_log(const chat_database_files_t *known,
                                       const chat_database_files_t *found)
{
    return found->log.inode != 0 &&
           (found->file.inode == 0 || (chat_file_id_is_same(&known->log, &found->log) &&
                                       !chat_file_id_is_same(&known->file, &found->file)));
}

int chat_database_files_may_be_read(const chat_database_files_t *held,
                                    const chat_database_files_t *found, const char *path,
                                    apr_pool_t *scratch_pool)
{
    struct stat log;

    if (held->log.inode) {
        return chat_database_files_are_same(held, found);
    }
    return chat_file_id_is_same(&held->file, &found->file) &&
           (stat(log_path(path, scratch_pool), &log) == 0 ? log.st_size == 0 : errno == ENOENT);
}

int chat_database_files_log_is_too_large(const char *path, apr_pool_t *scratch_pool)
{
    const char *name = log_path(path, scratch_pool);
    struct statvfs disk;
    struct stat log;

    return stat(name, &log) == 0 && log.st_size > 0 && statvfs(name, &disk) == 0 &&
           (apr_uint64_t)log.st_size > (apr_uint64_t)disk.f_bavail * disk.f_frsize;
}

void chat_database_files_remove_log(const char *path, apr_pool_t *scratch_pool)
{
    (void)unlink(log_path(path, scratch_pool));
    (void)unlink(index_path(path, scratch_pool));
}

apr_status_t chat_database_files_set_log_aside(const char *path, const chat_file_id_t *owner,
                                               const char **kept, apr_pool_t *pool)
{
    const char *log = log_path(path, pool);
    const char *name = NULL;
    struct stat there;
    int failed = EEXIST;
    int i;

    if (stat(log, &there) != 0) {
        return errno;
    }
    for (i = 1; there.st_size > 0 && failed == EEXIST && i < NAMES_MAX; i++) {
        name = apr_psprintf(pool, "%s.%" APR_UINT64_T_FMT ".%d", log, owner->inode, i);
        failed = link(log, name) == 0 ? 0 : errno; /* never over another */
    }
    if (there.st_size > 0 && failed) {
        return failed;
    }
    chat_database_files_remove_log(path, pool);
    *kept = name;
    return APR_SUCCESS;
}
