/* The parts of a proxy's answer, read without libcurl: each version of libcurl reads Retry-After
 * differently. */
#include "grip_answer.h"

#include "unit.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, a third of a second later. */
#define NOW (apr_time_from_sec(784111777) + 333333)

static grip_answer_t head(const char *const *lines)
{
    grip_answer_t answer;

    grip_answer_begin(&answer);
    for (; *lines; lines++) {
        assert_true(grip_answer_line(&answer, gc_slice_of(*lines), NOW));
    }
    return answer;
}

static apr_int64_t retry_after(const char *field)
{
    const char *lines[] = {"HTTP/1.1 503 No\r\n", field, "\r\n", NULL};

    return head(lines).retry_after_secs;
}

static apr_int64_t limit_ends(const char *field)
{
    const char *lines[] = {"HTTP/1.1 429 No\r\n", field, "\r\n", NULL};

    return head(lines).limit_ends_secs;
}

static void reads_seconds_up_to_a_day(void **state)
{
    assert_int_equal(retry_after("Retry-After: 7\r\n"), 7);
    assert_int_equal(retry_after("retry-after:7\n"), 7);
    assert_int_equal(retry_after("RETRY-AFTER:\t 7 \t\r\n"), 7);
    /* libcurl 8 says 21,600 to both. */
    assert_int_equal(retry_after("Retry-After: 36000\r\n"), 36000);
    assert_int_equal(retry_after("Retry-After: 99999999\r\n"), 86400);
    assert_int_equal(retry_after("Retry-After: 99999999999999999999999999\r\n"), 86400);
}

static void reads_each_form_of_a_date(void **state)
{
    assert_int_equal(retry_after("Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"), 60);
    assert_int_equal(retry_after("Retry-After: Sunday, 06-Nov-94 08:50:37 GMT\r\n"), 60);
    assert_int_equal(retry_after("Retry-After: Sun Nov  6 08:50:37 1994\r\n"), 60);
    assert_int_equal(retry_after("Retry-After: Tue, 08 Nov 1994 08:50:37 GMT\r\n"), 86400);
}

static void knows_of_no_wait_where_nothing_sensible_is_said(void **state)
{
    assert_int_equal(retry_after(""), -1);
    assert_int_equal(retry_after("Retry-After:\r\n"), -1);
    assert_int_equal(retry_after("Retry-After: 0\r\n"), -1);
    assert_int_equal(retry_after("Retry-After: -5\r\n"), -1);
    assert_int_equal(retry_after("Retry-After: 7s\r\n"), -1);
    assert_int_equal(retry_after("Retry-After: soon\r\n"), -1);
    assert_int_equal(retry_after("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), -1);
    assert_int_equal(
        retry_after("Retry-After: Sun, 06 Nov 1994 08:50:37 GMT and so on, and so on, and on\r\n"),
        -1);
    assert_int_equal(retry_after("Retry-Afters: 7\r\n"), -1);
    assert_int_equal(retry_after("X: Retry-After: 7\r\n"), -1);
}

static void reads_when_a_limit_ends(void **state)
{
    assert_int_equal(limit_ends("fastly-ratelimit-reset: 784113577\r\n"), 1800);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: 9223372036854\r\n"), 86400);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: 784111777\r\n"), -1);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: soon\r\n"), -1);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: -1\r\n"), -1);
    assert_int_equal(limit_ends("Fastly-RateLimit-Reset: 99999999999999999999\r\n"), -1);
    assert_int_equal(limit_ends("Retry-After: 7\r\n"), -1);
}

static void the_last_answer_and_the_last_field_count(void **state)
{
    const char *lines[] = {"HTTP/1.1 100 Continue\r\n",
                           "Retry-After: 9\r\n",
                           "\r\n",
                           "HTTP/1.1 503 No\r\n",
                           "Retry-After: 7\r\n",
                           "Server: x\r\n",
                           "Retry-After: 8\r\n",
                           "\r\n",
                           NULL};
    const char *silent[] = {"HTTP/1.1 100 Continue\r\n",
                            "Retry-After: 9\r\n",
                            "\r\n",
                            "HTTP/1.1 503 No\r\n",
                            "\r\n",
                            NULL};

    assert_int_equal(head(lines).retry_after_secs, 8);
    assert_int_equal(head(silent).retry_after_secs, -1);
}

static void a_head_without_end_is_given_up(void **state)
{
    char line[1024];
    grip_answer_t answer;
    int lines = 0;

    memset(line, 'x', sizeof(line));
    grip_answer_begin(&answer);
    while (lines < 1000 && grip_answer_line(&answer, gc_slice(line, sizeof(line)), NOW)) {
        lines++;
    }
    assert_int_equal(lines, 64);
}

static void of_the_body_the_start_is_kept_in_print(void **state)
{
    char piece[1000];
    grip_answer_t answer;
    int pieces = 0;

    memset(piece, 'x', sizeof(piece));
    grip_answer_begin(&answer);
    assert_true(grip_answer_body(&answer, gc_slice("a\0b\r\n\x7f\xc3\xa9", 8)));
    assert_string_equal(answer.excerpt, "a b     ");
    while (pieces < 100 && grip_answer_body(&answer, gc_slice(piece, sizeof(piece)))) {
        pieces++;
    }
    assert_int_equal(pieces, 16);
    assert_true(grip_answer_is_overlong(&answer));
    assert_int_equal(strlen(answer.excerpt), GRIP_ANSWER_EXCERPT_MAX_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(reads_seconds_up_to_a_day),
        POOL_TEST(reads_each_form_of_a_date),
        POOL_TEST(knows_of_no_wait_where_nothing_sensible_is_said),
        POOL_TEST(reads_when_a_limit_ends),
        POOL_TEST(the_last_answer_and_the_last_field_count),
        POOL_TEST(a_head_without_end_is_given_up),
        POOL_TEST(of_the_body_the_start_is_kept_in_print),
    };

    return UNIT_RUN(tests);
}
