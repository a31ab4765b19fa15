#include "chat_codec.h"
#include "unit.h"
#include "unit_events.h"

/* One message as JSON. */
static gc_slice_t render(const chat_event_t *message, apr_pool_t *pool)
{
    gc_buffer_t buffer = gc_buffer_make(64, pool);

    assert_int_equal(chat_codec_append_message(&buffer, message), APR_SUCCESS);
    return gc_buffer_slice(&buffer);
}

static gc_slice_t render_text(const char *text, apr_pool_t *pool)
{
    chat_event_t message = {CHAT_KIND_MESSAGE, 1,        1, 0, gc_slice_of("al"),
                            gc_slice_of(text), {NULL, 0}};

    return render(&message, pool);
}

/* The date of a message that was stored at this time. */
static const char *date_of(apr_int64_t created_ms, apr_pool_t *pool)
{
    chat_event_t message = {CHAT_KIND_MESSAGE, 1,        1, created_ms, gc_slice_of("al"),
                            gc_slice_of("x"),  {NULL, 0}};
    const char *json = gc_slice_dup(render(&message, pool), pool);
    const char *at = strstr(json, "\"date\": \"");

    assert_non_null(at);
    return apr_pstrmemdup(pool, at + 9, strcspn(at + 9, "\""));
}

static void writes_a_message_byte_by_byte_as_the_original_does(void **state)
{
    chat_event_t message = {
        CHAT_KIND_MESSAGE,    7,        1, APR_INT64_C(1795492997336), gc_slice_of("al"),
        gc_slice_of("hello"), {NULL, 0}};

    assert_slice_equal(render(&message, *state),
                       "{\"id\": 1, \"from\": \"al\", \"date\": \"2026-11-24T04:03:17.336Z\", "
                       "\"text\": \"hello\"}");
}

static void writes_large_ids_whole(void **state)
{
    chat_event_t message = {CHAT_KIND_MESSAGE, 1,        APR_INT64_MAX, 0, gc_slice_of("a"),
                            gc_slice_of("b"),  {NULL, 0}};

    assert_slice_equal(render(&message, *state),
                       "{\"id\": 9223372036854775807, \"from\": \"a\", \"date\": "
                       "\"1970-01-01T00:00:00.000Z\", \"text\": \"b\"}");
}

static void writes_three_digits_of_milliseconds(void **state)
{
    assert_string_equal(date_of(1, *state), "1970-01-01T00:00:00.001Z");
    assert_string_equal(date_of(20, *state), "1970-01-01T00:00:00.020Z");
    assert_string_equal(date_of(999, *state), "1970-01-01T00:00:00.999Z");
    assert_string_equal(date_of(1000, *state), "1970-01-01T00:00:01.000Z");
}

static void writes_dates_at_the_edges_of_days_and_years(void **state)
{
    assert_string_equal(date_of(APR_INT64_C(1709164800000), *state), "2024-02-29T00:00:00.000Z");
    assert_string_equal(date_of(APR_INT64_C(951782399999), *state), "2000-02-28T23:59:59.999Z");
    assert_string_equal(date_of(APR_INT64_C(1798761599999), *state), "2026-12-31T23:59:59.999Z");
    assert_string_equal(date_of(APR_INT64_C(1798761600000), *state), "2027-01-01T00:00:00.000Z");
    assert_string_equal(date_of(APR_INT64_C(2147483648000), *state), "2038-01-19T03:14:08.000Z");
    assert_string_equal(date_of(APR_INT64_C(253402300799999), *state), "9999-12-31T23:59:59.999Z");
}

/* A clock that stands before 1970 must not write a date that cannot be parsed. */
static void writes_dates_before_1970(void **state)
{
    assert_string_equal(date_of(-1, *state), "1969-12-31T23:59:59.999Z");
    assert_string_equal(date_of(-1000, *state), "1969-12-31T23:59:59.000Z");
}

static void escapes_what_json_demands_and_nothing_else(void **state)
{
    assert_slice_equal(
        render_text("a\"b\\c\n\r\t\x01\x1f/\x7f\xc3\xa9\xe2\x80\xa8", *state),
        "{\"id\": 1, \"from\": \"al\", \"date\": \"1970-01-01T00:00:00.000Z\", "
        "\"text\": \"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001F/\x7f\xc3\xa9\xe2\x80\xa8\"}");
}

