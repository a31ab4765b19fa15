#include "grip_answer.h"
#include "grip_stub.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "grip_jws.h"

#define OK       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nPublished"
#define TIMEOUT  apr_time_from_sec(10)
#define BODY     "{\"items\":[]}"
#define ANY_BODY gc_slice_of(BODY)

/* Post to a server that answers so and closes. */
static void post_and_get(stub_ending_t *ending, const char *answer, apr_interval_time_t timeout,
                         apr_pool_t *pool)
{
    stub_proxy_t *server = stub_proxy_start(answer, 0, pool);

    stub_post(ending, stub_proxy_of(server, pool), ANY_BODY, timeout, pool);
    stub_proxy_stop(server);
}

static void posts_the_body_as_json_and_gets_the_answer(void **state)
{
    stub_proxy_t *server = stub_proxy_start(OK, 0, *state);
    stub_ending_t ending;

    stub_post(&ending, stub_proxy_of(server, *state), ANY_BODY, TIMEOUT, *state);
    stub_proxy_stop(server);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    assert_string_equal(ending.excerpt, "Published");
    assert_int_equal(ending.result.retry_after_secs, -1);
    assert_int_equal(strncmp(server->request, "POST /publish/ HTTP/1.1\r\n", 25), 0);
    assert_non_null(strstr(server->request, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(server->request, "\r\nContent-Length: 12\r\n"));
    assert_null(strstr(server->request, "Authorization"));
    assert_string_equal(strstr(server->request, "\r\n\r\n") + 4, BODY);
}

/* Above 1 MiB libcurl asks first, unless told not to, and Pushpin never answers that. */
static void sends_large_bodies_without_asking_first(void **state)
{
    const size_t len = 1200000;
    stub_proxy_t *server = stub_proxy_start(OK, 0, *state);
    char *body = apr_pcalloc(*state, len + 1);
    stub_ending_t ending;

    memset(body, 'x', len);
    stub_post(&ending, stub_proxy_of(server, *state), gc_slice(body, len), TIMEOUT, *state);
    stub_proxy_stop(server);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    assert_null(strstr(server->request, "Expect"));
    assert_string_equal(strstr(server->request, "\r\n\r\n") + 4, body);
}

static const char *authorization_for(const char *query_or_user, apr_pool_t *pool)
{
    stub_proxy_t *server = stub_proxy_start(OK, 0, pool);
    const char *user = strchr(query_or_user, '@') ? query_or_user : "";
    const char *query = *user ? "" : query_or_user;
    stub_ending_t ending;
    const char *at;

    stub_post(&ending,
              stub_proxy_at(
                  apr_psprintf(pool, "http://%s127.0.0.1:%d/%s", user, server->port, query), pool),
              ANY_BODY, TIMEOUT, pool);
    stub_proxy_stop(server);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    at = strstr(server->request, "\r\nAuthorization: ");
    assert_non_null(at);
    return apr_pstrmemdup(pool, at + 17, strcspn(at + 17, "\r"));
}

static void authorizes_as_the_proxy_wants_it(void **state)
{
    assert_string_equal(authorization_for("?key=to+ken", *state), "Bearer to+ken");
    assert_string_equal(authorization_for("Aladdin:open%20sesame@", *state),
                        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

static void signs_a_token_that_is_good_for_ten_minutes(void **state)
{
    const char *value = authorization_for("?iss=realm&key=changeme", *state);
    const grip_proxy_t *proxy = stub_proxy_at("http://h/?key=changeme", *state);
    apr_time_t until = 0;
    apr_time_t now = apr_time_now();
    grip_jws_verdict_e verdict;
    grip_jws_t jws;

    assert_int_equal(strncmp(value, "Bearer ", 7), 0);
    assert_int_equal(grip_jws_split(&jws, gc_slice_of(value + 7), *state), APR_SUCCESS);
    assert_int_equal(
        grip_jws_verify(&verdict, &until, &jws, proxy->verify_key, "realm", now, *state),
        APR_SUCCESS);
    assert_int_equal(verdict, GRIP_JWS_VALID);
    assert_in_range(until - GRIP_JWS_SKEW, now + apr_time_from_sec(590),
                    now + apr_time_from_sec(601));
}

static void reports_refusals_with_an_excerpt_that_is_fit_for_logs(void **state)
{
    stub_ending_t ending;

    post_and_get(&ending, "HTTP/1.1 500 Oops\r\nContent-Length: 15\r\n\r\nbad\r\nitem\x1b[31m\xc3",
                 TIMEOUT, *state);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 500);
    assert_string_equal(ending.excerpt, "bad  item [31m ");
}

static void follows_no_redirect(void **state)
{
    stub_proxy_t *server = stub_proxy_start(
        "HTTP/1.1 307 Elsewhere\r\nLocation: /stolen\r\nContent-Length: 0\r\n\r\n", 1, *state);
    stub_ending_t ending;

    stub_post(&ending, stub_proxy_of(server, *state), ANY_BODY, TIMEOUT, *state);
    stub_proxy_stop(server);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 307);
    assert_int_equal(server->requests, 1);
}

/* The proxy keeps the connection open, so only the limit can end this before its timeout. */
static void reads_no_endless_answer(void **state)
{
    char *body = apr_pcalloc(*state, GRIP_ANSWER_BODY_MAX_BYTES + 2);
    stub_proxy_t *server;
    stub_ending_t ending;

    memset(body, 'x', GRIP_ANSWER_BODY_MAX_BYTES + 1);
    server =
        stub_proxy_start(apr_pstrcat(*state, "HTTP/1.1 200 OK\r\n\r\n", body, NULL), 1, *state);
    stub_post(&ending, stub_proxy_of(server, *state), ANY_BODY, TIMEOUT, *state);
    stub_proxy_stop(server);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    assert_int_equal(strlen(ending.excerpt), GRIP_ANSWER_EXCERPT_MAX_BYTES);
}

static void reads_no_endless_head(void **state)
{
    const char *line = apr_psprintf(*state, "X: %01000d\r\n", 0);
    const char *head = "HTTP/1.1 200 OK\r\n";
    stub_ending_t ending;
    int i;

    for (i = 0; i < 70; i++) {
        head = apr_pstrcat(*state, head, line, NULL);
    }
    post_and_get(&ending, head, TIMEOUT, *state);
    assert_int_equal(ending.result.outcome, GRIP_TRANSPORT_UNCERTAIN);
}

static void an_answer_cut_short_is_uncertain(void **state)
{
    stub_ending_t ending;

    post_and_get(&ending, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nPubl", TIMEOUT, *state);
    stub_assert_ended(&ending, GRIP_TRANSPORT_UNCERTAIN, APR_INCOMPLETE, 200);
    assert_string_equal(ending.excerpt, "Publ");
}

static void no_answer_is_uncertain(void **state)
{
    stub_ending_t ending;

    post_and_get(&ending, "", TIMEOUT, *state);
    stub_assert_ended(&ending, GRIP_TRANSPORT_UNCERTAIN, APR_ECONNRESET, 0);
}

static void an_answer_that_is_not_http_is_uncertain(void **state)
{
    stub_ending_t ending;

    post_and_get(&ending, "SSH-2.0-OpenSSH_9.2\r\n", TIMEOUT, *state);
    stub_assert_ended(&ending, GRIP_TRANSPORT_UNCERTAIN, APR_EGENERAL, 0);
}

static void a_proxy_that_says_nothing_times_out(void **state)
{
    apr_time_t start = apr_time_now();
    stub_ending_t ending;

    post_and_get(&ending, NULL, apr_time_from_msec(200), *state);
    stub_assert_ended(&ending, GRIP_TRANSPORT_UNCERTAIN, APR_TIMEUP, 0);
    assert_in_range(apr_time_now() - start, apr_time_from_msec(190), UNIT_PATIENCE);
}

static void a_refused_connection_sent_nothing(void **state)
{
    stub_ending_t ending;
    int port;

    close(stub_listen(&port, 1));
    stub_post(&ending, stub_proxy_at(apr_psprintf(*state, "http://127.0.0.1:%d/", port), *state),
              ANY_BODY, TIMEOUT, *state);
    stub_assert_ended(&ending, GRIP_TRANSPORT_NOT_SENT, APR_ECONNREFUSED, 0);
}

/* A listener whose backlog is full drops what knocks, as a firewall does. */
static void a_black_holed_port_times_out_and_sent_nothing(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int clients[4];
    stub_ending_t ending;
    int port;
    int listener = stub_listen(&port, 0);
    int i;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((in_port_t)port);
    for (i = 0; i < 4; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        assert_true(connect(clients[i], (struct sockaddr *)&address, sizeof(address)) == 0 ||
                    errno == EINPROGRESS);
    }
    stub_post(&ending, stub_proxy_at(apr_psprintf(*state, "http://127.0.0.1:%d/", port), *state),
              ANY_BODY, apr_time_from_msec(300), *state);
    for (i = 0; i < 4; i++) {
        close(clients[i]);
    }
    close(listener);
    stub_assert_ended(&ending, GRIP_TRANSPORT_NOT_SENT, APR_TIMEUP, 0);
}

/* Also where the name server does not answer: the loop must not wait for the resolver. */
static void an_unknown_name_sent_nothing_and_blocks_nobody(void **state)
{
    apr_time_t start = apr_time_now();
    stub_ending_t ending;

    stub_post(&ending, stub_proxy_at("http://grip-chat.invalid/", *state), ANY_BODY,
              apr_time_from_msec(500), *state);
    assert_int_equal(ending.result.outcome, GRIP_TRANSPORT_NOT_SENT);
    assert_true(ending.result.rv == APR_EHOSTUNREACH || ending.result.rv == APR_TIMEUP);
    /* A resolver asks again after 5 s, at the soonest. */
    assert_in_range(apr_time_now() - start, 0, apr_time_from_msec(4500));
}

static void a_proxy_without_tls_gets_nothing_of_an_https_post(void **state)
{
    stub_proxy_t *server = stub_proxy_start(OK, 0, *state);
    stub_ending_t ending;

    /* The bytes are not HTTP, so it waits for the rest of the head. */
    stub_post(
        &ending,
        stub_proxy_at(apr_psprintf(*state, "https://127.0.0.1:%d/?key=k", server->port), *state),
        ANY_BODY, apr_time_from_msec(500), *state);
    stub_proxy_stop(server);
    /* On a machine without the certificates of authorities libcurl says so at once. */
    assert_int_equal(ending.result.outcome, GRIP_TRANSPORT_NOT_SENT);
    assert_true(ending.result.rv == APR_TIMEUP || ending.result.rv == APR_EGENERAL);
    assert_int_equal(server->requests, 0);
}

static void an_http_proxy_of_the_environment_is_not_used(void **state)
{
    stub_ending_t ending;

    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
    post_and_get(&ending, OK, TIMEOUT, *state);
    assert_int_equal(unsetenv("http_proxy"), 0);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
}

static void uses_a_connection_again_where_the_proxy_lets_it(void **state)
{
    stub_proxy_t *server = stub_proxy_start(OK, 1, *state);
    const grip_proxy_t *proxy = stub_proxy_of(server, *state);
    stub_ending_t ending = {0};
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, *state);
    int i;

    for (i = 0; i < 3; i++) {
        assert_int_equal(grip_transport_post(transport, NULL, proxy, ANY_BODY, TIMEOUT,
                                             stub_ending_take, &ending),
                         APR_SUCCESS);
        stub_loop_run(&loop, transport);
    }
    grip_transport_destroy(transport);
    stub_proxy_stop(server);
    assert_int_equal(ending.calls, 3);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    assert_int_equal(server->requests, 3);
    assert_int_equal(server->connections, 1);
}

static void many_posts_end_each_on_its_own(void **state)
{
    stub_proxy_t *server = stub_proxy_start(OK, 0, *state);
    const grip_proxy_t *proxy = stub_proxy_of(server, *state);
    stub_ending_t endings[8];
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, *state);
    int i;

    memset(endings, 0, sizeof(endings));
    for (i = 0; i < 8; i++) {
        assert_int_equal(grip_transport_post(transport, NULL, proxy, ANY_BODY, TIMEOUT,
                                             stub_ending_take, &endings[i]),
                         APR_SUCCESS);
    }
    assert_int_equal(grip_transport_pending(transport), 8);
    stub_loop_run(&loop, transport);
    assert_int_equal(loop.count, 0);
    grip_transport_destroy(transport);
    stub_proxy_stop(server);
    for (i = 0; i < 8; i++) {
        assert_int_equal(endings[i].calls, 1);
        stub_assert_ended(&endings[i], GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 200);
    }
}

