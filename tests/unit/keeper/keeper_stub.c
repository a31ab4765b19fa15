#include "keeper_stub.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "gc_buffer.h"
#include "grip_stub.h"

#define POSTS_MAX     256
#define REQUEST_MAX   (2 * 1024 * 1024)
#define CONTENT_SHOWN 40

typedef struct post_t {
    char *told; /* malloc'ed */
    int status;
} post_t;

struct keeper_stub_t {
    int listener;
    int port;
    int stop[2];
    int started[2]; /* readable once the thread runs */
    pthread_t thread;
    char *request; /* the thread's */
    pthread_mutex_t mutex;
    /* it guards the next fields */
    int status;
    const char *refused;
    post_t posts[POSTS_MAX];
    int count;
};

static void lock(keeper_stub_t *stub)
{
    (void)pthread_mutex_lock(&stub->mutex);
}

static void unlock(keeper_stub_t *stub)
{
    (void)pthread_mutex_unlock(&stub->mutex);
}

/* Wait for fd, at most so long; 0 when it is time to stop or nothing came. */
static int can_read(const keeper_stub_t *stub, int fd, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = stub->stop[0], .events = POLLIN}};

    return poll(fds, 2, timeout_ms) > 0 && !fds[1].revents;
}

static int must_stop(const keeper_stub_t *stub)
{
    struct pollfd stopped = {.fd = stub->stop[0], .events = POLLIN};

    return poll(&stopped, 1, 2) != 0;
}

/* The value of a member at *at, which is moved behind it; NULL where another one stands there. */
static char *member(char **at, const char *head, apr_pool_t *pool)
{
    apr_size_t len = strlen(head);
    apr_size_t value_len;
    char *value;

    if (strncmp(*at, head, len) != 0) {
        return NULL;
    }
    value_len = strcspn(*at + len, "\"");
    value = apr_pstrmemdup(pool, *at + len, value_len);
    *at += len + value_len;
    return value;
}

/* Put the items of a body in the form that tests compare. */
static char *tell(char *body, apr_pool_t *pool)
{
    const char *told = "";
    char *at = body;

    while ((at = strstr(at, "{\"channel\":\""))) {
        const char *room = member(&at, "{\"channel\":\"events-room-", pool);
        const char *id = member(&at, "\",\"id\":\"", pool);
        const char *prev_id = member(&at, "\",\"prev-id\":\"", pool);
        const char *content = member(&at, "\",\"formats\":{\"http-stream\":{\"content\":\"", pool);

        if (!room) {
            return strdup("a channel of another site");
        }
        if (!id) {
            told = apr_psprintf(pool, "%s%s%s(%s)", told, *told ? " " : "",
                                member(&at, "\",\"formats\":{\"http-stream\":{\"action\":\"", pool),
                                room);
            continue;
        }
        if (content && strlen(content) > CONTENT_SHOWN) {
            content = apr_psprintf(pool, "%d bytes", (int)strlen(content));
        }
        told = apr_psprintf(pool, "%s%s%s:%s-%s=%s", told, *told ? " " : "", room, prev_id, id,
                            content);
    }
    return strdup(told);
}

/* Write a POST down; its index. */
static int write_down(keeper_stub_t *stub, char *body)
{
    apr_pool_t *pool;
    int index = -1;
    char *told;

    if (apr_pool_create_unmanaged_ex(&pool, NULL, NULL) != APR_SUCCESS) {
        return -1;
    }
    told = tell(body, pool);
    apr_pool_destroy(pool);
    lock(stub);
    if (stub->count < POSTS_MAX) {
        index = stub->count++;
        stub->posts[index].told = told;
    }
    else {
        free(told);
    }
    unlock(stub);
    return index;
}

/* Read a request whole; its body, NULL where the connection ends. */
static char *read_request(keeper_stub_t *stub, int fd)
{
    size_t wanted = SIZE_MAX;
    size_t len = 0;
    char *end = NULL;

    while (len < wanted) {
        ssize_t got =
            can_read(stub, fd, 30000) ? recv(fd, stub->request + len, REQUEST_MAX - 1 - len, 0) : 0;

        if (got <= 0) {
            return NULL;
        }
        len += (size_t)got;
        stub->request[len] = '\0';
        end = end ? end : strstr(stub->request, "\r\n\r\n");
        if (end && wanted == SIZE_MAX) {
            const char *length = strstr(stub->request, "Content-Length: ");

            wanted =
                (size_t)(end + 4 - stub->request) + (length ? strtoul(length + 16, NULL, 10) : 0);
        }
    }
    return end + 4;
}

