#include "publish_log.h"
#include "unit.h"

/* The ids of the lines that were logged, one after the other. */
static char logged[64];

static void note(gc_log_level_e level, apr_status_t rv, const char *line, void *baton)
{
    (void)apr_cpystrn(logged + strlen(logged), line, strlen("GC0000:"));
    (void)apr_cpystrn(logged + strlen(logged), " ", 2);
}

static const gc_log_t noting = {GC_LOG_DEBUG, note, NULL};

static publish_log_t begin(void)
{
    publish_log_t trouble = {&noting, "http://proxy/"};

    logged[0] = '\0';
    return trouble;
}

static void post_fails(publish_log_t *trouble, int http_status)
{
    grip_transport_result_t result = {
        GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, http_status, -1, -1, "", "why"};

    publish_log_failure(trouble, &result, apr_time_from_sec(1));
}

static void item_is_refused(publish_log_t *trouble, gc_moment_t now)
{
    grip_transport_result_t result = {GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 400, -1, -1, "", "why"};

    publish_log_refused(trouble, "room-a", &result, now);
}

static void is_told_once_of_each_kind_until_it_is_over(void **state)
{
    publish_log_t trouble = begin();

    post_fails(&trouble, 500);
    post_fails(&trouble, 0);
    post_fails(&trouble, 429);
    post_fails(&trouble, 500);
    post_fails(&trouble, 429);
    publish_log_end(&trouble);
    post_fails(&trouble, 429);
    post_fails(&trouble, 429);
    post_fails(&trouble, 500);
    assert_string_equal(logged, "GC0301 GC0305 GC0302 GC0305 GC0301 ");
}

static void may_end_without_a_word(void **state)
{
    publish_log_t trouble = begin();

    post_fails(&trouble, 500);
    publish_log_forget(&trouble);
    post_fails(&trouble, 500);
    assert_string_equal(logged, "GC0301 GC0301 ");
}

static void tells_of_refused_items_once_a_minute(void **state)
{
    publish_log_t trouble = begin();
    gc_moment_t start = apr_time_from_sec(100);

    item_is_refused(&trouble, start);
    item_is_refused(&trouble, start + PUBLISH_LOG_REFUSED_PERIOD - 1);
    assert_string_equal(logged, "GC0304 ");
    assert_int_equal(trouble.refused, 1);
    item_is_refused(&trouble, start + PUBLISH_LOG_REFUSED_PERIOD);
    assert_string_equal(logged, "GC0304 GC0304 ");
}

static void tells_once_how_long_a_proxy_wants_to_be_left_alone(void **state)
{
    publish_log_t trouble = begin();
    grip_transport_result_t result = {
        GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 503, 3600, -1, "", "why"};

    post_fails(&trouble, 500);
    publish_log_failure(&trouble, &result, apr_time_from_sec(60));
    publish_log_failure(&trouble, &result, apr_time_from_sec(60));
    assert_string_equal(logged, "GC0301 GC0306 ");
}

static void tells_of_forgotten_rooms_once_a_minute(void **state)
{
    publish_log_t trouble = begin();
    gc_moment_t start = apr_time_from_sec(100);

    publish_log_forgotten(&trouble, 1, start);
    publish_log_forgotten(&trouble, 2, start + 1);
    assert_int_equal(trouble.forgotten, 2);
    publish_log_forgotten(&trouble, 1, start + PUBLISH_LOG_REFUSED_PERIOD);
    assert_string_equal(logged, "GC0307 GC0307 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(is_told_once_of_each_kind_until_it_is_over),
        POOL_TEST(may_end_without_a_word),
        POOL_TEST(tells_of_refused_items_once_a_minute),
        POOL_TEST(tells_once_how_long_a_proxy_wants_to_be_left_alone),
        POOL_TEST(tells_of_forgotten_rooms_once_a_minute),
    };

    return UNIT_RUN(tests);
}
