#include "edge_route.h"

#include <string.h>

#define MANIFEST_PATH   "/.well-known/fastly/demo-manifest"
#define SCREENSHOT_PATH "/images/screenshot.png"

typedef struct text_t {
    const char *data;
    size_t len;
} text_t;

static int is(text_t text, const char *what)
{
    return text.len == strlen(what) && memcmp(text.data, what, text.len) == 0;
}

static int find(text_t text, char wanted, size_t *at)
{
    for (*at = 0; *at < text.len; (*at)++) {
        if (text.data[*at] == wanted) {
            return 1;
        }
    }
    return 0;
}

static text_t skip(text_t text, size_t len)
{
    text_t rest = {text.data + len, text.len - len};

    return rest;
}

static text_t before(text_t text, char end)
{
    size_t at;

    if (find(text, end, &at)) {
        text.len = at;
    }
    return text;
}

/* Without scheme and host, query and fragment; empty where there is no path. */
static text_t path_of(text_t uri)
{
    size_t at;

    uri = before(before(uri, '?'), '#');
    if (uri.len > 0 && uri.data[0] == '/') {
        return uri;
    }
    if (!find(uri, ':', &at) || uri.len - at < 3 || memcmp(uri.data + at, "://", 3) != 0) {
        return skip(uri, uri.len);
    }
    uri = skip(uri, at + 3);
    if (!find(uri, '/', &at)) {
        at = uri.len;
    }
    return skip(uri, at);
}

/* Cut "/segment" off the front; 0 where there is none. */
static int cut_segment(text_t *path, text_t *segment)
{
    size_t at;

    if (path->len == 0 || path->data[0] != '/') {
        return 0;
    }
    *path = skip(*path, 1);
    if (!find(*path, '/', &at)) {
        at = path->len;
    }
    segment->data = path->data;
    segment->len = at;
    *path = skip(*path, at);
    return 1;
}

/* How many bytes of text are one dot, plain or encoded. */
static size_t dot(text_t text)
{
    if (text.len > 0 && text.data[0] == '.') {
        return 1;
    }
    return text.len > 2 && memcmp(text.data, "%2", 2) == 0 && (text.data[2] | 0x20) == 'e' ? 3 : 0;
}

/* Whether a server takes a segment out of a path: an empty one, ".", ".." and their encodings. */
static int is_taken_out(text_t segment)
{
    segment = skip(segment, dot(segment));
    segment = skip(segment, dot(segment));
    return segment.len == 0;
}

static int is_number(text_t text)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }
    }
    return text.len > 0;
}

/* "/rooms/{room}/events/" and "/rooms/{room}/from/{n}/events/", as in docs/wire.md. */
static int is_events(text_t path)
{
    text_t segment;
    text_t number;

    if (!cut_segment(&path, &segment) || !is(segment, "rooms") || !cut_segment(&path, &segment) ||
        is_taken_out(segment) || !cut_segment(&path, &segment))
    {
        return 0;
    }
    if (is(segment, "from") &&
        (!cut_segment(&path, &number) || !is_number(number) || !cut_segment(&path, &segment)))
    {
        return 0;
    }
    return is(segment, "events") && is(path, "/");
}

edge_route_e edge_route(const char *method, size_t method_len, const char *uri, size_t uri_len)
{
    text_t verb = {method, method_len};
    text_t whole = {uri, uri_len};
    text_t path = path_of(whole);

    if (!is(verb, "GET")) {
        return EDGE_ROUTE_ORIGIN;
    }
    if (is(path, MANIFEST_PATH)) {
        return EDGE_ROUTE_MANIFEST;
    }
    if (is(path, SCREENSHOT_PATH)) {
        return EDGE_ROUTE_SCREENSHOT;
    }
    return is_events(path) ? EDGE_ROUTE_FANOUT : EDGE_ROUTE_ORIGIN;
}
