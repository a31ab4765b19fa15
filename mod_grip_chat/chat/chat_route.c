#include "chat_route.h"

/* Take the segment at the front of a path and the slash behind it; 0 where there is no slash. */
static int take_segment(gc_slice_t *rest, gc_slice_t *segment)
{
    return gc_slice_until(rest, '/', segment) == APR_SUCCESS;
}

/* Take "from/{n}/", if that stands there. */
static void take_from(chat_route_t *route, gc_slice_t *rest)
{
    gc_slice_t left = *rest;
    gc_slice_t word;
    gc_slice_t number;

    route->has_from = take_segment(&left, &word) && gc_slice_equal(word, gc_slice_of("from")) &&
                      take_segment(&left, &number) &&
                      gc_slice_number(number, APR_INT64_MAX, &route->from) == APR_SUCCESS;
    if (route->has_from) {
        *rest = left;
    }
}

apr_status_t chat_route_parse(chat_route_t *route, gc_slice_t path, gc_slice_t mount)
{
    gc_slice_t word;
    gc_slice_t rest;

    if (!gc_slice_starts(path, mount)) {
        return APR_ENOENT;
    }
    memset(route, 0, sizeof(*route));
    route->path = path;
    route->mount = gc_slice(path.data, mount.len);
    route->below = rest = gc_slice(path.data + mount.len, path.len - mount.len);
    if (!take_segment(&rest, &word) || !gc_slice_equal(word, gc_slice_of("rooms")) ||
        !take_segment(&rest, &route->room))
    {
        return APR_ENOENT;
    }
    take_from(route, &rest);
    route->has_slash = rest.len > 0 && rest.data[rest.len - 1] == '/';
    rest.len -= route->has_slash ? 1 : 0;
    if (gc_slice_equal(rest, gc_slice_of("events"))) {
        route->endpoint = CHAT_ROUTE_EVENTS;
        return APR_SUCCESS;
    }
    route->endpoint = CHAT_ROUTE_MESSAGES;
    return gc_slice_equal(rest, gc_slice_of("messages")) && !route->has_from ? APR_SUCCESS
                                                                             : APR_ENOENT;
}

apr_status_t chat_route_guess(gc_slice_t *mount, gc_slice_t path)
{
    chat_route_t route;
    apr_size_t i;

    for (i = 0; i < path.len; i++) {
        gc_slice_t front = gc_slice(path.data, i + 1);

        if (path.data[i] == '/' && chat_route_parse(&route, path, front) == APR_SUCCESS) {
            *mount = front;
            return APR_SUCCESS;
        }
    }
    return APR_ENOENT;
}
