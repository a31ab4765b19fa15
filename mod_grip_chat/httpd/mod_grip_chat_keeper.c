#include "mod_grip_chat_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_shm.h>
#include <apr_signal.h>

#include <ap_listen.h>
#include <ap_mpm.h>
#include <http_main.h>
#include <mpm_common.h>
#include <unixd.h>

#include "gc_clock.h"
#include "gc_pool.h"
#include "keeper_loop.h"

#define RETAINED_KEY     "mod_grip_chat_keeper"
#define RETAINED_VERSION 1

/* Jobs may wait here while there is no keeper. */
#define LISTEN_BACKLOG 511

/* How long a keeper may take to end before it is killed; a commit may be waiting for the disk. */
#define END_PATIENCE apr_time_from_sec(10)
#define END_POLL     apr_time_from_msec(2)

/* A keeper that ended sooner than this after its start may do so again. */
#define SHORT_LIFE     apr_time_from_sec(2)
#define MAX_START_WAIT apr_time_from_sec(5)

/* What outlives restarts: httpd keeps it while it unloads and loads the module. */
typedef struct retained_t {
    int version; /* of this structure: RETAINED_VERSION */
    int listen_fd;
    char *socket_path;
    void *shared_memory;
    apr_size_t shared_size;
    pid_t owner; /* who made the socket, and so removes it */
} retained_t;

/* The keeper of one generation, of the parent's configuration pool. */
typedef struct parent_t {
    server_rec *main;
    apr_pool_t *pool;
    apr_proc_t proc; /* pid 0 while there is none */
    keeper_config_t config;
    gc_log_t log;
    gc_moment_t started;
    int short_lives; /* one after the other */
    int is_ending;
} parent_t;

static apr_status_t fork_keeper(parent_t *parent);

/* The keeper of this configuration, in the parent; NULL while there is none. */
static parent_t *current;

/* The write end of the pipe that the keeper's signal handler tells its loop by; of the keeper's
 * process only. */
static int stop_pipe_write = -1;

static void tell_stop(int signal_number)
{
    int saved = errno;
    ssize_t written = write(stop_pipe_write, "", 1);

    (void)written; /* a full pipe tells as well */
    errno = saved;
}

/* The parent looks after its processes once a second; a signal that is handled ends that sleep. */
static void notice_child(int signal_number)
{
}

static retained_t *retained(void)
{
    return ap_retained_data_get(RETAINED_KEY);
}

const char *grip_chat_keeper_socket_path(void)
{
    return retained() ? retained()->socket_path : NULL;
}

keeper_shared_t *grip_chat_keeper_shared(void)
{
    return retained() ? keeper_shared_attach(retained()->shared_memory, retained()->shared_size)
                      : NULL;
}

static void print_to_httpd(gc_log_level_e level, apr_status_t rv, const char *line, void *baton)
{
    static const int levels[] = {APLOG_ERR, APLOG_WARNING, APLOG_NOTICE, APLOG_INFO, APLOG_DEBUG};
    int flags = levels[level] | (rv == APR_SUCCESS ? APLOG_NOERRNO : 0);

    ap_log_error(APLOG_MARK, flags, rv, (server_rec *)baton, "%s", line);
}

/* httpd's level for this module, in the words of the layers below. */
static gc_log_level_e level_for(const server_rec *s)
{
    return APLOG_IS_LEVEL(s, APLOG_DEBUG)     ? GC_LOG_DEBUG
           : APLOG_IS_LEVEL(s, APLOG_INFO)    ? GC_LOG_INFO
           : APLOG_IS_LEVEL(s, APLOG_NOTICE)  ? GC_LOG_NOTICE
           : APLOG_IS_LEVEL(s, APLOG_WARNING) ? GC_LOG_WARNING
                                              : GC_LOG_ERR;
}

/* Remove the socket's file when httpd ends, not at a restart. */
static apr_status_t remove_socket(void *data)
{
    retained_t *kept = data;

    if (kept->owner == getpid() && ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING) {
        unlink(kept->socket_path);
    }
    return APR_SUCCESS;
}

