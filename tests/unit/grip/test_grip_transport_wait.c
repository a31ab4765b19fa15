/* The time to try again, as an answer gives it. */
#include "grip_stub.h"

#include <signal.h>

/* The answer that a server gives with this status and these header fields, each with its line's end. */
static grip_transport_result_t answer(int status, const char *fields, apr_pool_t *pool)
{
    stub_ending_t ending;
    stub_proxy_t *server = stub_proxy_start(
        apr_psprintf(pool, "HTTP/1.1 %d No\r\n%sContent-Length: 0\r\n\r\n", status, fields), 0,
        pool);

    stub_post(&ending, stub_proxy_of(server, pool), gc_slice_of("{\"items\":[]}"),
              apr_time_from_sec(10), pool);
    stub_proxy_stop(server);
    stub_assert_ended(&ending, GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, status);
    return ending.result;
}

static apr_int64_t retry_after(const char *fields, apr_pool_t *pool)
{
    return answer(503, fields, pool).retry_after_secs;
}

static apr_int64_t limit_ends(const char *fields, apr_pool_t *pool)
{
    return answer(429, fields, pool).limit_ends_secs;
}

static void tells_when_to_come_again(void **state)
{
    assert_int_equal(retry_after("Retry-After: 7\r\n", *state), 7);
    assert_int_equal(retry_after("Retry-After: 99999999\r\n", *state), 86400);
    assert_int_equal(retry_after("Retry-After: -5\r\n", *state), -1);
    assert_int_equal(retry_after("", *state), -1);
}

static void tells_when_a_limit_ends(void **state)
{
    const char *in_half_an_hour = apr_psprintf(
        *state, "fastly-ratelimit-remaining: 0\r\nfastly-ratelimit-reset: %" APR_INT64_T_FMT "\r\n",
        apr_time_sec(apr_time_now()) + 1800);

    assert_in_range(limit_ends(in_half_an_hour, *state), 1790, 1800);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: 9223372036854\r\n", *state), 86400);
    assert_int_equal(retry_after(in_half_an_hour, *state), -1);
}

static void knows_of_no_limit_where_nothing_sensible_is_said(void **state)
{
    assert_int_equal(limit_ends("", *state), -1);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: 1452032384\r\n", *state), -1);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: soon\r\n", *state), -1);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: -1\r\n", *state), -1);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: 99999999999999999999\r\n", *state), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(tells_when_to_come_again),
        POOL_TEST(tells_when_a_limit_ends),
        POOL_TEST(knows_of_no_limit_where_nothing_sensible_is_said),
    };

    signal(SIGPIPE, SIG_IGN);
    if (grip_transport_global_init() != APR_SUCCESS) {
        return 1;
    }
    return UNIT_RUN(tests);
}
