#include "mod_grip_chat_start.h"

#include "chat_event_id.h"
#include "gc_query.h"
#include "grip_hold.h"
#include "mod_grip_chat_link.h"

/* The position in Grip-Last, which only a proxy sends. On the pages of a long recovery Pushpin repeats
 * the one of its last hold, so there the path's position wins if it is further on. */
static grip_chat_start_e start_from_grip_last(const grip_chat_asked_t *asked, apr_int64_t *after)
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
    return rv == APR_SUCCESS ? GRIP_CHAT_START_AFTER : GRIP_CHAT_START_INVALID;
}

/* The position that a client gives: Last-Event-ID, else the query's lastEventId. */
static grip_chat_start_e start_from_client(const grip_chat_asked_t *asked, apr_int64_t *after)
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
        return GRIP_CHAT_START_NOW;
    }
    if (gc_slice_equal(id, gc_slice_of("error"))) {
        return GRIP_CHAT_START_ERROR;
    }
    return chat_event_id_parse(after, id, gc_slice_of(asked->room), r->pool) == APR_SUCCESS
               ? GRIP_CHAT_START_AFTER
               : GRIP_CHAT_START_INVALID;
}

grip_chat_start_e grip_chat_start_find(const grip_chat_asked_t *asked, apr_int64_t *after)
{
    grip_chat_start_e start;

    if (asked->is_next &&
        (asked->route->has_from || apr_table_get(asked->r->headers_in, GRIP_LAST_HEADER)))
    {
        return start_from_grip_last(asked, after);
    }
    start = start_from_client(asked, after);
    if (start == GRIP_CHAT_START_NOW && asked->route->has_from) {
        *after = asked->route->from;
        return GRIP_CHAT_START_AFTER;
    }
    return start;
}
