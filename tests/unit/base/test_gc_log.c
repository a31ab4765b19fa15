#include "gc_log.h"
#include "unit.h"

/* The line that a print function got. */
typedef struct heard_t {
    int count;
    gc_log_level_e level;
    apr_status_t rv;
    char line[2048];
} heard_t;

static void hear(gc_log_level_e level, apr_status_t rv, const char *line, void *baton)
{
    heard_t *heard = baton;

    heard->count++;
    heard->level = level;
    heard->rv = rv;
    apr_cpystrn(heard->line, line, sizeof(heard->line));
}

static void hands_on_level_status_and_line(void **state)
{
    heard_t heard = {0};
    gc_log_t log = {GC_LOG_DEBUG, hear, &heard};

    gc_log_line(&log, GC_LOG_WARNING, APR_EAGAIN, "GC0001: %s %d", "room", 7);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.level, GC_LOG_WARNING);
    assert_int_equal(heard.rv, APR_EAGAIN);
    assert_string_equal(heard.line, "GC0001: room 7");
}

static void drops_lines_above_its_level(void **state)
{
    heard_t heard = {0};
    gc_log_t log = {GC_LOG_NOTICE, hear, &heard};

    gc_log_line(&log, GC_LOG_INFO, APR_SUCCESS, "GC0001: no");
    gc_log_line(&log, GC_LOG_DEBUG, APR_SUCCESS, "GC0001: no");
    assert_int_equal(heard.count, 0);
    gc_log_line(&log, GC_LOG_NOTICE, APR_SUCCESS, "GC0001: yes");
    gc_log_line(&log, GC_LOG_ERR, APR_SUCCESS, "GC0001: yes");
    assert_int_equal(heard.count, 2);
}

static void lets_errors_pass_at_every_level(void **state)
{
    heard_t heard = {0};
    gc_log_t log = {GC_LOG_ERR, hear, &heard};

    gc_log_line(&log, GC_LOG_WARNING, APR_SUCCESS, "GC0001: no");
    gc_log_line(&log, GC_LOG_ERR, APR_SUCCESS, "GC0001: yes");
    assert_int_equal(heard.count, 1);
}

static void drops_lines_without_a_log(void **state)
{
    gc_log_line(NULL, GC_LOG_ERR, APR_SUCCESS, "GC0001: %s", "nobody listens");
}

static void cuts_a_line_at_1024_bytes(void **state)
{
    heard_t heard = {0};
    gc_log_t log = {GC_LOG_DEBUG, hear, &heard};
    char text[1200];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    gc_log_line(&log, GC_LOG_ERR, APR_SUCCESS, "%s", text);
    assert_int_equal(strlen(heard.line), 1023);
    assert_memory_equal(heard.line, text, 1023);
}

static void takes_percent_signs_in_arguments_as_they_are(void **state)
{
    heard_t heard = {0};
    gc_log_t log = {GC_LOG_DEBUG, hear, &heard};

    gc_log_line(&log, GC_LOG_ERR, APR_SUCCESS, "GC0001: %s", "100%n%s");
    assert_string_equal(heard.line, "GC0001: 100%n%s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_on_level_status_and_line),
        cmocka_unit_test(drops_lines_above_its_level),
        cmocka_unit_test(lets_errors_pass_at_every_level),
        cmocka_unit_test(drops_lines_without_a_log),
        cmocka_unit_test(cuts_a_line_at_1024_bytes),
        cmocka_unit_test(takes_percent_signs_in_arguments_as_they_are),
    };

    return UNIT_RUN(tests);
}
