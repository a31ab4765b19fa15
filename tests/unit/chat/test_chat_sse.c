#include "chat_sse.h"
#include "unit.h"
#include "unit_events.h"

static gc_slice_t message_event(const char *room, const char *text, apr_pool_t *pool)
{
    gc_buffer_t buffer = gc_buffer_make(16, pool);
    chat_event_t message = {CHAT_KIND_MESSAGE, 5,        12, 0, gc_slice_of("al"),
                            gc_slice_of(text), {NULL, 0}};

    assert_int_equal(chat_sse_append_event(&buffer, gc_slice_of(room), &message), APR_SUCCESS);
    return gc_buffer_slice(&buffer);
}

static int count_of(gc_slice_t s, char c)
{
    int count = 0;
    apr_size_t i;

    for (i = 0; i < s.len; i++) {
        count += s.data[i] == c;
    }
    return count;
}

static void pads_with_a_comment_of_2048_spaces(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(16, *state);

    gc_buffer_append(&buffer, chat_sse_padding());
    assert_int_equal(buffer.len, 2048 + 3);
    assert_int_equal(buffer.data[0], ':');
    assert_int_equal(count_of(gc_buffer_slice(&buffer), ' '), 2048);
    assert_string_equal(buffer.data + 2049, "\n\n");
}

static void opens_with_the_position_the_body_starts_from(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(16, *state);

    chat_sse_append_open(&buffer, gc_slice_of("default"), 4);
    assert_string_equal(buffer.data, "event: stream-open\nid: room-default:4\ndata:\n\n");
}

static void opens_at_the_start_of_an_empty_room(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(16, *state);

    chat_sse_append_open(&buffer, gc_slice_of("default"), 0);
    assert_string_equal(buffer.data, "event: stream-open\nid: room-default:0\ndata:\n\n");
}

static void opens_without_an_id_before_a_reset(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(16, *state);

    chat_sse_append_open(&buffer, gc_slice_of("default"), CHAT_SSE_NO_POSITION);
    assert_string_equal(buffer.data, "event: stream-open\ndata:\n\n");
}

static void writes_a_message_as_an_event(void **state)
{
    assert_slice_equal(message_event("default", "hello", *state),
                       "event: message\nid: room-default:5\ndata: {\"id\": 12, \"from\": \"al\", "
                       "\"date\": \"1970-01-01T00:00:00.000Z\", \"text\": \"hello\"}\n\n");
}

/* A raw line end in a data line would let a sender forge events for everybody. */
static void keeps_line_ends_of_texts_out_of_the_lines(void **state)
{
    gc_slice_t event = message_event(
        "default", "a\nb\r\nc\r\n\nevent: message\nid: room-default:99\ndata: forged\n\n", *state);

    assert_int_equal(count_of(event, '\r'), 0);
    assert_int_equal(count_of(event, '\n'), 4);
    assert_int_equal(memcmp(event.data + event.len - 2, "\n\n", 2), 0);
}

static void keeps_room_names_out_of_the_lines(void **state)
{
    gc_slice_t event = message_event("a\nid: x\r:,;", "hello", *state);

    assert_int_equal(count_of(event, '\r'), 0);
    assert_int_equal(count_of(event, '\n'), 4);
    assert_true(gc_slice_starts(
        event, gc_slice_of("event: message\nid: room-a%0Aid%3A%20x%0D%3A%2C%3B:5\n")));
}

static void refuses_a_message_that_is_not_utf8(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(16, *state);
    chat_event_t message = {CHAT_KIND_MESSAGE,       5,        12, 0, gc_slice_of("al"),
                            gc_slice_of("\xc0\x80"), {NULL, 0}};

    assert_int_equal(chat_sse_append_event(&buffer, gc_slice_of("default"), &message), APR_EINVAL);
}

static void resets_to_a_position(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(16, *state);

    chat_sse_append_reset(&buffer, gc_slice_of("caf\xc3\xa9\""), 7);
    assert_string_equal(buffer.data, "event: stream-reset\nid: room-caf%C3%A9%22:7\n"
                                     "data: {\"channels\": [\"room-caf%C3%A9%22\"]}\n\n");
}

static void errs_in_the_original_s_words(void **state)
{
    assert_slice_equal(chat_sse_bad_position(),
                       "event: stream-error\nid: error\ndata: {\"condition\": \"bad-request\", "
                       "\"text\": \"Invalid request: Failed to parse Last-Event-ID or "
                       "lastEventId.\"}\n\n");
}

static void asks_to_come_back(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(16, *state);

    chat_sse_append_retry(&buffer, 1500);
    assert_string_equal(buffer.data, "retry: 1500\n\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(pads_with_a_comment_of_2048_spaces),
        POOL_TEST(opens_with_the_position_the_body_starts_from),
        POOL_TEST(opens_at_the_start_of_an_empty_room),
        POOL_TEST(opens_without_an_id_before_a_reset),
        POOL_TEST(writes_a_message_as_an_event),
        POOL_TEST(keeps_line_ends_of_texts_out_of_the_lines),
        POOL_TEST(keeps_room_names_out_of_the_lines),
        POOL_TEST(refuses_a_message_that_is_not_utf8),
        POOL_TEST(resets_to_a_position),
        POOL_TEST(errs_in_the_original_s_words),
        POOL_TEST(asks_to_come_back),
    };

    return UNIT_RUN(tests);
}
