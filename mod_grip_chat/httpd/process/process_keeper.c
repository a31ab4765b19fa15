#include "process_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_signal.h>

#include <ap_listen.h>
#include <ap_mpm.h>
#include <http_main.h>
#include <mpm_common.h>

#include "gc_clock.h"
#include "gc_pool.h"
#include "keeper_loop.h"
#include "process_retained.h"
#include "process_socket.h"

/* How long a keeper may take to end before it is killed, and how long it may then take; a commit may be
 * waiting for the disk. */
#define END_PATIENCE apr_time_from_sec(10)
#define END_POLL     apr_time_from_msec(2)

/* A keeper that ended sooner than this after its start may do so again. */
#define SHORT_LIFE     apr_time_from_sec(2)
#define MAX_START_WAIT apr_time_from_sec(5)

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

/* Forget httpd's settings of signals; this process has its own loop. */
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

/* The keeper's process. Leaves with _exit: the work that the parent registered for its end is not
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
    /* A keeper that was killed from outside did not fail: the next one starts at once. */
    is_failing = gc_clock_now() - parent->started < SHORT_LIFE &&
                 !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    parent->short_lives = is_failing ? parent->short_lives + 1 : 0;
    (void)fork_keeper(parent); /* has logged the fault; see process_keeper_monitor */
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

void process_keeper_monitor(void)
{
    if (current && !current->is_ending && current->proc.pid == 0 &&
        process_retained_listen(current->main) == APR_SUCCESS)
    {
        current->config.listen_fd = process_retained_socket();
        (void)fork_keeper(current); /* logged */
    }
}

/* With the configuration ends its keeper: it finishes its jobs, and the jobs that come meanwhile
 * wait for the next. */
static apr_status_t end_keeper(void *data)
{
    parent_t *parent = data;
    gc_moment_t deadline = gc_clock_now() + END_PATIENCE;
    pid_t pid = parent->proc.pid;
    int has_killed = 0;

    if (!process_retained_is_owner()) {
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
        if (has_killed && gc_clock_now() > deadline) {
            ap_log_error(
                APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, parent->main,
                "GC0135: the keeper does not even end when killed; does it wait for a disk? "
                "The next one waits until it lets go of its databases");
            break;
        }
        if (gc_clock_now() > deadline) {
            ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, parent->main,
                         "GC0114: the keeper does not end; killing it");
            (void)kill(pid, SIGKILL);
            has_killed = 1;
            deadline += END_PATIENCE;
        }
        apr_sleep(END_POLL);
    }
    parent->proc.pid = 0;
    return APR_SUCCESS;
}

/* Give the sites' databases their numbers in shared memory, which children and the keeper go by. Configtest
 * has counted them. */
static void number_databases(const parent_t *parent, conf_site_t *first, apr_size_t count)
{
    gc_slice_t *names = apr_palloc(parent->pool, sizeof(*names) * count);
    unsigned *numbers = apr_pcalloc(parent->pool, sizeof(*numbers) * count);
    conf_site_t *site;
    apr_size_t i = 0;

    for (site = first; site; site = site->next) {
        names[i++] = gc_slice_of(apr_pstrcat(parent->pool, site->keeper.database.driver, ":",
                                             site->keeper.database.params, NULL));
    }
    (void)ipc_shared_number(parent->config.shared, names, count, numbers);
    for (i = 0, site = first; site; site = site->next) {
        site->keeper.database_number = numbers[i++];
    }
}

/* Copy the list of sites into the array that the keeper reads. */
static void fill_config(parent_t *parent, conf_site_t *first)
{
    const ipc_site_t **sites;
    conf_site_t *site;
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
    parent->config.listen_fd = process_retained_socket();
    parent->config.shared = process_retained_shared();
    number_databases(parent, first, count);
}

apr_status_t process_keeper_start(conf_site_t *first, server_rec *main, apr_pool_t *pool)
{
    const char *wanted = conf_server_get(main)->settings.socket_path;
    parent_t *parent = apr_pcalloc(pool, sizeof(*parent));
    apr_status_t rv =
        process_retained_settle(main, wanted ? wanted : process_socket_default_path(pool), pool);

    if (rv != APR_SUCCESS) {
        return rv; /* logged */
    }
    parent->main = main;
    parent->pool = pool;
    fill_config(parent, first);
    apr_pool_cleanup_register(pool, parent, end_keeper, apr_pool_cleanup_null);
    apr_signal(SIGCHLD, notice_child);
    current = parent;
    if (parent->config.listen_fd >= 0) {
        (void)fork_keeper(parent); /* logged; see process_keeper_monitor */
    }
    return APR_SUCCESS;
}

void process_keeper_child_init(void)
{
    apr_signal(SIGCHLD, SIG_DFL);
    process_retained_child_init();
}
