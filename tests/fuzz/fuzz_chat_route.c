/* chat_route: a client writes any path, and mounts are configured. A mount is the input up to its
 * first NUL. */
#include "chat_route.h"

#include "fuzz_base.h"

/* Whether a part lies in the whole. */
static int lies_in(gc_slice_t part, gc_slice_t whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check(const chat_route_t *route, gc_slice_t path, gc_slice_t mount)
{
    FUZZ_CHECK(gc_slice_equal(route->path, path) && gc_slice_equal(route->mount, mount));
    FUZZ_CHECK(route->mount.len + route->below.len == path.len && lies_in(route->below, path));
    FUZZ_CHECK(lies_in(route->room, path) && !memchr(route->room.data, '/', route->room.len));
    FUZZ_CHECK(route->from >= 0 && (route->has_from || route->from == 0));
    FUZZ_CHECK(!route->has_from || route->endpoint == CHAT_ROUTE_EVENTS);
    FUZZ_CHECK(route->has_slash == (path.data[path.len - 1] == '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gc_slice_t path = fuzz_slice(data, size);
    gc_slice_t mount = gc_slice("/", 1);
    gc_slice_t guessed;
    chat_route_t route;

    if (gc_slice_until(&path, '\0', &mount) != APR_SUCCESS) {
        mount = gc_slice("/", 1);
    }
    if (chat_route_parse(&route, path, mount) == APR_SUCCESS) {
        check(&route, path, mount);
    }
    if (chat_route_guess(&guessed, path) == APR_SUCCESS) {
        FUZZ_CHECK(chat_route_parse(&route, path, guessed) == APR_SUCCESS);
        check(&route, path, guessed);
    }
    return 0;
}
