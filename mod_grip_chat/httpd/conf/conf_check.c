#include "conf_check.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_uri.h>

#include "mod_grip_chat.h"

#include <unixd.h>

/* Of the files that lie beside a database. */
#define LONGEST_SUFFIX ".keeper-lock"

/* The right that the run user lacks, as the exit status of the process that tried. */
#define CANNOT_ENTER 1
#define CANNOT_WRITE 2
#define CANNOT_OPEN  3

/* statfs's magic numbers of file systems that other machines share. */
static const struct {
    unsigned long magic;
    const char *name;
} network_file_systems[] = {
    {0x6969, "NFS"},        {0x517B, "SMB"},      {0xFF534D42, "CIFS"},  {0xFE534D42, "SMB2"},
    {0x01021997, "9P"},     {0x5346414F, "AFS"},  {0x00C36400, "Ceph"},  {0x73757245, "Coda"},
    {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"}, {0x7461636f, "OCFS2"}, {0x01161970, "GFS2"},
};

/* As the run user, try to enter and write the folder, and to write the file if it is there. */
static int try_access(const char *folder, const char *file)
{
    if (access(folder, X_OK) != 0) {
        return CANNOT_ENTER;
    }
    if (access(file, F_OK) == 0 && access(file, R_OK | W_OK) != 0) {
        return CANNOT_OPEN;
    }
    return access(folder, W_OK) == 0 ? 0 : CANNOT_WRITE;
}

/* The same in a process that has become the run user, if root started httpd. Permissions may come
 * from groups and access control lists, which only the kernel judges right. */
static int try_as_run_user(const char *folder, const char *file)
{
    int status = 0;
    pid_t pid;

    if (geteuid() != 0) {
        /* A configtest by another user, of a server that root starts, cannot tell. */
        return geteuid() == ap_unixd_config.user_id ? try_access(folder, file) : 0;
    }
    pid = fork();
    if (pid == 0) {
        if (setgid(ap_unixd_config.group_id) != 0 ||
            initgroups(ap_unixd_config.user_name, ap_unixd_config.group_id) != 0 ||
            setuid(ap_unixd_config.user_id) != 0)
        {
            _exit(0); /* httpd itself will say so */
        }
        _exit(try_access(folder, file));
    }
    if (pid < 0) {
        return 0;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return 0;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static const char *network_file_system(const char *folder)
{
    struct statfs at;
    unsigned i;

    if (statfs(folder, &at) != 0) {
        return NULL;
    }
    for (i = 0; i < sizeof(network_file_systems) / sizeof(network_file_systems[0]); i++) {
        if (((unsigned long)at.f_type & 0xFFFFFFFFUL) == network_file_systems[i].magic) {
            return network_file_systems[i].name;
        }
    }
    return NULL;
}

/* The folder that a file lies in. */
static const char *folder_of(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');

    return !slash || slash == path ? "/" : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
}

static const char *check_file(const char *path, apr_pool_t *pool)
{
    const char *folder = folder_of(path, pool);
    const char *user = ap_unixd_config.user_name ? ap_unixd_config.user_name : "the run user";
    const char *network;
    apr_finfo_t info;

    if (apr_stat(&info, folder, APR_FINFO_TYPE, pool) != APR_SUCCESS || info.filetype != APR_DIR) {
        return apr_psprintf(pool,
                            "the folder '%s' does not exist; make it, owned by %s: install -d "
                            "-o %s -m 0750 %s",
                            folder, user, user, folder);
    }
    if (strlen(strrchr(path, '/') + 1) + sizeof(LONGEST_SUFFIX) - 1 > NAME_MAX ||
        strlen(path) + sizeof(LONGEST_SUFFIX) > PATH_MAX)
    {
        return apr_psprintf(pool,
                            "the file's name is too long, with the " LONGEST_SUFFIX " that is made "
                            "beside it; write a shorter one");
    }
    if (apr_stat(&info, path, APR_FINFO_TYPE, pool) == APR_SUCCESS && info.filetype != APR_REG) {
        return apr_psprintf(pool,
                            "'%s' is not a file; write the path of the database file, for "
                            "example %s/chat.db",
                            path, path);
    }
    network = network_file_system(folder);
    if (network) {
        return apr_psprintf(pool,
                            "'%s' is on %s, where SQLite's write-ahead log does not work; "
                            "write a path on a disk of this machine",
                            folder, network);
    }
    switch (try_as_run_user(folder, path)) {
    case CANNOT_ENTER:
        return apr_psprintf(pool,
                            "%s cannot enter the folder '%s'; give it to %s: chown %s %s, and "
                            "let %s into every folder above it",
                            user, folder, user, user, folder, user);
    case CANNOT_WRITE:
        return apr_psprintf(pool,
                            "%s cannot write into the folder '%s'; give it to %s: chown %s %s",
                            user, folder, user, user, folder);
    case CANNOT_OPEN:
        return apr_psprintf(pool,
                            "%s cannot write the file '%s'; give it to %s: chown %s %s %s-wal "
                            "%s-shm",
                            user, path, user, user, path, path, path);
    default:
        return NULL;
    }
}

const char *conf_check_database(const chat_database_spec_t *spec, apr_pool_t *pool)
{
    apr_status_t rv = chat_database_global_init(pool);

    if (rv == APR_SUCCESS) {
        rv = chat_database_driver_check(spec->driver, pool);
    }
    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool,
                            "APR has no DBD driver '%s'; install it (on Debian: apt-get "
                            "install libaprutil1-dbd-%s)",
                            spec->driver, spec->driver);
    }
    return chat_sql_dialect(spec->driver)->is_file ? check_file(spec->params, pool) : NULL;
}

const char *conf_check_socket(const char *path, apr_pool_t *pool)
{
    const char *folder = path ? folder_of(path, pool) : NULL;
    apr_finfo_t info;

    if (!path) {
        return NULL;
    }
    if (access(folder, F_OK) != 0 || ((geteuid() == 0 || geteuid() == ap_unixd_config.user_id) &&
                                      access(folder, W_OK | X_OK) != 0))
    {
        return apr_psprintf(pool,
                            "no socket can be made in the folder '%s'; write a path in one that is "
                            "there and can be written, for example /run/apache2/grip-chat.sock",
                            folder);
    }
    if (try_as_run_user(folder, "") == CANNOT_ENTER) {
        return apr_psprintf(pool,
                            "%s cannot enter the folder '%s', and so not reach the socket; write a "
                            "path in one that it can, for example /run/apache2/grip-chat.sock",
                            ap_unixd_config.user_name, folder);
    }
    if (apr_stat(&info, path, APR_FINFO_TYPE | APR_FINFO_LINK, pool) == APR_SUCCESS &&
        info.filetype != APR_SOCK)
    {
        return apr_psprintf(pool, "'%s' is there and not a socket; write a path where nothing is",
                            path);
    }
    return NULL;
}

const char *conf_check_real_path(const char *path, apr_pool_t *pool)
{
    const char *folder = folder_of(path, pool);
    char *real = realpath(path, NULL);
    const char *result = path;

    if (real) {
        result = apr_pstrdup(pool, real);
    }
    else {
        real = realpath(folder, NULL);
        if (real) {
            result = apr_pstrcat(pool, real, strrchr(path, '/'), NULL);
        }
    }
    free(real);
    return result;
}

static int is_loopback(const char *host)
{
    return host && (strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 ||
                    strcmp(host, "[::1]") == 0 || strcmp(host, "::1") == 0);
}

int conf_check_same_proxy(const grip_proxy_t *a, const grip_proxy_t *b, apr_pool_t *pool)
{
    apr_uri_t one;
    apr_uri_t other;

    if (apr_uri_parse(pool, a->control_uri, &one) != APR_SUCCESS || !one.hostname ||
        apr_uri_parse(pool, b->control_uri, &other) != APR_SUCCESS || !other.hostname)
    {
        return strcmp(a->control_uri, b->control_uri) == 0;
    }
    if (!one.port) {
        one.port = apr_uri_port_of_scheme(one.scheme);
    }
    if (!other.port) {
        other.port = apr_uri_port_of_scheme(other.scheme);
    }
    return one.port == other.port &&
           strcmp(one.path ? one.path : "", other.path ? other.path : "") == 0 &&
           ((is_loopback(one.hostname) && is_loopback(other.hostname)) ||
            gc_slice_equal_nocase(gc_slice_of(one.hostname), other.hostname));
}

#define FASTLY_FORM                                                                                \
    "https://api.fastly.com/service/<service-id>?verify-iss=fastly:<service-id>&key=<api-token>"

static const char *check_fastly(const grip_proxy_t *proxy, const apr_uri_t *uri)
{
    if (strcmp(uri->scheme, "https") != 0 || !uri->path ||
        strncmp(uri->path, "/service/", 9) != 0 || !uri->path[9] || uri->path[9] == '<' ||
        strchr(uri->path + 9, '/'))
    {
        return "cannot be Fastly's; write " FASTLY_FORM;
    }
    if (proxy->auth == GRIP_AUTH_NONE) {
        return "has no key, without which Fastly takes no publish; write " FASTLY_FORM;
    }
    return NULL;
}

int conf_check_is_fastly(const grip_proxy_t *proxy, apr_pool_t *pool)
{
    apr_uri_t uri;

    return apr_uri_parse(pool, proxy->control_uri, &uri) == APR_SUCCESS && uri.hostname &&
           gc_slice_equal_nocase(gc_slice_of(uri.hostname), "api.fastly.com");
}

const char *conf_check_proxy(const grip_proxy_t *proxy, apr_pool_t *pool)
{
    apr_uri_t uri;
    apr_size_t len;

    if (apr_uri_parse(pool, proxy->control_uri, &uri) != APR_SUCCESS || !uri.hostname) {
        return "names no host; write for example http://127.0.0.1:5561/";
    }
    len = uri.path ? strlen(uri.path) : 0;
    if (len >= 8 && strcmp(uri.path + len - 8, "/publish") == 0) {
        return "ends in /publish, which is added by itself; write it without, for example "
               "http://127.0.0.1:5561/";
    }
    if (conf_check_is_fastly(proxy, pool)) {
        return check_fastly(proxy, &uri);
    }
    if (is_loopback(uri.hostname) && (uri.port == 7999 || uri.port == 7676)) {
        return "is the port where Pushpin takes clients; write the one where it takes publishes "
               "(push_in_http_port), for example http://127.0.0.1:5561/";
    }
    return NULL;
}
