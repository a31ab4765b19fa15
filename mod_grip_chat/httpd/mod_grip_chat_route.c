#include "mod_grip_chat_route.h"

/* Cut the last segment and the slash before it off the path; 0 where there is none. */
static int cut_segment(gc_slice_t *path, gc_slice_t *segment)
{
    apr_size_t i = path->len;

    while (i > 0 && path->data[i - 1] != '/') {
        i--;
    }
    if (i == 0) {
        return 0;
    }
    *segment = gc_slice(path->data + i, path->len - i);
    path->len = i - 1;
    return 1;
}

/* Take what stands before the endpoint: …/rooms/{room}. */
static int take_room(grip_chat_route_t *route, gc_slice_t path)
{
    gc_slice_t rooms;

    if (!cut_segment(&path, &route->room) || !cut_segment(&path, &rooms) ||
        !gc_slice_equal(rooms, gc_slice_of("rooms")))
    {
        return 0;
    }
    route->mount = gc_slice(path.data, path.len + 1);
    return 1;
}

/* Take what stands before the endpoint in the paged form: …/rooms/{room}/from/{n}. */
static int take_room_and_from(grip_chat_route_t *route, gc_slice_t path)
{
    gc_slice_t number;
    gc_slice_t from;

    route->has_from = cut_segment(&path, &number) && cut_segment(&path, &from) &&
                      gc_slice_equal(from, gc_slice_of("from")) &&
                      gc_slice_number(number, APR_INT64_MAX, &route->from) == APR_SUCCESS &&
                      take_room(route, path);
    return route->has_from;
}

apr_status_t grip_chat_route_parse(grip_chat_route_t *route, gc_slice_t path)
{
    gc_slice_t last;

    memset(route, 0, sizeof(*route));
    route->has_slash = path.len > 0 && path.data[path.len - 1] == '/';
    if (route->has_slash) {
        path.len--;
    }
    if (!cut_segment(&path, &last)) {
        return APR_ENOENT;
    }
    if (gc_slice_equal(last, gc_slice_of("messages"))) {
        route->endpoint = GRIP_CHAT_MESSAGES;
        return take_room(route, path) ? APR_SUCCESS : APR_ENOENT;
    }
    if (gc_slice_equal(last, gc_slice_of("events"))) {
        route->endpoint = GRIP_CHAT_EVENTS;
        return take_room_and_from(route, path) || take_room(route, path) ? APR_SUCCESS : APR_ENOENT;
    }
    return APR_ENOENT;
}