static void a_cancelled_post_calls_nobody_and_leaves_no_socket(void **state)
{
    stub_proxy_t *server = stub_proxy_start(NULL, 0, *state);
    grip_transport_post_t *post = NULL;
    stub_ending_t ending = {0};
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, *state);
    int i;

    assert_int_equal(grip_transport_post(transport, &post, stub_proxy_of(server, *state), ANY_BODY,
                                         TIMEOUT, stub_ending_take, &ending),
                     APR_SUCCESS);
    for (i = 0; i < 5; i++) {
        stub_loop_turn(&loop, transport);
    }
    assert_int_equal(loop.count, 1);
    grip_transport_cancel(post);
    assert_int_equal(grip_transport_pending(transport), 0);
    assert_int_equal(loop.count, 0);
    stub_loop_turn(&loop, transport);
    assert_int_equal(ending.calls, 0);
    grip_transport_destroy(transport);
    stub_proxy_stop(server);
}

static void a_post_can_be_cancelled_before_the_loop_turns(void **state)
{
    grip_transport_post_t *post = NULL;
    stub_ending_t ending = {0};
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, *state);

    assert_int_equal(grip_transport_post(transport, &post,
                                         stub_proxy_at("http://127.0.0.1:1/", *state), ANY_BODY,
                                         TIMEOUT, stub_ending_take, &ending),
                     APR_SUCCESS);
    grip_transport_cancel(post);
    stub_loop_turn(&loop, transport);
    assert_int_equal(ending.calls, 0);
}

