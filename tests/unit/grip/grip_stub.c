#include "grip_stub.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Wait until fd can be read; 0 if the server is to stop. */
static int server_waits(const stub_proxy_t *server, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
                            {.fd = server->stop[0], .events = POLLIN}};

    return poll(fds, 2, 30000) > 0 && !fds[1].revents && fds[0].revents;
}

static size_t wanted_len(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    const char *length = strstr(request, "Content-Length: ");

    return end && length ? (size_t)(end + 4 - request) + strtoul(length + 16, NULL, 10) : SIZE_MAX;
}

/* The fate of the next request. */
static char fate_of_next(stub_proxy_t *server)
{
    return server->fated < (int)strlen(server->fates) ? server->fates[server->fated++] : 'a';
}

/* Closing then tells the other side that what it sent is lost. */
static void close_by_reset(int fd)
{
    const struct linger at_once = {1, 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* Read a request, or the start of it that is enough. Returns whether it was read whole. */
static int server_reads(stub_proxy_t *server, int fd, size_t enough)
{
    server->request_len = 0;
    do {
        ssize_t n = 0;

        if (server_waits(server, fd)) {
            n = recv(fd, server->request + server->request_len,
                     sizeof(server->request) - 1 - server->request_len, 0);
        }
        if (n <= 0) {
            return 0;
        }
        server->request_len += (size_t)n;
        server->request[server->request_len] = '\0';
        if (server->request_len >= enough) {
            return 0;
        }
    } while (server->request_len < wanted_len(server->request));
    server->requests++;
    return 1;
}

static void server_serves(stub_proxy_t *server, int fd)
{
    for (;;) {
        char fate = server_waits(server, fd) ? fate_of_next(server) : 'a';
        int is_whole = server_reads(server, fd, fate == 'f' ? 1 : fate == 'b' ? 100000 : SIZE_MAX);

        if (fate == 'r' || fate == 'f' || fate == 'b') {
            close_by_reset(fd);
        }
        if (fate == 'g') {
            (void)shutdown(server->listener, SHUT_RDWR);
        }
        if (!is_whole || fate != 'a') {
            return;
        }
        if (!server->answer) {
            struct pollfd stopped = {.fd = server->stop[0], .events = POLLIN};

            (void)poll(&stopped, 1, 30000);
            return;
        }
        if (send(fd, server->answer, strlen(server->answer), MSG_NOSIGNAL) < 0 ||
            !server->keeps_open) {
            return;
        }
    }
}

static void *server_runs(void *data)
{
    stub_proxy_t *server = data;

    while (server_waits(server, server->listener)) {
        int fd = accept(server->listener, NULL, NULL);

        if (fd < 0) {
            break; /* it is gone for good */
        }
        server->connections++;
        server_serves(server, fd);
        close(fd);
    }
    return NULL;
}

int stub_listen(int *port, int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static stub_proxy_t *start(const char *fates, const char *answer, int keeps_open, apr_pool_t *pool)
{
    stub_proxy_t *server = apr_pcalloc(pool, sizeof(*server));

    server->fates = fates;
    server->answer = answer;
    server->keeps_open = keeps_open;
    server->listener = stub_listen(&server->port, 16);
    assert_int_equal(pipe(server->stop), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, server_runs, server), 0);
    return server;
}

stub_proxy_t *stub_proxy_start(const char *answer, int keeps_open, apr_pool_t *pool)
{
    return start("", answer, keeps_open, pool);
}

stub_proxy_t *stub_proxy_start_with(const char *fates, const char *answer, apr_pool_t *pool)
{
    return start(fates, answer, 1, pool);
}

void stub_proxy_stop(stub_proxy_t *server)
{
    assert_int_equal(write(server->stop[1], "x", 1), 1);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    close(server->stop[0]);
    close(server->stop[1]);
    close(server->listener);
}

static void loop_watch(int fd, int want_read, int want_write, void *baton)
{
    stub_loop_t *loop = baton;
    int i;

    loop->calls++;
    for (i = 0; i < loop->count && loop->fds[i].fd != fd; i++) {
    }
    if (!want_read && !want_write) {
        if (i < loop->count) {
            loop->fds[i] = loop->fds[--loop->count];
        }
        return;
    }
    assert_true(i < STUB_FDS_MAX);
    loop->count += i == loop->count;
    loop->fds[i].fd = fd;
    loop->fds[i].events = (short)((want_read ? POLLIN : 0) | (want_write ? POLLOUT : 0));
    loop->fds[i].revents = 0;
}

static void loop_timer(apr_interval_time_t after, void *baton)
{
    stub_loop_t *loop = baton;

    loop->calls++;
    loop->alarm = after < 0 ? 0 : gc_clock_now() + after;
}

grip_transport_t *stub_loop_transport(stub_loop_t *loop, apr_pool_t *pool)
{
    const grip_transport_loop_t callbacks = {loop_watch, loop_timer, loop};
    grip_transport_t *transport = NULL;

    memset(loop, 0, sizeof(*loop));
    assert_int_equal(grip_transport_create(&transport, &callbacks, pool), APR_SUCCESS);
    return transport;
}

void stub_loop_turn(stub_loop_t *loop, grip_transport_t *transport)
{
    struct pollfd fds[STUB_FDS_MAX];
    int count = loop->count;
    int wait_ms = 50;
    int i;

    if (loop->alarm && loop->alarm < gc_clock_now() + apr_time_from_msec(50)) {
        wait_ms = 1;
    }
    memcpy(fds, loop->fds, sizeof(fds));
    (void)poll(fds, (nfds_t)count, wait_ms);
    for (i = 0; i < count; i++) {
        int broken = fds[i].revents & (POLLERR | POLLHUP);

        if (fds[i].revents) {
            assert_int_equal(grip_transport_ready(transport, fds[i].fd,
                                                  broken || (fds[i].revents & POLLIN),
                                                  broken || (fds[i].revents & POLLOUT)),
                             APR_SUCCESS);
        }
    }
    if (loop->alarm && loop->alarm <= gc_clock_now()) {
        loop->alarm = 0;
        assert_int_equal(grip_transport_timeout(transport), APR_SUCCESS);
    }
}

void stub_ending_take(const grip_transport_result_t *result, void *baton)
{
    stub_ending_t *ending = baton;

    ending->calls++;
    ending->result = *result;
    apr_cpystrn(ending->error, result->error, sizeof(ending->error));
    apr_cpystrn(ending->excerpt, result->excerpt, sizeof(ending->excerpt));
}

const grip_proxy_t *stub_proxy_at(const char *url, apr_pool_t *pool)
{
    const grip_proxy_t *proxy = NULL;
    const char *why = "";

    if (grip_url_parse(&proxy, &why, url, NULL, pool) != APR_SUCCESS) {
        fail_msg("%s", why);
    }
    return proxy;
}

const grip_proxy_t *stub_proxy_of(const stub_proxy_t *server, apr_pool_t *pool)
{
    return stub_proxy_at(apr_psprintf(pool, "http://127.0.0.1:%d/", server->port), pool);
}

void stub_loop_run(stub_loop_t *loop, grip_transport_t *transport)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    while (grip_transport_pending(transport) && gc_clock_now() < end) {
        stub_loop_turn(loop, transport);
    }
    assert_int_equal(grip_transport_pending(transport), 0);
}

void stub_post(stub_ending_t *ending, const grip_proxy_t *proxy, gc_slice_t body,
               apr_interval_time_t timeout, apr_pool_t *pool)
{
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, pool);

    memset(ending, 0, sizeof(*ending));
    assert_int_equal(
        grip_transport_post(transport, NULL, proxy, body, timeout, stub_ending_take, ending),
        APR_SUCCESS);
    assert_int_equal(ending->calls, 0);
    stub_loop_run(&loop, transport);
    assert_int_equal(ending->calls, 1);
    grip_transport_destroy(transport);
}

void stub_assert_ended(const stub_ending_t *ending, grip_transport_outcome_e outcome,
                       apr_status_t rv, int http_status)
{
    if (ending->result.outcome != outcome || ending->result.rv != rv ||
        ending->result.http_status != http_status)
    {
        fail_msg("outcome %d, rv %d, status %d, '%s'", ending->result.outcome, ending->result.rv,
                 ending->result.http_status, ending->error);
    }
    assert_int_equal(ending->error[0] != '\0', outcome != GRIP_TRANSPORT_ANSWERED);
}
