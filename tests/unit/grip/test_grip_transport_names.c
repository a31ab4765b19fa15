/* A resolver that answers when it likes. It is the test's: libcurl's lookups and our own (--with-oldest-apis)
 * call the function below. */
#include "grip_stub.h"

#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/socket.h>

#define TIMEOUT  apr_time_from_sec(10)
#define ANY_BODY gc_slice_of("{\"items\":[]}")
#define OK       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nPublished"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int is_silent;
static int knows;
static int asked;
static int answered;

static void resolver(int silent, int knows_names)
{
    pthread_mutex_lock(&mutex);
    is_silent = silent;
    knows = knows_names;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static int count_of(const int *counter)
{
    int count;

    pthread_mutex_lock(&mutex);
    count = *counter;
    pthread_mutex_unlock(&mutex);
    return count;
}

/* Libraries call these in place of the C library's. */
#define IN_PLACE __attribute__((visibility("default")))

/* One loopback address. */
IN_PLACE int getaddrinfo(const char *restrict node, const char *restrict service,
                         const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    struct addrinfo *info;
    struct sockaddr_in *address;
    int is_known;

    pthread_mutex_lock(&mutex);
    asked++;
    while (is_silent) {
        pthread_cond_wait(&changed, &mutex);
    }
    is_known = knows;
    answered++;
    pthread_mutex_unlock(&mutex);
    if (!is_known || strcmp(node, "proxy.example") != 0) {
        return EAI_NONAME;
    }
    info = calloc(1, sizeof(*info) + sizeof(*address));
    address = (struct sockaddr_in *)(void *)(info + 1);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->sin_port = htons((in_port_t)(service ? strtol(service, NULL, 10) : 0));
    info->ai_family = AF_INET;
    info->ai_socktype = SOCK_STREAM;
    info->ai_addrlen = sizeof(*address);
    info->ai_addr = (struct sockaddr *)address;
    *found = info;
    return 0;
}

IN_PLACE void freeaddrinfo(struct addrinfo *info)
{
    free(info);
}

static const grip_proxy_t *named_proxy(int port, apr_pool_t *pool)
{
    return stub_proxy_at(apr_psprintf(pool, "http://proxy.example:%d/", port), pool);
}

/* Turn until the resolver has been asked. */
static void wait_asked(stub_loop_t *loop, grip_transport_t *transport, int before)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    while (count_of(&asked) == before && gc_clock_now() < end) {
        stub_loop_turn(loop, transport);
    }
    assert_int_not_equal(count_of(&asked), before);
}

/* However a test ends, the threads of its lookups end before the next one. */
static int let_resolver_end(void **state)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    resolver(0, 1);
    while (count_of(&answered) != count_of(&asked) && gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(5));
    }
    return unit_pool_teardown(state);
}

static void a_name_is_looked_up_and_posted_to(void **state)
{
    stub_proxy_t *server = stub_proxy_start(OK, 0, *state);
    stub_ending_t ending = {0};

    resolver(0, 1);
    stub_post(&ending, named_proxy(server->port, *state), ANY_BODY, TIMEOUT, *state);
    stub_proxy_stop(server);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    assert_non_null(strstr(server->request, "proxy.example"));
}

static void a_name_is_not_looked_up_for_each_post(void **state)
{
    stub_proxy_t *server = stub_proxy_start(OK, 0, *state);
    const grip_proxy_t *proxy = named_proxy(server->port, *state);
    int before = count_of(&asked);
    stub_ending_t ending = {0};
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, *state);
    int i;

    resolver(0, 1);
    for (i = 0; i < 3; i++) {
        assert_int_equal(grip_transport_post(transport, NULL, proxy, ANY_BODY, TIMEOUT,
                                             stub_ending_take, &ending),
                         APR_SUCCESS);
        stub_loop_run(&loop, transport);
        stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    }
    grip_transport_destroy(transport);
    stub_proxy_stop(server);
    assert_int_equal(count_of(&asked), before + 1);
    assert_int_equal(server->connections, 3);
}

static void a_name_that_nobody_knows_sent_nothing(void **state)
{
    stub_ending_t ending = {0};

    resolver(0, 0);
    stub_post(&ending, named_proxy(1, *state), ANY_BODY, TIMEOUT, *state);
    stub_assert_ended(&ending, GRIP_TRANSPORT_NOT_SENT, APR_EHOSTUNREACH, 0);
}

/* The resolver answers when all is over: a caller that waits for it waits endlessly. */
static void a_silent_resolver_blocks_nobody(void **state)
{
    stub_ending_t ending = {0};
    int before = count_of(&answered);

    resolver(1, 1);
    stub_post(&ending, named_proxy(1, *state), ANY_BODY, apr_time_from_msec(300), *state);
    stub_assert_ended(&ending, GRIP_TRANSPORT_NOT_SENT, APR_TIMEUP, 0);
    assert_int_equal(count_of(&answered), before);
}

static void a_post_is_cancelled_while_its_name_is_looked_up(void **state)
{
    int before = count_of(&asked);
    stub_ending_t ending = {0};
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, *state);
    grip_transport_post_t *post = NULL;

    resolver(1, 1);
    assert_int_equal(grip_transport_post(transport, &post, named_proxy(1, *state), ANY_BODY,
                                         TIMEOUT, stub_ending_take, &ending),
                     APR_SUCCESS);
    wait_asked(&loop, transport, before);
    grip_transport_cancel(post);
    assert_int_equal(grip_transport_pending(transport), 0);
    assert_int_equal(loop.count, 0);
    grip_transport_destroy(transport);
    assert_int_equal(ending.calls, 0);
}

static void a_transport_is_destroyed_while_names_are_looked_up(void **state)
{
    int before = count_of(&asked);
    stub_ending_t ending = {0};
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, *state);
    int calls;
    int i;

    resolver(1, 1);
    for (i = 0; i < 3; i++) {
        assert_int_equal(grip_transport_post(transport, NULL, named_proxy(i + 1, *state), ANY_BODY,
                                             TIMEOUT, stub_ending_take, &ending),
                         APR_SUCCESS);
    }
    wait_asked(&loop, transport, before);
    calls = loop.calls;
    grip_transport_destroy(transport);
    assert_int_equal(ending.calls, 0);
    assert_int_equal(loop.calls, calls);
}

#define RESOLVER_TEST(function)                                                                    \
    cmocka_unit_test_setup_teardown(function, unit_pool_setup, let_resolver_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESOLVER_TEST(a_name_is_looked_up_and_posted_to),
        RESOLVER_TEST(a_name_is_not_looked_up_for_each_post),
        RESOLVER_TEST(a_name_that_nobody_knows_sent_nothing),
        RESOLVER_TEST(a_silent_resolver_blocks_nobody),
        RESOLVER_TEST(a_post_is_cancelled_while_its_name_is_looked_up),
        RESOLVER_TEST(a_transport_is_destroyed_while_names_are_looked_up),
    };

    signal(SIGPIPE, SIG_IGN);
    if (grip_transport_global_init() != APR_SUCCESS) {
        return 1;
    }
    return UNIT_RUN(tests);
}