/* The pool's end destroys as well: the transport is left to the test's pool here. */
static void a_pool_that_ends_with_posts_under_way_calls_nobody(void **state)
{
    stub_proxy_t *server = stub_proxy_start(NULL, 0, *state);
    stub_ending_t ending = {0};
    apr_pool_t *pool;
    stub_loop_t loop;
    grip_transport_t *transport;
    int calls;
    int i;

    assert_int_equal(apr_pool_create(&pool, *state), APR_SUCCESS);
    transport = stub_loop_transport(&loop, pool);
    for (i = 0; i < 2; i++) {
        assert_int_equal(grip_transport_post(transport, NULL, stub_proxy_of(server, *state),
                                             ANY_BODY, TIMEOUT, stub_ending_take, &ending),
                         APR_SUCCESS);
    }
    stub_loop_turn(&loop, transport);
    calls = loop.calls;
    apr_pool_destroy(pool);
    assert_int_equal(loop.calls, calls);
    assert_int_equal(ending.calls, 0);
    stub_proxy_stop(server);
}

typedef struct chain_t {
    grip_transport_t *transport;
    grip_transport_post_t *victim;
    const grip_proxy_t *proxy;
    stub_ending_t ending;
    int left;
} chain_t;

static void on_chain_done(const grip_transport_result_t *result, void *baton)
{
    chain_t *chain = baton;

    stub_ending_take(result, &chain->ending);
    if (chain->victim) {
        grip_transport_cancel(chain->victim);
        chain->victim = NULL;
    }
    if (chain->left-- > 0) {
        assert_int_equal(grip_transport_post(chain->transport, NULL, chain->proxy, ANY_BODY,
                                             TIMEOUT, on_chain_done, chain),
                         APR_SUCCESS);
    }
}

