#include "chat_next_link.h"
#include "unit.h"

static void assert_made(chat_next_link_t link, const char *expected, apr_pool_t *pool)
{
    assert_string_equal(chat_next_link_make(&link, gc_slice_of("t0k-_"), pool), expected);
}

static void makes_the_address_of_a_room(void **state)
{
    assert_made((chat_next_link_t){gc_slice_of("/"), gc_slice_of("a"), 0, 7},
                "/rooms/a/events/?link=next&recover=true&token=t0k-_", *state);
    assert_made((chat_next_link_t){gc_slice_of("/chat/"), gc_slice_of("a b/caf\xc3\xa9"), 0, 0},
                "/chat/rooms/a%20b%2Fcaf%C3%A9/events/?link=next&recover=true&token=t0k-_", *state);
}

static void puts_the_position_of_a_page_into_the_path(void **state)
{
    assert_made((chat_next_link_t){gc_slice_of("/"), gc_slice_of("a"), 1, 12},
                "/rooms/a/from/12/events/?link=next&recover=true&token=t0k-_", *state);
    assert_made((chat_next_link_t){gc_slice_of("/"), gc_slice_of("a"), 1, 0},
                "/rooms/a/from/0/events/?link=next&recover=true&token=t0k-_", *state);
}

static void knows_the_query_of_a_link(void **state)
{
    assert_true(chat_next_link_is("link=next&recover=true&token=x"));
    assert_true(chat_next_link_is("a=b&link=next"));
    assert_false(chat_next_link_is(""));
    assert_false(chat_next_link_is("link=prev"));
    assert_false(chat_next_link_is("link=next2"));
    assert_false(chat_next_link_is("token=x"));
    /* The last one counts. */
    assert_false(chat_next_link_is("link=next&link=prev"));
}

static void finds_the_token(void **state)
{
    gc_slice_t token = gc_slice_of("untouched");

    assert_int_equal(chat_next_link_token(&token, "link=next&token="), APR_ENOENT);
    assert_int_equal(chat_next_link_token(&token, "link=next"), APR_ENOENT);
    assert_slice_equal(token, "untouched");
    assert_int_equal(chat_next_link_token(&token, "token=a%41&link=next"), APR_SUCCESS);
    assert_slice_equal(token, "a%41");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(makes_the_address_of_a_room),
        POOL_TEST(puts_the_position_of_a_page_into_the_path),
        POOL_TEST(knows_the_query_of_a_link),
        POOL_TEST(finds_the_token),
    };

    return UNIT_RUN(tests);
}
