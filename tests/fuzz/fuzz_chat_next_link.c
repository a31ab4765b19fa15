/* chat_next_link: a client may write any query, and a room's name may be any bytes. An input is the
 * query, a newline, the room. */
#include "chat_next_link.h"

#include "chat_route.h"
#include "fuzz_base.h"
#include "gc_percent.h"

#define TOKEN "abcdefghijklmnopqrstuv"

/* A link leads to its room again, with its token. */
static void check_link(gc_slice_t room, int is_page, apr_pool_t *pool)
{
    chat_next_link_t link = {gc_slice_of("/chat/"), room, is_page, (apr_int64_t)room.len};
    const char *uri = chat_next_link_make(&link, gc_slice_of(TOKEN), pool);
    gc_slice_t query = gc_slice_of(uri);
    gc_slice_t decoded;
    gc_slice_t token;
    gc_slice_t path;
    chat_route_t route;

    FUZZ_CHECK(gc_slice_until(&query, '?', &path) == APR_SUCCESS);
    FUZZ_CHECK(chat_next_link_is(query.data));
    FUZZ_CHECK(chat_next_link_token(&token, query.data) == APR_SUCCESS);
    FUZZ_CHECK(gc_slice_equal(token, gc_slice_of(TOKEN)));
    FUZZ_CHECK(chat_route_parse(&route, path, link.mount) == APR_SUCCESS);
    FUZZ_CHECK(route.endpoint == CHAT_ROUTE_EVENTS && route.has_slash);
    FUZZ_CHECK(route.has_from == is_page && (!is_page || route.from == link.from));
    FUZZ_CHECK(gc_percent_decode(&decoded, route.room, pool) == APR_SUCCESS);
    FUZZ_CHECK(gc_slice_equal(decoded, room));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    gc_slice_t room = fuzz_slice(data, size);
    gc_slice_t query = gc_slice_piece(&room, '\n');
    const char *text = gc_slice_dup(query, pool);
    gc_slice_t token = {NULL, 0};

    (void)chat_next_link_is(text);
    if (chat_next_link_token(&token, text) == APR_SUCCESS) {
        FUZZ_CHECK(token.len > 0 && !memchr(token.data, '&', token.len));
        FUZZ_CHECK(token.data >= text && token.data + token.len <= text + strlen(text));
    }
    else {
        FUZZ_CHECK(token.data == NULL);
    }
    check_link(room, 0, pool);
    check_link(room, 1, pool);
    apr_pool_destroy(pool);
    return 0;
}
