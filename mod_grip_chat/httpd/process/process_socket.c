#include "process_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include <http_config.h>
#include <http_log.h>
#include <unixd.h>

/* Jobs may wait here while there is no keeper. */
#define LISTEN_BACKLOG 511

const char *process_socket_default_path(apr_pool_t *pool)
{
    return ap_runtime_dir_relative(
        pool, apr_psprintf(pool, "grip-chat.%" APR_PID_T_FMT ".sock", getpid()));
}

static apr_status_t fill_address(struct sockaddr_un *address, const char *path)
{
    if (strlen(path) >= sizeof(address->sun_path)) {
        return APR_ENAMETOOLONG;
    }
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    apr_cpystrn(address->sun_path, path, sizeof(address->sun_path));
    return APR_SUCCESS;
}

/* Ask whether another process made a socket that listens: EADDRINUSE if so, ECONNREFUSED if not,
 * or any other status that keeps from asking. */
static apr_status_t probe(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct ucred listener;
    socklen_t size = sizeof(listener);
    apr_status_t rv;

    if (fd < 0) {
        return errno;
    }
    /* Do not wait for a full backlog: it too shows that a process listens. */
    rv = fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? errno : APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        rv = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN
                 ? EADDRINUSE
                 : errno;
    }
    if (rv == EADDRINUSE && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &size) == 0 &&
        listener.pid == getpid())
    {
        rv = ECONNREFUSED;
    }
    close(fd);
    return rv;
}

apr_status_t process_socket_remove(const char *path)
{
    struct sockaddr_un address;
    struct stat there;
    apr_status_t rv = fill_address(&address, path);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (lstat(path, &there) != 0) {
        return errno == ENOENT ? APR_SUCCESS : errno;
    }
    if (!S_ISSOCK(there.st_mode)) {
        return APR_EEXIST;
    }
    rv = probe(&address);
    if (rv != ECONNREFUSED) {
        return rv;
    }
    return unlink(path) == 0 ? APR_SUCCESS : errno;
}

static apr_status_t bind_and_listen(int fd, const char *path)
{
    struct sockaddr_un address;
    mode_t mask;
    apr_status_t rv = fill_address(&address, path);

    if (rv == APR_SUCCESS) {
        rv = process_socket_remove(path);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* From its first moment on only its owner may connect. */
    mask = umask(0177);
    rv = bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ? errno : APR_SUCCESS;
    umask(mask);
    if (rv == APR_SUCCESS && geteuid() == 0 &&
        lchown(path, ap_unixd_config.user_id, (gid_t)-1) != 0) {
        rv = errno;
    }
    if (rv == APR_SUCCESS && listen(fd, LISTEN_BACKLOG) != 0) {
        rv = errno;
    }
    return rv;
}

apr_status_t process_socket_listen(const char *path, int *fd)
{
    int made = socket(AF_UNIX, SOCK_STREAM, 0);
    apr_status_t rv;

    if (made < 0) {
        return errno;
    }
    rv = fcntl(made, F_SETFD, FD_CLOEXEC) < 0 ? errno : bind_and_listen(made, path);
    if (rv == APR_SUCCESS) {
        *fd = made;
    }
    else {
        close(made);
    }
    return rv;
}

/* The process that a socket is named after, 0 if that is no such name. */
static pid_t owner_of(const char *name)
{
    char again[64];
    apr_int64_t pid;

    if (strncmp(name, "grip-chat.", 10) != 0) {
        return 0;
    }
    pid = apr_atoi64(name + 10);
    if (pid <= 1 || pid > APR_INT32_MAX) {
        return 0;
    }
    apr_snprintf(again, sizeof(again), "grip-chat.%" APR_INT64_T_FMT ".sock", pid);
    return strcmp(name, again) == 0 ? (pid_t)pid : 0;
}

/* A process that has just bound its socket does not listen yet, but lives. */
static int is_left_over(const char *path, pid_t owner)
{
    struct sockaddr_un address;
    struct stat there;

    return kill(owner, 0) != 0 && errno == ESRCH && lstat(path, &there) == 0 &&
           S_ISSOCK(there.st_mode) &&
           (there.st_uid == ap_unixd_config.user_id || there.st_uid == geteuid()) &&
           fill_address(&address, path) == APR_SUCCESS && probe(&address) == ECONNREFUSED;
}

void process_socket_remove_ended(server_rec *main, apr_pool_t *scratch_pool)
{
    const char *folder = ap_runtime_dir_relative(scratch_pool, "");
    apr_finfo_t entry;
    apr_dir_t *dir;

    if (apr_dir_open(&dir, folder, scratch_pool) != APR_SUCCESS) {
        return;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        pid_t owner = owner_of(entry.name);
        const char *path;

        if (owner == 0) {
            continue;
        }
        path = ap_runtime_dir_relative(scratch_pool, entry.name);
        if (is_left_over(path, owner) && unlink(path) == 0) {
            ap_log_error(APLOG_MARK, APLOG_INFO | APLOG_NOERRNO, 0, main,
                         "GC0136: removed %s, the keeper's socket of an httpd that was killed",
                         path);
        }
    }
    (void)apr_dir_close(dir); /* it was read only */
}