/* Remove what an httpd that was killed has left, and nothing else. */
static apr_status_t remove_stale_socket(const char *path, const struct sockaddr_un *address)
{
    struct stat there;
    int is_used;
    int fd;

    if (lstat(path, &there) != 0) {
        return errno == ENOENT ? APR_SUCCESS : errno;
    }
    if (!S_ISSOCK(there.st_mode)) {
        return APR_EEXIST;
    }
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) {
        return errno;
    }
    is_used = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    close(fd);
    if (is_used) {
        return EADDRINUSE;
    }
    return unlink(path) == 0 ? APR_SUCCESS : errno;
}

static apr_status_t bind_socket(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mask;
    int failed;

    if (strlen(path) >= sizeof(address.sun_path)) {
        return APR_ENAMETOOLONG;
    }
    apr_cpystrn(address.sun_path, path, sizeof(address.sun_path));
    failed = remove_stale_socket(path, &address);
    if (failed) {
        return failed;
    }
    /* From its first moment on nobody but its owner may connect. */
    mask = umask(0177);
    failed = bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ? errno : 0;
    umask(mask);
    if (!failed && geteuid() == 0 && lchown(path, ap_unixd_config.user_id, (gid_t)-1) != 0) {
        failed = errno;
    }
    if (!failed && listen(fd, LISTEN_BACKLOG) != 0) {
        failed = errno;
    }
    return failed;
}

/* Make what outlives restarts, once. The parent goes on listening, so children can connect and their
 * jobs wait while there is no keeper. */
static apr_status_t make_retained(server_rec *main, const char *socket_path)
{
    retained_t *kept;
    apr_status_t rv;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return errno;
    }
    rv = bind_socket(fd, socket_path);
    if (rv != APR_SUCCESS) {
        close(fd);
        return rv;
    }
    kept = ap_retained_data_create(RETAINED_KEY, sizeof(*kept));
    kept->version = RETAINED_VERSION;
    kept->listen_fd = fd;
    kept->socket_path = apr_pstrdup(main->process->pool, socket_path);
    kept->owner = getpid();
    return APR_SUCCESS;
}

/* Make the shared memory, or make it anew where it is of another version of the module: children that
 * outlive an upgrade keep theirs. */
static apr_status_t make_shared(server_rec *main)
{
    apr_shm_t *shm;
    apr_status_t rv;

    if (retained()->shared_memory && grip_chat_keeper_shared()) {
        return APR_SUCCESS;
    }
    rv = apr_shm_create(&shm, keeper_shared_size(), NULL, main->process->pool);
    if (rv == APR_SUCCESS) {
        retained()->shared_memory = keeper_shared_init(apr_shm_baseaddr_get(shm));
        retained()->shared_size = keeper_shared_size();
    }
    return rv;
}

/* Forget what httpd does with signals; this process has its own loop. */
static apr_status_t set_keeper_signals(int stop_fds[2])
{
    sigset_t none;
    int ignored[] = {SIGHUP, SIGINT, SIGPIPE, SIGWINCH, AP_SIG_GRACEFUL};
    unsigned i;

    if (pipe(stop_fds) != 0 || fcntl(stop_fds[0], F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(stop_fds[1], F_SETFL, O_NONBLOCK) < 0)
    {
        return errno;
    }
    stop_pipe_write = stop_fds[1];
    for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        apr_signal(ignored[i], SIG_IGN);
    }
    apr_signal(SIGCHLD, SIG_DFL);
    apr_signal(SIGTERM, tell_stop);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    return APR_SUCCESS;
}

/* Become the run user, and end with the parent, whatever becomes of it. */
static apr_status_t settle_process(parent_t *parent, pid_t parent_pid, apr_pool_t *pool)
{
    if (ap_run_drop_privileges(pool, parent->main) != OK) {
        return APR_EGENERAL;
    }
    /* Changing the user clears this, so it comes after. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) {
        return errno;
    }
    return getppid() == parent_pid ? APR_SUCCESS : APR_EOF;
}

/* Every child holds connections, and every database some files. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* the old limit does as well, for less */
    }
}

