#include "keeper_process.h"

#include <signal.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "chat_store.h"
#include "keeper_loop.h"
#include "unit_events.h"

static void count_line(gc_log_level_e level, apr_status_t rv, const char *line, void *baton)
{
    __atomic_add_fetch((int *)baton, 1, __ATOMIC_SEQ_CST);
}

static void *map_shared(apr_size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(memory != MAP_FAILED);
    return memory;
}

static struct sockaddr_un address_of(const keeper_home_t *home)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_true(strlen(home->socket_path) < sizeof(address.sun_path));
    apr_cpystrn(address.sun_path, home->socket_path, sizeof(address.sun_path));
    return address;
}

static void listen_at(keeper_home_t *home)
{
    struct sockaddr_un address = address_of(home);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 511), 0);
    home->config.listen_fd = fd;
}

keeper_home_t *keeper_home_make(const unit_temp_t *temp, const char *name, const char *proxy_url)
{
    keeper_home_t *home = apr_pcalloc(temp->pool, sizeof(*home));
    const char *why = "";

    home->temp = temp;
    home->socket_path = apr_pstrcat(temp->pool, temp->dir, "/", name, NULL);
    home->log_lines = map_shared(sizeof(int));
    home->log.level = GC_LOG_INFO;
    home->log.print = count_line;
    home->log.baton = home->log_lines;
    home->site.identity = apr_pstrcat(temp->pool, "sqlite3:", temp->path, ":", NULL);
    home->site.name = "";
    home->site.database.driver = "sqlite3";
    home->site.database.params = temp->path;
    home->site.channel_prefix = "";
    home->site.item_bytes = 65536;
    if (proxy_url) {
        assert_int_equal(grip_url_parse(&home->proxies[0], &why, proxy_url, NULL, temp->pool),
                         APR_SUCCESS);
        home->site.proxies = home->proxies;
        home->site.proxy_count = 1;
    }
    home->sites[0] = &home->site;
    home->config.sites = home->sites;
    home->config.site_count = 1;
    home->config.shared = ipc_shared_init(map_shared(ipc_shared_size()));
    home->config.log = &home->log;
    listen_at(home);
    assert_int_equal(chat_database_global_init(temp->pool), APR_SUCCESS);
    assert_int_equal(ipc_client_create(&home->client, home->socket_path, temp->pool), APR_SUCCESS);
    return home;
}

static void be_keeper(keeper_home_t *home, const int *stop)
{
    apr_pool_t *pool;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    close(stop[1]);
    if (home->descriptors_max) {
        struct rlimit limit = {home->descriptors_max, home->descriptors_max};

        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    home->config.stop_fd = stop[0];
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        _exit(2);
    }
    _exit(keeper_run(&home->config, pool) == APR_SUCCESS ? 0 : 1);
}

keeper_process_t keeper_process_start(keeper_home_t *home)
{
    keeper_process_t process;
    int stop[2];

    assert_int_equal(pipe(stop), 0);
    process.pid = fork();
    assert_true(process.pid >= 0);
    if (process.pid == 0) {
        be_keeper(home, stop);
    }
    close(stop[0]);
    process.stop = stop[1];
    return process;
}

void keeper_process_kill(keeper_process_t process)
{
    assert_int_equal(kill(process.pid, SIGKILL), 0);
    assert_int_equal(waitpid(process.pid, NULL, 0), process.pid);
    if (process.stop >= 0) {
        close(process.stop);
    }
}

void keeper_process_tell_to_stop(keeper_process_t *process)
{
    /* A later keeper has inherited this end, so that closing it would tell nothing. */
    assert_int_equal(write(process->stop, "x", 1), 1);
    close(process->stop);
    process->stop = -1;
}

void keeper_process_join(keeper_process_t process)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;
    int status = -1;
    pid_t got;

    while ((got = waitpid(process.pid, &status, WNOHANG)) == 0 && gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(2));
    }
    if (got == 0) {
        keeper_process_kill(process);
        fail_msg("the keeper does not end");
    }
    assert_int_equal(status, 0);
}

void keeper_process_stop(keeper_process_t process)
{
    keeper_process_tell_to_stop(&process);
    keeper_process_join(process);
}

int keeper_home_connect(const keeper_home_t *home)
{
    struct sockaddr_un address = address_of(home);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

apr_status_t keeper_home_post(keeper_home_t *home, const char *room, const char *text,
                              ipc_reply_t *reply)
{
    ipc_job_t job =
        unit_job(IPC_JOB_APPEND, 0, home->site.identity, room, "al", text, text, "", "");

    return ipc_client_call(home->client, &job, reply, UNIT_PATIENCE, home->temp->pool);
}

ipc_reply_t keeper_home_post_ok(keeper_home_t *home, const char *room, const char *text)
{
    ipc_reply_t reply;

    assert_int_equal(keeper_home_post(home, room, text, &reply), APR_SUCCESS);
    assert_int_equal(reply.status, IPC_DONE);
    return reply;
}

void keeper_home_wait_ready(keeper_home_t *home)
{
    ipc_job_t job = unit_job(IPC_JOB_READY, 0, home->site.identity, "", "", "", "", "", "");
    ipc_reply_t reply;

    assert_int_equal(ipc_client_call(home->client, &job, &reply, UNIT_PATIENCE, home->temp->pool),
                     APR_SUCCESS);
    assert_int_equal(reply.status, IPC_DONE);
}

/* As an operator with a shell sees it, whether a keeper has it open or not. */
static chat_database_t *open_reader(const keeper_home_t *home)
{
    return chat_database_create(&home->site.database, CHAT_DATABASE_WRITER, home->temp->pool);
}

const char *keeper_home_meta(const keeper_home_t *home, const char *name)
{
    chat_database_t *db = open_reader(home);
    const char *value = NULL;
    apr_status_t rv = chat_store_meta_get(db, "", name, &value, home->temp->pool);

    chat_database_close(db);
    assert_true(rv == APR_SUCCESS || rv == APR_NOTFOUND);
    return value;
}

void keeper_home_assert_whole(const keeper_home_t *home, const char *room, int count)
{
    chat_database_t *db = open_reader(home);
    chat_page_t page;
    int i;

    assert_int_equal(chat_store_read_before(db, "", room, APR_INT64_MAX,
                                            (chat_bounds_t){CHAT_HISTORY_MAX, CHAT_LIST_MAX_BYTES},
                                            &page, home->temp->pool),
                     APR_SUCCESS);
    chat_database_close(db);
    assert_int_equal(page.count, count);
    assert_int_equal(page.last_event_id, page.base_event_id + count);
    for (i = 0; i < count; i++) {
        assert_int_equal(page.events[i].position, page.last_event_id - i);
    }
}