static void escapes_names_as_well(void **state)
{
    chat_event_t message = {CHAT_KIND_MESSAGE, 1,        1, 0, gc_slice_of("\"\\"),
                            gc_slice_of("x"),  {NULL, 0}};

    assert_slice_equal(render(&message, *state), "{\"id\": 1, \"from\": \"\\\"\\\\\", \"date\": "
                                                 "\"1970-01-01T00:00:00.000Z\", \"text\": \"x\"}");
}

static void refuses_what_is_not_utf8(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(64, *state);
    chat_event_t message = {CHAT_KIND_MESSAGE,   1,        1, 0, gc_slice_of("al"),
                            gc_slice_of("\xff"), {NULL, 0}};
    chat_page_t page = {1, 1, 1, &message};

    assert_int_equal(chat_codec_append_message(&buffer, &message), APR_EINVAL);
    assert_int_equal(chat_codec_append_list(&buffer, gc_slice_of("r"), &page), APR_EINVAL);
    message.payload = gc_slice_of("x");
    message.author = gc_slice_of("\xed\xa0\x80");
    assert_int_equal(chat_codec_append_message(&buffer, &message), APR_EINVAL);
}

static void writes_an_empty_list(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);
    chat_page_t page = {0, 1, 0, NULL};

    assert_int_equal(chat_codec_append_list(&buffer, gc_slice_of("default"), &page), APR_SUCCESS);
    assert_slice_equal(gc_buffer_slice(&buffer),
                       "{\"messages\": [], \"last-event-id\": \"room-default:0\"}\n");
}

static void writes_a_list_in_the_order_of_the_page(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);
    chat_event_t messages[] = {
        {CHAT_KIND_MESSAGE, 2, 9, 1000, gc_slice_of("b"), gc_slice_of("2"), {NULL, 0}},
        {CHAT_KIND_MESSAGE, 1, 8, 0, gc_slice_of("a"), gc_slice_of("1"), {NULL, 0}}};
    chat_page_t page = {2, 1, 2, messages};

    assert_int_equal(chat_codec_append_list(&buffer, gc_slice_of("caf\xc3\xa9 :"), &page),
                     APR_SUCCESS);
    assert_slice_equal(
        gc_buffer_slice(&buffer),
        "{\"messages\": ["
        "{\"id\": 9, \"from\": \"b\", \"date\": \"1970-01-01T00:00:01.000Z\", \"text\": \"2\"}, "
        "{\"id\": 8, \"from\": \"a\", \"date\": \"1970-01-01T00:00:00.000Z\", \"text\": \"1\"}"
        "], \"last-event-id\": \"room-caf%C3%A9%20%3A:2\"}\n");
}

static void writes_the_key_of_a_message_that_has_one(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);
    chat_event_t message = {CHAT_KIND_MESSAGE,  1, 1, 0, gc_slice_of("al"), gc_slice_of("x"),
                            gc_slice_of("a\"b")};

    assert_int_equal(chat_codec_append_message(&buffer, &message), APR_SUCCESS);
    assert_slice_equal(gc_buffer_slice(&buffer),
                       "{\"id\": 1, \"from\": \"al\", \"date\": \"1970-01-01T00:00:00.000Z\", "
                       "\"text\": \"x\", \"key\": \"a\\\"b\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(writes_a_message_byte_by_byte_as_the_original_does),
        POOL_TEST(writes_large_ids_whole),
        POOL_TEST(writes_the_key_of_a_message_that_has_one),
        POOL_TEST(writes_three_digits_of_milliseconds),
        POOL_TEST(writes_dates_at_the_edges_of_days_and_years),
        POOL_TEST(writes_dates_before_1970),
        POOL_TEST(escapes_what_json_demands_and_nothing_else),
        POOL_TEST(escapes_names_as_well),
        POOL_TEST(refuses_what_is_not_utf8),
        POOL_TEST(writes_an_empty_list),
        POOL_TEST(writes_a_list_in_the_order_of_the_page),
    };

    return UNIT_RUN(tests);
}
