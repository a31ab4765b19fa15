#include "grip_hold.h"
#include "unit.h"

#define KEEP_ALIVE "event: keep-alive\ndata:\n\n"

static void joins_prefix_and_channel(void **state)
{
    const char *name = NULL;

    assert_int_equal(grip_hold_channel_name(&name, gc_slice_of("site1-"),
                                            gc_slice_of("events-room-caf%C3%A9"), *state),
                     APR_SUCCESS);
    assert_string_equal(name, "site1-events-room-caf%C3%A9");
    assert_int_equal(grip_hold_channel_name(&name, gc_slice("", 0), gc_slice_of("x"), *state),
                     APR_SUCCESS);
    assert_string_equal(name, "x");
}

static void refuses_channels_that_would_break_a_header(void **state)
{
    static const char *const refused[] = {"a,b",         "a;b", "a\"b", "a b", "a\r\nX: y",
                                          "a\n",         "a\t", "a<b",  "a>b", "a\\b",
                                          "caf\xc3\xa9", "a=b", "\x7f", ""};
    const char *name = "untouched";
    const char *value = "untouched";
    char *endless = apr_pcalloc(*state, GRIP_HOLD_CHANNEL_MAX_BYTES + 2);
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        gc_slice_t channel = gc_slice_of(refused[i]);

        assert_int_equal(grip_hold_channel_name(&name, gc_slice("", 0), channel, *state),
                         APR_EINVAL);
        assert_int_equal(grip_hold_channel_format(&value, channel, 1, *state), APR_EINVAL);
    }
    assert_int_equal(grip_hold_channel_format(&value, gc_slice("a\0b", 3), 1, *state), APR_EINVAL);
    memset(endless, 'a', GRIP_HOLD_CHANNEL_MAX_BYTES + 1);
    assert_int_equal(grip_hold_channel_format(&value, gc_slice_of(endless), 1, *state), APR_EINVAL);
    assert_int_equal(
        grip_hold_channel_name(&name, gc_slice_of("a"), gc_slice_of(endless + 1), *state),
        APR_EINVAL);
    assert_string_equal(name, "untouched");
    assert_string_equal(value, "untouched");
    assert_int_equal(grip_hold_channel_format(&value, gc_slice_of(endless + 1), 1, *state),
                     APR_SUCCESS);
}

static void formats_a_channel_with_its_position(void **state)
{
    const char *value = NULL;

    assert_int_equal(
        grip_hold_channel_format(&value, gc_slice_of("events-room-default"), 5, *state),
        APR_SUCCESS);
    assert_string_equal(value, "events-room-default; prev-id=5");
    assert_int_equal(grip_hold_channel_format(&value, gc_slice_of("x"), 0, *state), APR_SUCCESS);
    assert_string_equal(value, "x; prev-id=0");
    assert_int_equal(grip_hold_channel_format(&value, gc_slice_of("x"), APR_INT64_MAX, *state),
                     APR_SUCCESS);
    assert_string_equal(value, "x; prev-id=9223372036854775807");
    assert_int_equal(grip_hold_channel_format(&value, gc_slice_of("x"), -1, *state), APR_EINVAL);
}

static void formats_a_link_with_and_without_a_timeout(void **state)
{
    const char *value = NULL;

    assert_int_equal(
        grip_hold_link_format(&value, gc_slice_of("/rooms/a%20b/events/?link=next&recover=true"),
                              apr_time_from_sec(120), *state),
        APR_SUCCESS);
    assert_string_equal(value,
                        "</rooms/a%20b/events/?link=next&recover=true>; rel=next; timeout=120");
    assert_int_equal(grip_hold_link_format(&value, gc_slice_of("https://h/x"), 0, *state),
                     APR_SUCCESS);
    assert_string_equal(value, "<https://h/x>; rel=next");
}