static void a_done_function_may_post_and_cancel(void **state)
{
    stub_proxy_t *server = stub_proxy_start(OK, 0, *state);
    stub_proxy_t *silent = stub_proxy_start(NULL, 0, *state);
    stub_ending_t ending = {0};
    stub_loop_t loop;
    chain_t chain = {.left = 3};

    chain.transport = stub_loop_transport(&loop, *state);
    chain.proxy = stub_proxy_of(server, *state);
    assert_int_equal(grip_transport_post(chain.transport, &chain.victim,
                                         stub_proxy_of(silent, *state), ANY_BODY, TIMEOUT,
                                         stub_ending_take, &ending),
                     APR_SUCCESS);
    assert_int_equal(grip_transport_post(chain.transport, NULL, chain.proxy, ANY_BODY, TIMEOUT,
                                         on_chain_done, &chain),
                     APR_SUCCESS);
    stub_loop_run(&loop, chain.transport);
    assert_int_equal(chain.ending.calls, 4);
    assert_int_equal(ending.calls, 0);
    grip_transport_destroy(chain.transport);
    stub_proxy_stop(server);
    stub_proxy_stop(silent);
}

static void refuses_timeouts_out_of_bounds(void **state)
{
    const grip_proxy_t *proxy = stub_proxy_at("http://127.0.0.1:1/", *state);
    stub_ending_t ending = {0};
    stub_loop_t loop;
    grip_transport_t *transport = stub_loop_transport(&loop, *state);

    assert_int_equal(grip_transport_post(transport, NULL, proxy, ANY_BODY,
                                         GRIP_TRANSPORT_TIMEOUT_MIN - 1, stub_ending_take, &ending),
                     APR_EINVAL);
    assert_int_equal(grip_transport_post(transport, NULL, proxy, ANY_BODY,
                                         GRIP_TRANSPORT_TIMEOUT_MAX + 1, stub_ending_take, &ending),
                     APR_EINVAL);
    assert_int_equal(grip_transport_pending(transport), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(posts_the_body_as_json_and_gets_the_answer),
        POOL_TEST(sends_large_bodies_without_asking_first),
        POOL_TEST(authorizes_as_the_proxy_wants_it),
        POOL_TEST(signs_a_token_that_is_good_for_ten_minutes),
        POOL_TEST(reports_refusals_with_an_excerpt_that_is_fit_for_logs),
        POOL_TEST(follows_no_redirect),
        POOL_TEST(reads_no_endless_answer),
        POOL_TEST(reads_no_endless_head),
        POOL_TEST(an_answer_cut_short_is_uncertain),
        POOL_TEST(no_answer_is_uncertain),
        POOL_TEST(an_answer_that_is_not_http_is_uncertain),
        POOL_TEST(a_proxy_that_says_nothing_times_out),
        POOL_TEST(a_refused_connection_sent_nothing),
        POOL_TEST(a_black_holed_port_times_out_and_sent_nothing),
        POOL_TEST(an_unknown_name_sent_nothing_and_blocks_nobody),
        POOL_TEST(a_proxy_without_tls_gets_nothing_of_an_https_post),
        POOL_TEST(an_http_proxy_of_the_environment_is_not_used),
        POOL_TEST(uses_a_connection_again_where_the_proxy_lets_it),
        POOL_TEST(many_posts_end_each_on_its_own),
        POOL_TEST(a_cancelled_post_calls_nobody_and_leaves_no_socket),
        POOL_TEST(a_post_can_be_cancelled_before_the_loop_turns),
        POOL_TEST(a_pool_that_ends_with_posts_under_way_calls_nobody),
        POOL_TEST(a_done_function_may_post_and_cancel),
        POOL_TEST(refuses_timeouts_out_of_bounds),
    };

    signal(SIGPIPE, SIG_IGN);
    if (grip_transport_global_init() != APR_SUCCESS) {
        return 1;
    }
    return UNIT_RUN(tests);
}
