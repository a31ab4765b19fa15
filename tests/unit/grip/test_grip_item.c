#include "grip_item.h"
#include "unit.h"

#include "gc_json.h"

#define CHANNEL gc_slice_of("events-room-x")

static void writes_events_with_ids_as_strings(void **state)
{
    gc_buffer_t item = gc_buffer_make(16, *state);
    const gc_slice_t contents[] = {gc_slice_of("event: message\nid: room-x:5\n\n"),
                                   gc_slice_of("data: \"caf\xc3\xa9\"\n\n")};

    assert_int_equal(grip_item_append_events(&item, CHANNEL, 6, 4, contents, 2, *state),
                     APR_SUCCESS);
    assert_slice_equal(gc_buffer_slice(&item),
                       "{\"channel\":\"events-room-x\",\"id\":\"6\",\"prev-id\":\"4\",\"formats\":"
                       "{\"http-stream\":{\"content\":\"event: message\\nid: room-x:5\\n\\n"
                       "data: \\\"caf\xc3\xa9\\\"\\n\\n\"}}}");
}

static void writes_the_first_event_after_nothing(void **state)
{
    gc_buffer_t item = gc_buffer_make(16, *state);
    const gc_slice_t content = gc_slice_of("x");

    assert_int_equal(grip_item_append_events(&item, CHANNEL, 1, 0, &content, 1, *state),
                     APR_SUCCESS);
    assert_non_null(strstr(item.data, "\"id\":\"1\",\"prev-id\":\"0\""));
}

static void writes_a_hint_as_an_action(void **state)
{
    gc_buffer_t item = gc_buffer_make(16, *state);

    assert_int_equal(grip_item_append_hint(&item, CHANNEL), APR_SUCCESS);
    assert_slice_equal(gc_buffer_slice(&item),
                       "{\"channel\":\"events-room-x\",\"formats\":{\"http-stream\":{\"action\":"
                       "\"hint\"}}}");
}

static void leaves_the_buffer_alone_on_failure(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(16, *state);
    const gc_slice_t bad = gc_slice_of("\xff");
    const gc_slice_t good = gc_slice_of("x");

    gc_buffer_append_text(&buffer, "before");
    assert_int_equal(grip_item_append_events(&buffer, bad, 2, 1, &good, 1, *state), APR_EINVAL);
    assert_int_equal(grip_item_append_events(&buffer, CHANNEL, 2, 1, &bad, 1, *state), APR_EINVAL);
    assert_int_equal(grip_item_append_events(&buffer, CHANNEL, 2, 2, &good, 1, *state), APR_EINVAL);
    assert_int_equal(grip_item_append_events(&buffer, CHANNEL, 0, -1, &good, 1, *state),
                     APR_EINVAL);
    assert_int_equal(grip_item_append_events(&buffer, CHANNEL, 2, 1, &good, 0, *state), APR_EINVAL);
    assert_int_equal(grip_item_append_hint(&buffer, bad), APR_EINVAL);
    assert_slice_equal(gc_buffer_slice(&buffer), "before");
    assert_int_equal(strlen(buffer.data), 6);
}

static void tells_the_size_of_a_body_before_an_item_is_added(void **state)
{
    const gc_slice_t item = gc_slice_of("{\"channel\":\"x\"}");
    gc_buffer_t body = gc_buffer_make(16, *state);
    const gc_json_t *parsed;
    apr_size_t expected;
    int i;

    grip_item_body_begin(&body);
    assert_int_equal(grip_item_body_size_with(&body, gc_slice("", 0)), strlen("{\"items\":[]}"));
    for (i = 0; i < 3; i++) {
        expected = grip_item_body_size_with(&body, item);
        grip_item_body_add(&body, item);
        assert_int_equal(grip_item_body_size_with(&body, gc_slice("", 0)), expected);
    }
    grip_item_body_end(&body);
    assert_int_equal(body.len, expected);
    assert_slice_equal(gc_buffer_slice(&body),
                       "{\"items\":[{\"channel\":\"x\"},{\"channel\":\"x\"},{\"channel\":\"x\"}]}");
    assert_int_equal(gc_json_parse_object(&parsed, gc_buffer_slice(&body), *state), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(writes_events_with_ids_as_strings),
        POOL_TEST(writes_the_first_event_after_nothing),
        POOL_TEST(writes_a_hint_as_an_action),
        POOL_TEST(leaves_the_buffer_alone_on_failure),
        POOL_TEST(tells_the_size_of_a_body_before_an_item_is_added),
    };

    return UNIT_RUN(tests);
}