static void refuses_links_that_would_break_the_header(void **state)
{
    static const char *const refused[] = {"",      "rooms/x",      "/a b",  "/a>; rel=next",
                                          "/a,b",  "/a;b",         "/a\"b", "/\xc3\xa9",
                                          "/a\nb", "javascript:x", "/a\\b"};
    const char *value = "untouched";
    char *endless = apr_pcalloc(*state, GRIP_HOLD_URI_MAX_BYTES + 2);
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (grip_hold_link_format(&value, gc_slice_of(refused[i]), apr_time_from_sec(1), *state) !=
            APR_EINVAL)
        {
            fail_msg("took '%s'", refused[i]);
        }
    }
    memset(endless, '/', GRIP_HOLD_URI_MAX_BYTES + 1);
    assert_int_equal(grip_hold_link_format(&value, gc_slice_of(endless), 0, *state), APR_EINVAL);
    assert_string_equal(value, "untouched");
}

static void formats_a_keep_alive_as_a_c_string(void **state)
{
    const char *value = NULL;

    assert_int_equal(
        grip_hold_keep_alive_format(&value, gc_slice_of(KEEP_ALIVE), apr_time_from_sec(20), *state),
        APR_SUCCESS);
    assert_string_equal(value, "event: keep-alive\\ndata:\\n\\n; format=cstring; timeout=20");
    assert_int_equal(
        grip_hold_keep_alive_format(&value, gc_slice_of(":\\n\r\n"), apr_time_from_sec(20), *state),
        APR_SUCCESS);
    assert_string_equal(value, ":\\\\n\\r\\n; format=cstring; timeout=20");
}

static void refuses_keep_alives_that_would_break_the_header(void **state)
{
    static const char *const refused[] = {"", " a", "a ", "a;b", "a,b", "a\"b", "a\tb", "\xc3\xa9"};
    const char *value = "untouched";
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (grip_hold_keep_alive_format(&value, gc_slice_of(refused[i]), apr_time_from_sec(1),
                                        *state) != APR_EINVAL)
        {
            fail_msg("took '%s'", refused[i]);
        }
    }
    assert_string_equal(value, "untouched");
}

/* A fraction of a second must never become a shorter timeout. */
static void rounds_timeouts_up_and_keeps_their_bounds(void **state)
{
    const gc_slice_t uri = gc_slice_of("/");
    const gc_slice_t content = gc_slice_of(":");
    const char *value = NULL;

    assert_int_equal(grip_hold_link_format(&value, uri, apr_time_from_sec(20) + 1, *state),
                     APR_SUCCESS);
    assert_string_equal(value, "</>; rel=next; timeout=21");
    assert_int_equal(grip_hold_keep_alive_format(&value, content, GRIP_HOLD_TIMEOUT_MAX, *state),
                     APR_SUCCESS);
    assert_string_equal(value, ":; format=cstring; timeout=3600");
    assert_int_equal(grip_hold_link_format(&value, uri, GRIP_HOLD_TIMEOUT_MIN, *state),
                     APR_SUCCESS);
    assert_int_equal(grip_hold_link_format(&value, uri, GRIP_HOLD_TIMEOUT_MIN - 1, *state),
                     APR_EINVAL);
    assert_int_equal(grip_hold_link_format(&value, uri, GRIP_HOLD_TIMEOUT_MAX + 1, *state),
                     APR_EINVAL);
    assert_int_equal(grip_hold_link_format(&value, uri, -1, *state), APR_EINVAL);
    assert_int_equal(grip_hold_keep_alive_format(&value, content, 0, *state), APR_EINVAL);
    assert_int_equal(
        grip_hold_keep_alive_format(&value, content, GRIP_HOLD_TIMEOUT_MAX + 1, *state),
        APR_EINVAL);
}

static apr_status_t find(gc_slice_t *id, const char *header)
{
    return grip_hold_last_find(id, gc_slice_of(header), gc_slice_of("room-x"));
}

