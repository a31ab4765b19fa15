#include "chat_event_id.h"
#include "unit.h"

static const char *id_of(const char *room, apr_int64_t n, apr_pool_t *pool)
{
    gc_buffer_t buffer = gc_buffer_make(8, pool);

    chat_event_id_append(&buffer, gc_slice_of(room), n);
    return buffer.data;
}

static apr_int64_t parse(const char *id, const char *room, apr_pool_t *pool)
{
    apr_int64_t n = -1;

    if (chat_event_id_parse(&n, gc_slice_of(id), gc_slice_of(room), pool) != APR_SUCCESS) {
        fail_msg("refused: '%s'", id);
    }
    return n;
}

static void assert_bytes_refused(gc_slice_t id, const char *room, apr_pool_t *pool)
{
    apr_int64_t n = -7;

    if (chat_event_id_parse(&n, id, gc_slice_of(room), pool) != APR_EINVAL) {
        fail_msg("taken: '%.*s'", (int)id.len, id.data);
    }
    assert_int_equal(n, -7);
}

static void assert_refused(const char *id, const char *room, apr_pool_t *pool)
{
    assert_bytes_refused(gc_slice_of(id), room, pool);
}

static void writes_ids_as_clients_know_them(void **state)
{
    assert_string_equal(id_of("default", 0, *state), "room-default:0");
    assert_string_equal(id_of("default", 5, *state), "room-default:5");
    assert_string_equal(id_of("a", APR_INT64_MAX, *state), "room-a:9223372036854775807");
}

/* An id goes into headers and id: lines: visible ASCII, and no second colon. */
static void percent_encodes_the_room(void **state)
{
    assert_string_equal(id_of("caf\xc3\xa9", 1, *state), "room-caf%C3%A9:1");
    assert_string_equal(id_of("a:b c,;\"<>%", 1, *state), "room-a%3Ab%20c%2C%3B%22%3C%3E%25:1");
    assert_string_equal(id_of("a-b._~", 1, *state), "room-a-b._~:1");
}

static void names_the_channel_without_position(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(8, *state);

    chat_event_id_append_channel(&buffer, gc_slice_of("\xe2\x98\x83"));
    assert_string_equal(buffer.data, "room-%E2%98%83");
}

static void reads_what_it_writes(void **state)
{
    static const char *const rooms[] = {"default", "a:b", "100%", "caf\xc3\xa9", "-", "+", "a b"};
    static const apr_int64_t positions[] = {0, 1, 10, APR_INT64_C(4294967296), APR_INT64_MAX};
    apr_size_t r;
    apr_size_t p;

    for (r = 0; r < sizeof(rooms) / sizeof(rooms[0]); r++) {
        for (p = 0; p < sizeof(positions) / sizeof(positions[0]); p++) {
            assert_true(parse(id_of(rooms[r], positions[p], *state), rooms[r], *state) ==
                        positions[p]);
        }
    }
}

static void reads_the_longest_id_there_is(void **state)
{
    char room[CHAT_ROOM_MAX_CHARS * 4 + 1];
    apr_size_t i;

    for (i = 0; i < CHAT_ROOM_MAX_CHARS; i++) {
        memcpy(room + i * 4, "\xf0\x9f\x98\x80", 4);
    }
    room[sizeof(room) - 1] = '\0';
    assert_true(parse(id_of(room, APR_INT64_MAX, *state), room, *state) == APR_INT64_MAX);
}

/* The original writes the room as it is, and a library may encode more than it has to. */
static void reads_rooms_encoded_more_or_less(void **state)
{
    assert_int_equal(parse("room-caf\xc3\xa9:3", "caf\xc3\xa9", *state), 3);
    assert_int_equal(parse("room-%63af%c3%a9:3", "caf\xc3\xa9", *state), 3);
}

static void refuses_ids_of_another_room(void **state)
{
    assert_refused("room-other:5", "default", *state);
    assert_refused("room-default2:5", "default", *state);
    assert_refused("room-defaul:5", "default", *state);
    assert_refused("room-Default:5", "default", *state);
    assert_refused("room-:5", "default", *state);
}

