#include "ipc_notice.h"
#include "unit.h"
#include "unit_events.h"

static gc_buffer_t make_notice(apr_pool_t *pool)
{
    static const ipc_site_t site = {.identity = "sqlite3 /x"};
    chat_append_t append = unit_append("", "caf\xc3\xa9", "al", "hi", "j");
    ipc_moved_t moved = {5, {3, 4}, &site, &append};
    gc_buffer_t bytes = gc_buffer_make(16, pool);

    append.event.id = 8;
    append.event.position = 7;
    append.event.created_ms = 1000;
    assert_int_equal(ipc_notice_append(&bytes, &moved), APR_SUCCESS);
    return bytes;
}

static void says_what_it_was_made_of(void **state)
{
    gc_buffer_t bytes = make_notice(*state);
    ipc_notice_t notice;

    assert_int_equal(ipc_notice_read(&notice, gc_buffer_slice(&bytes)), APR_SUCCESS);
    assert_int_equal(notice.version.epoch, 3);
    assert_int_equal(notice.version.generation, 4);
    assert_int_equal(notice.position, 7);
    assert_string_equal(notice.site, "sqlite3 /x");
    assert_string_equal(notice.room, "caf\xc3\xa9");
    assert_memory_equal(notice.text.data, "event: message\n", 15);
    assert_memory_equal(notice.text.data + notice.text.len - 2, "\n\n", 2);
}

static void refuses_what_is_cut_off_before_the_text(void **state)
{
    gc_buffer_t bytes = make_notice(*state);
    ipc_notice_t notice;
    apr_size_t len;
    apr_size_t text;

    assert_int_equal(ipc_notice_read(&notice, gc_buffer_slice(&bytes)), APR_SUCCESS);
    text = (apr_size_t)(notice.text.data - bytes.data);
    for (len = 0; len <= text; len++) {
        char *exact = apr_pmemdup(*state, bytes.data, len);

        assert_int_equal(ipc_notice_read(&notice, gc_slice(exact, len)), APR_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(says_what_it_was_made_of),
        POOL_TEST(refuses_what_is_cut_off_before_the_text),
    };

    return UNIT_RUN(tests);
}