/* The answer that the test wants, once it wants one. */
static int wait_for_status(keeper_stub_t *stub, const char *body, int index)
{
    int status;

    do {
        lock(stub);
        status = stub->status;
        if (status == 200 && stub->refused && strstr(body, stub->refused)) {
            status = 400;
        }
        if (index >= 0) {
            stub->posts[index].status = status;
        }
        unlock(stub);
    } while (status == KEEPER_STUB_WAITS && !must_stop(stub));
    return status;
}

static void serve(keeper_stub_t *stub, int fd)
{
    char *body;

    while ((body = read_request(stub, fd))) {
        int status = wait_for_status(stub, body, write_down(stub, body));
        char answer[128];
        int len =
            apr_snprintf(answer, sizeof(answer), "HTTP/1.1 %d X\r\nContent-Length: 0\r\n%s\r\n",
                         status, status == 503 ? "Retry-After: 7\r\n" : "");

        if (status <= 0 || send(fd, answer, (size_t)len, MSG_NOSIGNAL) != len) {
            return;
        }
    }
}

static void *run(void *data)
{
    keeper_stub_t *stub = data;

    if (write(stub->started[1], "x", 1) != 1) {
        return NULL; /* the start waits for it, and fails */
    }
    while (can_read(stub, stub->listener, -1)) {
        int fd = accept(stub->listener, NULL, NULL);

        if (fd >= 0) {
            serve(stub, fd);
            close(fd);
        }
    }
    return NULL;
}

static void start_thread(keeper_stub_t *stub)
{
    char started;

    assert_int_equal(pipe(stub->stop), 0);
    assert_int_equal(pipe(stub->started), 0);
    assert_int_equal(pthread_create(&stub->thread, NULL, run, stub), 0);
    /* Tests fork next: a thread in the middle of its start may hold a lock of the sanitizer's. */
    assert_int_equal(read(stub->started[0], &started, 1), 1);
    close(stub->started[0]);
    close(stub->started[1]);
}

keeper_stub_t *keeper_stub_start(apr_pool_t *pool)
{
    keeper_stub_t *stub = apr_pcalloc(pool, sizeof(*stub));

    stub->request = apr_palloc(pool, REQUEST_MAX);
    stub->status = 200;
    stub->listener = stub_listen(&stub->port, 16);
    assert_int_equal(pthread_mutex_init(&stub->mutex, NULL), 0);
    start_thread(stub);
    return stub;
}

static void stop_thread(keeper_stub_t *stub)
{
    assert_int_equal(write(stub->stop[1], "x", 1), 1);
    assert_int_equal(pthread_join(stub->thread, NULL), 0);
    close(stub->stop[0]);
    close(stub->stop[1]);
    close(stub->listener);
}

/* The port stays taken, by a socket that does not listen. */
void keeper_stub_go(keeper_stub_t *stub)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)stub->port)};
    int on = 1;

    stop_thread(stub);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stub->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(stub->listener >= 0);
    assert_int_equal(setsockopt(stub->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(stub->listener, (struct sockaddr *)&address, sizeof(address)), 0);
}

void keeper_stub_come_back(keeper_stub_t *stub)
{
    assert_int_equal(listen(stub->listener, 16), 0);
    start_thread(stub);
}

void keeper_stub_stop(keeper_stub_t *stub)
{
    stop_thread(stub);
    while (stub->count) {
        free(stub->posts[--stub->count].told);
    }
}

const char *keeper_stub_url(const keeper_stub_t *stub, apr_pool_t *pool)
{
    return apr_psprintf(pool, "http://127.0.0.1:%d/", stub->port);
}

void keeper_stub_answer(keeper_stub_t *stub, int status)
{
    lock(stub);
    stub->status = status;
    unlock(stub);
}

void keeper_stub_refuse(keeper_stub_t *stub, const char *bytes)
{
    lock(stub);
    stub->refused = bytes;
    unlock(stub);
}

int keeper_stub_count(keeper_stub_t *stub)
{
    int count;

    lock(stub);
    count = stub->count;
    unlock(stub);
    return count;
}

const char *keeper_stub_posts(keeper_stub_t *stub, int taken_only, apr_pool_t *pool)
{
    gc_buffer_t all = gc_buffer_make(256, pool);
    int i;

    lock(stub);
    for (i = 0; i < stub->count; i++) {
        if (!taken_only || stub->posts[i].status == 200) {
            gc_buffer_append_text(&all, all.len ? " | " : "");
            gc_buffer_append_text(&all, stub->posts[i].told);
        }
    }
    unlock(stub);
    return all.data;
}
