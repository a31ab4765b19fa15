#include "chat_route.h"
#include "unit.h"

static void assert_ours(const char *path, const char *mount, chat_route_endpoint_e endpoint,
                        const char *room)
{
    chat_route_t route;

    assert_int_equal(chat_route_parse(&route, gc_slice_of(path), gc_slice_of(mount)), APR_SUCCESS);
    assert_int_equal(route.endpoint, endpoint);
    assert_slice_equal(route.path, path);
    assert_slice_equal(route.mount, mount);
    assert_slice_equal(route.room, room);
    assert_slice_equal(route.below, path + strlen(mount));
    assert_int_equal(route.has_slash, path[strlen(path) - 1] == '/');
}

static void assert_none(const char *path, const char *mount)
{
    chat_route_t route;

    assert_int_equal(chat_route_parse(&route, gc_slice_of(path), gc_slice_of(mount)), APR_ENOENT);
}

static void takes_the_addresses_of_a_room_apart(void **state)
{
    assert_ours("/rooms/a/messages/", "/", CHAT_ROUTE_MESSAGES, "a");
    assert_ours("/rooms/a/events/", "/", CHAT_ROUTE_EVENTS, "a");
    assert_ours("/chat/rooms/caf\xc3\xa9/messages", "/chat/", CHAT_ROUTE_MESSAGES, "caf\xc3\xa9");
    assert_ours("/chat/rooms/a b/events", "/chat/", CHAT_ROUTE_EVENTS, "a b");
    assert_ours("/rooms/rooms/messages/", "/", CHAT_ROUTE_MESSAGES, "rooms");
    /* Names are checked by others: an empty one is answered 400 and not 404. */
    assert_ours("/rooms//messages/", "/", CHAT_ROUTE_MESSAGES, "");
}

static void takes_the_position_of_a_page(void **state)
{
    chat_route_t route;

    assert_ours("/rooms/a/from/0/events/", "/", CHAT_ROUTE_EVENTS, "a");
    assert_int_equal(
        chat_route_parse(&route, gc_slice_of("/rooms/a/from/12/events/"), gc_slice_of("/")),
        APR_SUCCESS);
    assert_true(route.has_from);
    assert_int_equal(route.from, 12);
    assert_int_equal(chat_route_parse(&route, gc_slice_of("/rooms/from/events/"), gc_slice_of("/")),
                     APR_SUCCESS);
    assert_false(route.has_from);
}

static void leaves_all_other_addresses_to_others(void **state)
{
    assert_none("/rooms/a/messages/", "/chat/");
    assert_none("/chat/room/a/messages/", "/chat/");
    assert_none("/rooms/a/", "/");
    assert_none("/rooms/a", "/");
    assert_none("/rooms/", "/");
    assert_none("/", "/");
    assert_none("", "/");
    assert_none("/rooms/a/messages//", "/");
    assert_none("/rooms/a/messages/1/", "/");
    assert_none("/rooms/a/Messages/", "/");
    assert_none("/rooms/a/b/events/", "/");
    assert_none("/rooms/a/from/1/messages/", "/");
    assert_none("/rooms/a/from/-1/events/", "/");
    assert_none("/rooms/a/from/01/events/", "/");
    assert_none("/rooms/a/from//events/", "/");
    assert_none("/rooms/a/from/9223372036854775808/events/", "/");
}

static void guesses_the_shortest_mount(void **state)
{
    gc_slice_t mount = gc_slice_of("untouched");

    assert_int_equal(chat_route_guess(&mount, gc_slice_of("/a/rooms/x/index.html")), APR_ENOENT);
    assert_int_equal(chat_route_guess(&mount, gc_slice_of("")), APR_ENOENT);
    assert_slice_equal(mount, "untouched");
    assert_int_equal(chat_route_guess(&mount, gc_slice_of("/a/b/rooms/x/events/")), APR_SUCCESS);
    assert_slice_equal(mount, "/a/b/");
    assert_int_equal(chat_route_guess(&mount, gc_slice_of("/rooms/x/events/")), APR_SUCCESS);
    assert_slice_equal(mount, "/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(takes_the_addresses_of_a_room_apart),
        POOL_TEST(takes_the_position_of_a_page),
        POOL_TEST(leaves_all_other_addresses_to_others),
        POOL_TEST(guesses_the_shortest_mount),
    };

    return UNIT_RUN(tests);
}