static void refuses_positions_that_are_not_numbers(void **state)
{
    assert_refused("room-a:", "a", *state);
    assert_refused("room-a:abc", "a", *state);
    assert_refused("room-a:-", "a", *state);
    assert_refused("room-a:--1", "a", *state);
    assert_refused("room-a:-1x", "a", *state);
    assert_refused("room-a:+1", "a", *state);
    assert_refused("room-a: 1", "a", *state);
    assert_refused("room-a:1 ", "a", *state);
    assert_refused("room-a:1:2", "a", *state);
    assert_refused("room-a:01", "a", *state);
    assert_refused("room-a:1.0", "a", *state);
    assert_refused("room-a:0x1", "a", *state);
    assert_refused("room-a:9223372036854775808", "a", *state);
    assert_refused("room-a:99999999999999999999", "a", *state);
    assert_bytes_refused(gc_slice("room-a:1\0", 9), "a", *state);
}

static void takes_a_negative_number_for_a_position_that_is_gone(void **state)
{
    assert_int_equal(parse("room-a:-1", "a", *state), CHAT_EVENT_ID_GONE);
    assert_int_equal(parse("room-a:-9223372036854775807", "a", *state), CHAT_EVENT_ID_GONE);
}

/* A stream of several rooms names one position for each. */
static void finds_the_room_among_several(void **state)
{
    assert_int_equal(parse("room-a:1,room-b:2", "a", *state), 1);
    assert_int_equal(parse("room-a:1,room-b:2", "b", *state), 2);
    assert_int_equal(parse("room-c%2C:3,room-a:1", "c,", *state), 3);
    assert_int_equal(parse("x:y,room-b:zz,room-a:1", "a", *state), 1);
    assert_int_equal(parse("room-a:1,room-a:2", "a", *state), 2);
}

static void refuses_several_where_one_is_not_an_id(void **state)
{
    assert_refused("room-a:1,room-b", "a", *state);
    assert_refused("room-b,room-a:1", "a", *state);
    assert_refused("room-a:1,,room-b:2", "a", *state);
    assert_refused(",room-a:1", "a", *state);
    assert_refused("room-a:x,room-b:2", "a", *state);
    assert_refused("room-a:1,room-b:2:3", "a", *state);
    assert_refused("room-a:1,room-b:2", "c", *state);
}

static void refuses_what_is_no_id_at_all(void **state)
{
    assert_refused("", "a", *state);
    assert_refused("error", "a", *state);
    assert_refused("room-", "a", *state);
    assert_refused("room-a", "a", *state);
    assert_refused("a:5", "a", *state);
    assert_refused("Room-a:5", "a", *state);
    assert_refused(" room-a:5", "a", *state);
    assert_refused("room-a%3A5", "a", *state);
    assert_bytes_refused(gc_slice(NULL, 0), "a", *state);
}

static void refuses_broken_percent_signs(void **state)
{
    assert_refused("room-a%:5", "a%", *state);
    assert_refused("room-a%2:5", "a%2", *state);
    assert_refused("room-a%zz:5", "a%zz", *state);
    assert_refused("room-a%00:5", "a", *state);
}

/* A client that sends megabytes as Last-Event-ID does not get them decoded. */
static void refuses_ids_beyond_any_room(void **state)
{
    char room[1024];

    memset(room, 'a', sizeof(room) - 1);
    room[sizeof(room) - 1] = '\0';
    assert_refused(id_of(room, 1, *state), room, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(writes_ids_as_clients_know_them),
        POOL_TEST(percent_encodes_the_room),
        POOL_TEST(names_the_channel_without_position),
        POOL_TEST(reads_what_it_writes),
        POOL_TEST(reads_the_longest_id_there_is),
        POOL_TEST(reads_rooms_encoded_more_or_less),
        POOL_TEST(refuses_ids_of_another_room),
        POOL_TEST(refuses_positions_that_are_not_numbers),
        POOL_TEST(takes_a_negative_number_for_a_position_that_is_gone),
        POOL_TEST(finds_the_room_among_several),
        POOL_TEST(refuses_several_where_one_is_not_an_id),
        POOL_TEST(refuses_what_is_no_id_at_all),
        POOL_TEST(refuses_broken_percent_signs),
        POOL_TEST(refuses_ids_beyond_any_room),
    };

    return UNIT_RUN(tests);
}