/* The keeper's process. Leaves with _exit: what the parent registered to be done at its end is not
 * ours to do. */
static void be_keeper(parent_t *parent, pid_t parent_pid, apr_interval_time_t wait)
{
    apr_pool_t *pool;
    int stop_fds[2];
    apr_status_t rv;

    raise_descriptor_limit();
    ap_close_listeners();
    (void)setpgid(0, 0); /* prefork ends its whole group */
    (void)prctl(PR_SET_NAME, "grip-keeper");
    rv = set_keeper_signals(stop_fds);
    if (rv == APR_SUCCESS) {
        rv = gc_pool_create(&pool, NULL, "grip_chat_keeper");
    }
    if (rv == APR_SUCCESS) {
        rv = settle_process(parent, parent_pid, pool);
    }
    if (rv == APR_SUCCESS) {
        parent->config.stop_fd = stop_fds[0];
        apr_sleep(wait);
        rv = keeper_run(&parent->config, pool);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, parent->main,
                     "GC0111: the keeper cannot go on; posts are answered 503 until it can");
    }
    _exit(rv == APR_SUCCESS ? 0 : 1);
}

/* How long the next keeper waits before it does anything, after so many that ended at once. */
static apr_interval_time_t start_wait(int short_lives)
{
    apr_interval_time_t wait = apr_time_from_msec(50);

    if (short_lives <= 1) {
        return 0;
    }
    while (--short_lives > 1 && wait < MAX_START_WAIT) {
        wait *= 2;
    }
    return wait < MAX_START_WAIT ? wait : MAX_START_WAIT;
}

static void look_after(int reason, void *data, apr_wait_t status)
{
    parent_t *parent = data;
    int state = AP_MPMQ_STOPPING;
    int is_failing;

    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) {
        return;
    }
    apr_proc_other_child_unregister(parent);
    parent->proc.pid = 0;
    if (parent->is_ending || ap_mpm_query(AP_MPMQ_MPM_STATE, &state) != APR_SUCCESS ||
        state == AP_MPMQ_STOPPING)
    {
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, parent->main,
                 "GC0112: the keeper ended (%s %d); starting another",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    /* Who was killed from outside did not fail: the next one starts at once. */
    is_failing = gc_clock_now() - parent->started < SHORT_LIFE &&
                 !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    parent->short_lives = is_failing ? parent->short_lives + 1 : 0;
    (void)fork_keeper(parent); /* has logged what is wrong; see grip_chat_keeper_monitor */
}

static apr_status_t fork_keeper(parent_t *parent)
{
    pid_t parent_pid = getpid();
    sigset_t term;
    sigset_t before;
    pid_t pid;

    /* A SIGTERM between the fork and the keeper's own handler would be lost in httpd's. */
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);
    pid = fork();
    if (pid != 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    if (pid == 0) {
        be_keeper(parent, parent_pid, start_wait(parent->short_lives));
    }
    if (pid < 0) {
        apr_status_t rv = errno;

        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, parent->main,
                     "GC0113: the keeper's process cannot be made");
        return rv;
    }
    parent->started = gc_clock_now();
    parent->proc.pid = pid;
    parent->proc.in = parent->proc.out = parent->proc.err = NULL;
    apr_proc_other_child_register(&parent->proc, look_after, parent, NULL, parent->pool);
    return APR_SUCCESS;
}

void grip_chat_keeper_monitor(void)
{
    if (current && !current->is_ending && current->proc.pid == 0) {
        (void)fork_keeper(current); /* logged */
    }
}

/* With the configuration ends its keeper: it finishes what it has, and the jobs that come meanwhile
 * wait for the next. */
