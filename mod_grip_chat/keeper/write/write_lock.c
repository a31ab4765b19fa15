#include "write_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

apr_status_t write_lock_try(write_lock_t *lock, const char *path, apr_pool_t *pool)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    apr_file_t *file;
    apr_os_file_t fd;
    apr_status_t rv = apr_file_open(&file, apr_pstrcat(pool, path, ".keeper-lock", NULL),
                                    APR_FOPEN_CREATE | APR_FOPEN_READ | APR_FOPEN_WRITE,
                                    APR_FPROT_UREAD | APR_FPROT_UWRITE, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_os_file_get(&fd, file);
    if (rv == APR_SUCCESS && fcntl(fd, F_OFD_SETLK, &whole) < 0) {
        rv = errno == EACCES ? APR_EAGAIN : errno;
    }
    if (rv != APR_SUCCESS) {
        (void)apr_file_close(file);
        return rv;
    }
    lock->file = file;
    lock->fd = fd;
    return APR_SUCCESS;
}

apr_status_t write_lock_read(const write_lock_t *lock, apr_off_t from, char *data, apr_size_t size)
{
    ssize_t got = pread(lock->fd, data, size, from);

    if (got < 0) {
        return errno;
    }
    memset(data + got, 0, size - (apr_size_t)got);
    return APR_SUCCESS;
}

apr_status_t write_lock_write(const write_lock_t *lock, apr_off_t to, const char *data,
                              apr_size_t size)
{
    ssize_t put = pwrite(lock->fd, data, size, to);

    return put < 0 ? errno : (apr_size_t)put < size ? APR_ENOSPC : APR_SUCCESS;
}

apr_status_t write_lock_release(write_lock_t *lock)
{
    return apr_file_close(lock->file);
}
