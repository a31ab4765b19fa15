#include "request_position.h"

#include "chat_event_id.h"
#include "gc_query.h"
#include "grip_hold.h"
#include "request_next_link.h"

/* The position in Grip-Last, which only a proxy sends. On the pages of a long recovery Pushpin repeats
 * the one of its last hold, so there the path's position wins if it is further on. */
static request_position_e start_from_grip_last(const request_asked_t *asked, apr_int64_t *after)
{
    const char *header = apr_table_get(asked->r->headers_in, GRIP_LAST_HEADER);
    apr_int64_t last = -1;
    gc_slice_t id;
    apr_status_t rv =
        grip_hold_last_find(&id, gc_slice_of(header ? header : ""), gc_slice_of(asked->channel));

    if (rv == APR_SUCCESS) {
        rv = gc_slice_number(id, APR_INT64_MAX, &last);
    }
    if (asked->route->has_from && (rv == APR_SUCCESS || rv == APR_ENOENT)) {
        rv = APR_SUCCESS;
        last = asked->route->from > last ? asked->route->from : last;
    }
    *after = last;
    return rv == APR_SUCCESS ? REQUEST_POSITION_AFTER : REQUEST_POSITION_INVALID;
}

/* The position that a client gives: Last-Event-ID, else the query's lastEventId. */
static request_position_e start_from_client(const request_asked_t *asked, apr_int64_t *after)
{
    request_rec *r = asked->r;
    const char *header = apr_table_get(r->headers_in, "Last-Event-ID");
    gc_slice_t id = gc_slice_of(header ? header : "");
    gc_slice_t encoded;

    if (id.len == 0 && r->args &&
        gc_query_parameter(&encoded, r->args, "lastEventId") == APR_SUCCESS) {
        char *text = gc_slice_dup(encoded, r->pool);

        id = gc_slice_of(ap_unescape_urlencoded(text) == OK ? text : "?");
    }
    if (id.len == 0) {
        return REQUEST_POSITION_NOW;
    }
    if (gc_slice_equal(id, gc_slice_of("error"))) {
        return REQUEST_POSITION_ERROR;
    }
    return chat_event_id_parse(after, id, gc_slice_of(asked->room), r->pool) == APR_SUCCESS
               ? REQUEST_POSITION_AFTER
               : REQUEST_POSITION_INVALID;
}

request_position_e request_position_find(const request_asked_t *asked, apr_int64_t *after)
{
    request_position_e start;

    if (asked->is_next &&
        (asked->route->has_from || apr_table_get(asked->r->headers_in, GRIP_LAST_HEADER)))
    {
        return start_from_grip_last(asked, after);
    }
    start = start_from_client(asked, after);
    if (start == REQUEST_POSITION_NOW && asked->route->has_from) {
        *after = asked->route->from;
        return REQUEST_POSITION_AFTER;
    }
    return start;
}