static apr_status_t end_keeper(void *data)
{
    parent_t *parent = data;
    gc_moment_t deadline = gc_clock_now() + END_PATIENCE;
    pid_t pid = parent->proc.pid;
    int has_killed = 0;

    if (retained()->owner != getpid()) {
        return APR_SUCCESS; /* somebody's forked process ends with a copy of our pools */
    }
    parent->is_ending = 1;
    current = NULL;
    apr_signal(SIGCHLD, SIG_DFL);
    if (pid <= 0 || kill(pid, SIGTERM) != 0) {
        return APR_SUCCESS;
    }
    for (;;) {
        pid_t ended = waitpid(pid, NULL, WNOHANG);

        if (ended == pid || (ended < 0 && errno != EINTR)) {
            break;
        }
        if (!has_killed && gc_clock_now() > deadline) {
            ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, parent->main,
                         "GC0114: the keeper does not end; killing it");
            (void)kill(pid, SIGKILL);
            has_killed = 1;
        }
        apr_sleep(END_POLL);
    }
    parent->proc.pid = 0;
    return APR_SUCCESS;
}

/* Copy the list of sites into the array that the keeper reads. */
static void fill_config(parent_t *parent, grip_chat_site_t *first)
{
    const keeper_site_t **sites;
    grip_chat_site_t *site;
    apr_size_t count = 0;

    for (site = first; site; site = site->next) {
        count++;
    }
    sites = apr_palloc(parent->pool, sizeof(*sites) * count);
    count = 0;
    for (site = first; site; site = site->next) {
        site->keeper.index = count;
        sites[count++] = &site->keeper;
    }
    parent->config.sites = sites;
    parent->config.site_count = count;
    parent->log.level = level_for(parent->main);
    parent->log.print = print_to_httpd;
    parent->log.baton = parent->main;
    parent->config.log = &parent->log;
    parent->config.listen_fd = retained()->listen_fd;
    parent->config.shared = grip_chat_keeper_shared();
}

apr_status_t grip_chat_keeper_start(grip_chat_site_t *first, server_rec *main, apr_pool_t *pool)
{
    const char *wanted = grip_chat_conf_get(main)->socket_path;
    parent_t *parent = apr_pcalloc(pool, sizeof(*parent));
    apr_status_t rv = APR_SUCCESS;

    if (!wanted) {
        wanted = ap_runtime_dir_relative(
            pool, apr_psprintf(pool, "grip-chat.%" APR_PID_T_FMT ".sock", getpid()));
    }
    if (!retained()) {
        rv = make_retained(main, wanted);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, rv, main,
                         "GC0115: the keeper's socket '%s' cannot be made; write a path for it: "
                         "GripChatSocket /run/apache2/grip-chat.sock",
                         wanted);
            return rv;
        }
    }
    else if (strcmp(retained()->socket_path, wanted) != 0) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE | APLOG_NOERRNO, 0, main,
                     "GC0116: GripChatSocket stays %s until httpd is stopped and started, because "
                     "children of before the restart use it",
                     retained()->socket_path);
    }
    if (retained()->version != RETAINED_VERSION) {
        ap_log_error(APLOG_MARK, APLOG_CRIT | APLOG_NOERRNO, 0, main,
                     "GC0117: the module is of another version than before the restart; stop httpd "
                     "and start it");
        return APR_EGENERAL;
    }
    rv = make_shared(main);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, main, "GC0118: no shared memory can be made");
        return rv;
    }
    parent->main = main;
    parent->pool = pool;
    fill_config(parent, first);
    apr_pool_cleanup_register(pool, retained(), remove_socket, apr_pool_cleanup_null);
    apr_pool_cleanup_register(pool, parent, end_keeper, apr_pool_cleanup_null);
    apr_signal(SIGCHLD, notice_child);
    current = parent;
    return fork_keeper(parent);
}

void grip_chat_keeper_child_init(void)
{
    apr_signal(SIGCHLD, SIG_DFL);
    if (retained()) {
        close(retained()->listen_fd);
    }
}