static void finds_the_channel_among_others(void **state)
{
    static const char *const headers[] = {
        "room-x; last-id=5",          "a; last-id=1, room-x; last-id=5, b; last-id=2",
        "room-x;last-id=5",           " room-x ;\tlast-id = 5 ",
        "room-x; Last-ID=5",          "room-xx; last-id=4,room-x; last-id=5",
        "room-x; a=b; last-id=5; c=d"};
    apr_size_t i;

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        gc_slice_t id = gc_slice("", 0);

        if (find(&id, headers[i]) != APR_SUCCESS) {
            fail_msg("'%s' was not found", headers[i]);
        }
        assert_slice_equal(id, "5");
    }
}

static void says_so_where_the_channel_is_not_named(void **state)
{
    gc_slice_t id = gc_slice("untouched", 9);

    assert_int_equal(find(&id, NULL), APR_ENOENT);
    assert_int_equal(find(&id, "  "), APR_ENOENT);
    assert_int_equal(find(&id, "room-y; last-id=5"), APR_ENOENT);
    assert_int_equal(find(&id, "Room-x; last-id=5"), APR_ENOENT);
    assert_slice_equal(id, "untouched");
}

static void refuses_a_malformed_last(void **state)
{
    static const char *const refused[] = {"room-x",
                                          "room-x;",
                                          "room-x; last-id",
                                          "room-x; last-id=",
                                          "; last-id=5",
                                          "room-x; last-id=5,",
                                          ",",
                                          "room-x; last-id=\"5\"",
                                          "room-x; last-id=5; last-id=6",
                                          "room-x; last-id=5, room-x; last-id=5",
                                          "room-x; last-id=5, y",
                                          "room-x last-id=5",
                                          "room-x; last-id=5 6",
                                          "room-x; last-id=5;",
                                          "room-x; =5",
                                          "room-x; last-id==5",
                                          "room-x; last-id=\xc3\xa9"};
    gc_slice_t id = gc_slice("untouched", 9);
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (find(&id, refused[i]) != APR_EINVAL) {
            fail_msg("took '%s'", refused[i]);
        }
    }
    assert_slice_equal(id, "untouched");
}

static void bounds_a_last(void **state)
{
    const char *header = "room-x; last-id=5";
    gc_slice_t id;
    char *blank = apr_pcalloc(*state, GRIP_HOLD_LAST_MAX_BYTES + 2);
    int i;

    for (i = 1; i < GRIP_HOLD_LAST_MAX_CHANNELS; i++) {
        header = apr_psprintf(*state, "%s,c%d;last-id=1", header, i);
    }
    assert_int_equal(find(&id, header), APR_SUCCESS);
    assert_int_equal(find(&id, apr_pstrcat(*state, header, ",d;last-id=1", NULL)), APR_EINVAL);
    assert_int_equal(find(&id, apr_psprintf(*state, "room-x; last-id=%064d", 5)), APR_SUCCESS);
    assert_int_equal(find(&id, apr_psprintf(*state, "room-x; last-id=%065d", 5)), APR_EINVAL);
    memset(blank, ' ', GRIP_HOLD_LAST_MAX_BYTES + 1);
    memcpy(blank, "room-x; last-id=5", 17);
    assert_int_equal(find(&id, blank), APR_EINVAL);
    blank[GRIP_HOLD_LAST_MAX_BYTES] = '\0';
    assert_int_equal(find(&id, blank), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(joins_prefix_and_channel),
        POOL_TEST(refuses_channels_that_would_break_a_header),
        POOL_TEST(formats_a_channel_with_its_position),
        POOL_TEST(formats_a_link_with_and_without_a_timeout),
        POOL_TEST(refuses_links_that_would_break_the_header),
        POOL_TEST(formats_a_keep_alive_as_a_c_string),
        POOL_TEST(refuses_keep_alives_that_would_break_the_header),
        POOL_TEST(rounds_timeouts_up_and_keeps_their_bounds),
        POOL_TEST(finds_the_channel_among_others),
        POOL_TEST(says_so_where_the_channel_is_not_named),
        POOL_TEST(refuses_a_malformed_last),
        POOL_TEST(bounds_a_last),
    };

    return UNIT_RUN(tests);
}
