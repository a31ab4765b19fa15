/* A body reaches a proxy once at most, and what counts as not sent has not reached it at all. The proxy
 * counts the requests that it was given whole. */
#include "grip_stub.h"

#include <signal.h>
#include <unistd.h>

#define OK      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nPublished"
#define TIMEOUT apr_time_from_sec(10)
#define BODY    gc_slice_of("{\"items\":[]}")
#define SHORT   apr_time_from_msec(500)
#define ENDINGS 4
#define BIG     1900000

/* Post some bodies to a proxy, one after the other, over one transport that keeps its connections. */
static void post_each(stub_ending_t *endings, int count, const grip_proxy_t *proxy, gc_slice_t body,
                      apr_pool_t *pool)
{
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, pool);
    int i;

    memset(endings, 0, sizeof(*endings) * ENDINGS);
    for (i = 0; i < count; i++) {
        assert_int_equal(grip_transport_post(transport, NULL, proxy, body, TIMEOUT,
                                             stub_ending_take, &endings[i]),
                         APR_SUCCESS);
        stub_loop_run(&loop, transport);
        assert_int_equal(endings[i].calls, 1);
    }
    grip_transport_destroy(transport);
}

/* The second request comes over the connection of the first, and has this fate: it must be uncertain, and
 * must not come again. */
static void is_sent_once_over_a_kept_connection(const char *fates, apr_pool_t *pool)
{
    stub_proxy_t *server = stub_proxy_start_with(fates, OK, pool);
    stub_ending_t endings[ENDINGS];

    post_each(endings, 3, stub_proxy_of(server, pool), BODY, pool);
    stub_proxy_stop(server);
    stub_assert_ended(&endings[0], GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    assert_int_equal(endings[1].result.outcome, GRIP_TRANSPORT_UNCERTAIN);
    stub_assert_ended(&endings[2], GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    assert_int_equal(server->requests, 3);
}

/* Where a kept connection ends without an answer, libcurl sends once more, unless it cannot. */
static void a_kept_connection_that_ends_is_sent_to_once(void **state)
{
    is_sent_once_over_a_kept_connection("ac", *state);
}

static void a_kept_connection_that_is_reset_is_sent_to_once(void **state)
{
    is_sent_once_over_a_kept_connection("ar", *state);
}

/* Sending once more would be refused here, and what came before it was taken all the same. */
static void what_a_proxy_took_before_it_went_is_uncertain(void **state)
{
    stub_proxy_t *server = stub_proxy_start_with("ag", OK, *state);
    stub_ending_t endings[ENDINGS];

    post_each(endings, 3, stub_proxy_of(server, *state), BODY, *state);
    stub_proxy_stop(server);
    stub_assert_ended(&endings[0], GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    assert_int_equal(endings[1].result.outcome, GRIP_TRANSPORT_UNCERTAIN);
    stub_assert_ended(&endings[2], GRIP_TRANSPORT_NOT_SENT, APR_ECONNREFUSED, 0);
    assert_int_equal(server->requests, 2);
}

static void a_new_connection_that_ends_or_is_reset_is_sent_to_once(void **state)
{
    const char *const fates[] = {"c", "r", "g"};
    stub_ending_t endings[ENDINGS];
    size_t i;

    for (i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        stub_proxy_t *server = stub_proxy_start_with(fates[i], OK, *state);

        post_each(endings, 1, stub_proxy_of(server, *state), BODY, *state);
        stub_proxy_stop(server);
        assert_int_equal(endings[0].result.outcome, GRIP_TRANSPORT_UNCERTAIN);
        assert_int_equal(server->requests, 1);
    }
}

/* Libcurl sees that the proxy has ended the connection, and opens another one before it sends. */
static void a_connection_that_the_proxy_ended_before_is_not_used(void **state)
{
    stub_proxy_t *server = stub_proxy_start(OK, 0, *state);
    stub_ending_t endings[ENDINGS];
    int i;

    post_each(endings, 3, stub_proxy_of(server, *state), BODY, *state);
    stub_proxy_stop(server);
    assert_int_equal(server->requests, 3);
    for (i = 0; i < 3; i++) {
        stub_assert_ended(&endings[i], GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    }
}

static void a_big_body_cut_off_on_its_way_is_uncertain(void **state)
{
    char *big = apr_pcalloc(*state, BIG + 1);
    const char *const fates[] = {"b", "ab"};
    stub_ending_t endings[ENDINGS];
    size_t i;

    memset(big, 'x', BIG);
    for (i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        stub_proxy_t *server = stub_proxy_start_with(fates[i], OK, *state);
        int cut = (int)strlen(fates[i]) - 1;

        post_each(endings, cut + 2, stub_proxy_of(server, *state), gc_slice(big, BIG), *state);
        stub_proxy_stop(server);
        assert_int_equal(endings[cut].result.outcome, GRIP_TRANSPORT_UNCERTAIN);
        stub_assert_ended(&endings[cut + 1], GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
        assert_int_equal(server->requests, cut + 1);
        assert_string_equal(strstr(server->request, "\r\n\r\n") + 4, big);
    }
}

/* The first bytes are those of a handshake that ends there. */
static void a_handshake_that_is_reset_sent_nothing(void **state)
{
    stub_proxy_t *server = stub_proxy_start_with("f", OK, *state);
    stub_ending_t ending;

    stub_post(
        &ending,
        stub_proxy_at(apr_psprintf(*state, "https://127.0.0.1:%d/?key=k", server->port), *state),
        BODY, SHORT, *state);
    stub_proxy_stop(server);
    assert_int_equal(ending.result.outcome, GRIP_TRANSPORT_NOT_SENT);
    assert_int_equal(server->requests, 0);
}

/* No process accepts: the system completes the connection, and the request stays in its
 * buffers. */
static void what_lies_in_the_buffers_of_the_proxy_is_uncertain(void **state)
{
    stub_ending_t ending;
    int port;
    int listener = stub_listen(&port, 4);

    stub_post(&ending, stub_proxy_at(apr_psprintf(*state, "http://127.0.0.1:%d/", port), *state),
              BODY, SHORT, *state);
    close(listener);
    stub_assert_ended(&ending, GRIP_TRANSPORT_UNCERTAIN, APR_TIMEUP, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(a_kept_connection_that_ends_is_sent_to_once),
        POOL_TEST(a_kept_connection_that_is_reset_is_sent_to_once),
        POOL_TEST(what_a_proxy_took_before_it_went_is_uncertain),
        POOL_TEST(a_new_connection_that_ends_or_is_reset_is_sent_to_once),
        POOL_TEST(a_connection_that_the_proxy_ended_before_is_not_used),
        POOL_TEST(a_big_body_cut_off_on_its_way_is_uncertain),
        POOL_TEST(a_handshake_that_is_reset_sent_nothing),
        POOL_TEST(what_lies_in_the_buffers_of_the_proxy_is_uncertain),
    };

    signal(SIGPIPE, SIG_IGN);
    if (grip_transport_global_init() != APR_SUCCESS) {
        return 1;
    }
    return UNIT_RUN(tests);
}
