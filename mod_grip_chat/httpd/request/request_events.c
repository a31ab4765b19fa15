#include "request_events.h"

#include "chat_sse.h"
#include "gc_clock.h"
#include "grip_hold.h"
#include "request_next_link.h"
#include "request_position.h"
#include "request_proxied.h"
#include "request_reply.h"
#include "stream_child.h"

#define ALLOW "GET, HEAD, OPTIONS"

/* Set in the environment of a request that is answered at once, without a stream, for CustomLog to leave
 * it out. */
#define GRIP_CHAT_POLL "grip-chat-poll"

/* Clients come back after this long, each after another: in poll mode, and when a held stream is cut off.
 * A proxy that restarts cuts off all of its streams in one moment, and Pushpin answers 502 to many of
 * those that come back in another. */
#define RETRY_MIN_MS         1000
#define RETRY_SPREAD_MS      1000
#define RETRY_HELD_SPREAD_MS 4000

/* When nothing can be served, clients come back after this long. */
#define RETRY_UNAVAILABLE_MS 5000

/* A page that Pushpin would not pass on without a hold (it answers 502 beyond 100,000 bytes) is held,
 * and asked on from after this long. */
#define LARGE_PAGE_BYTES   90000
#define LARGE_PAGE_TIMEOUT apr_time_from_sec(1)

/* One request for events, while it is answered. */
typedef struct events_t {
    request_rec *r;
    const conf_site_t *site;
    const chat_route_t *route;
    ipc_shared_t *shared;
    const char *room;
    apr_uint64_t tag; /* of the room in shared memory */
    const char *channel;
    const char *secret; /* if is_proxied */
    apr_time_t now;     /* of the wall clock, as in a Grip-Sig */
    int is_proxied;
    int is_next; /* a proxy's request through a link of ours */
    request_position_e start;
    apr_int64_t after;           /* if REQUEST_POSITION_AFTER; may be CHAT_EVENT_ID_GONE */
    stream_connection_t *stream; /* a place for the stream, NULL where it is not held here */
} events_t;

/* The room: in memory, or as much of it as was read from the database. */
typedef struct found_t {
    apr_int64_t last_event_id;
    apr_int64_t first_kept_event_id;
    chat_snapshot_t *snapshot; /* the room in memory, NULL where none is kept there */
    int is_page;               /* the answer's events are in the page */
    chat_page_t page;
} found_t;

/* The parts of the answer: maybe the padding, which only streams need, the body, and after it
 * maybe a part of a block. */
typedef struct answer_t {
    gc_buffer_t body;
    gc_slice_t padding;
    chat_block_t *block;
    gc_slice_t part;
    apr_int64_t reached; /* the position that the answer leads to */
    int has_more;        /* there are events behind it already */
} answer_t;

static void set_headers(request_rec *r)
{
    request_reply_headers(r, REQUEST_REPLY_EVENT_STREAM);
    apr_table_setn(r->headers_out, "X-Accel-Buffering", "no");
    /* A filter that buffers would keep events back. */
    apr_table_setn(r->subprocess_env, "no-gzip", "1");
    apr_table_setn(r->subprocess_env, "no-brotli", "1");
}

/* EventSource never comes back after anything but 200, a proxy asks again only after an error. */
static int reply_unavailable(events_t *events)
{
    gc_buffer_t body;

    if (events->stream) {
        stream_child_cancel(events->stream);
    }
    if (events->is_next) {
        return request_reply_error(events->r, HTTP_SERVICE_UNAVAILABLE, "database-unavailable",
                                   "the events cannot be read now; ask again");
    }
    body = gc_buffer_make(64, events->r->pool);
    set_headers(events->r);
    chat_sse_append_retry(&body, RETRY_UNAVAILABLE_MS);
    return request_reply_body(events->r, gc_buffer_slice(&body));
}

static int reply_bad_position(events_t *events)
{
    set_headers(events->r);
    return request_reply_body(events->r, chat_sse_bad_position());
}

/* Any milliseconds, so that clients that were cut off together do not come back together. They are
 * no secret: the microsecond of a client's request, mixed (by the golden ratio), is as good as
 * dice. */
static int retry_ms(apr_time_t now, int spread_ms)
{
    apr_uint64_t mixed = (apr_uint64_t)now * APR_UINT64_C(0x9e3779b97f4a7c15);

    return RETRY_MIN_MS + (int)((mixed >> 32) % (apr_uint64_t)(spread_ms + 1));
}

static apr_status_t append_events(const events_t *events, const found_t *found, answer_t *answer)
{
    apr_status_t rv = APR_SUCCESS;

    if (events->stream && !found->is_page && !chat_snapshot_covers(found->snapshot, events->after))
    {
        return APR_SUCCESS; /* the stream goes on with pages that are read for it */
    }
    if (!found->is_page) {
        answer->block = chat_snapshot_events(found->snapshot);
        answer->part = chat_snapshot_events_after(found->snapshot, events->after,
                                                  found->last_event_id, &answer->reached);
    }
    else {
        rv = chat_sse_append_page(&answer->body, gc_slice_of(events->room), &found->page,
                                  found->last_event_id, &answer->reached);
    }
    answer->has_more = answer->reached < found->last_event_id;
    return rv;
}

/* Whether the position is one that the events after it can be had from. */
static int is_reachable(const events_t *events, const found_t *found)
{
    return events->after <= found->last_event_id &&
           events->after >= found->first_kept_event_id - 1 &&
           found->last_event_id - events->after <= events->site->settings.backlog;
}

static apr_status_t compose(const events_t *events, const found_t *found, answer_t *answer)
{
    gc_slice_t room = gc_slice_of(events->room);
    int is_reset = events->start == REQUEST_POSITION_AFTER && !is_reachable(events, found);
    int is_from_now = is_reset || events->start == REQUEST_POSITION_NOW;

    answer->reached = is_from_now ? found->last_event_id : events->after;
    answer->has_more = 0;
    if (!events->is_next) {
        if (events->stream) {
            gc_buffer_append(&answer->body, chat_sse_padding());
        }
        else if (events->is_proxied) {
            answer->padding = chat_sse_padding();
        }
        else {
            apr_table_setn(events->r->subprocess_env, GRIP_CHAT_POLL, "1");
        }
        chat_sse_append_open(&answer->body, room,
                             is_reset ? CHAT_SSE_NO_POSITION : answer->reached);
        chat_sse_append_retry(&answer->body,
                              retry_ms(events->now, events->is_proxied || events->stream
                                                        ? RETRY_HELD_SPREAD_MS
                                                        : RETRY_SPREAD_MS));
    }
    if (is_reset) {
        chat_sse_append_reset(&answer->body, room, answer->reached);
    }
    return is_from_now ? APR_SUCCESS : append_events(events, found, answer);
}

/* Tell the proxy to hold the answer, or to come back at once for more. */
static apr_status_t set_instructions(const events_t *events, gc_slice_t token,
                                     const answer_t *answer)
{
    apr_table_t *headers = events->r->headers_out;
    apr_pool_t *pool = events->r->pool;
    apr_size_t len = answer->padding.len + answer->body.len + answer->part.len;
    int is_large = answer->has_more && len > LARGE_PAGE_BYTES;
    int is_held = !answer->has_more || is_large;
    const char *mount = request_reply_encode_path(events->route->mount, pool);
    chat_next_link_t link = {gc_slice_of(mount), gc_slice_of(events->room), !is_held,
                             answer->reached};
    apr_interval_time_t timeout = is_large  ? LARGE_PAGE_TIMEOUT
                                  : is_held ? events->site->settings.link_timeout
                                            : 0;
    const char *channel;
    const char *value;
    apr_status_t rv;

    rv = grip_hold_channel_format(&channel, gc_slice_of(events->channel), answer->reached, pool);
    if (rv == APR_SUCCESS) {
        rv = grip_hold_link_format(&value, gc_slice_of(chat_next_link_make(&link, token, pool)),
                                   timeout, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_table_setn(headers, GRIP_CHANNEL_HEADER, channel);
    apr_table_setn(headers, GRIP_LINK_HEADER, value);
    if (is_held) {
        apr_table_setn(headers, GRIP_HOLD_HEADER, GRIP_HOLD_STREAM);
        apr_table_setn(headers, GRIP_KEEP_ALIVE_HEADER, events->site->keep_alive_header);
    }
    return APR_SUCCESS;
}

/* Look at the room in memory. */
static apr_status_t look_up(const events_t *events, found_t *found)
{
    const chat_standing_t *standing;
    chat_snapshot_t *snapshot;
    apr_status_t rv =
        room_view_room(events->site->reader, events->room, ipc_shared_slot(events->tag),
                       (int)events->site->settings.history, &snapshot, events->r->pool);

    if (rv == APR_SUCCESS) {
        standing = chat_snapshot_standing(snapshot);
        found->last_event_id = standing->last_event_id;
        found->first_kept_event_id = standing->first_kept_event_id;
        found->snapshot = snapshot;
    }
    return rv;
}

/* Whether the room in memory has all that the answer needs. */
static int is_enough(const events_t *events, const found_t *found)
{
    return events->start != REQUEST_POSITION_AFTER || !is_reachable(events, found) ||
           chat_snapshot_covers(found->snapshot, events->after);
}

static apr_status_t find_room(const events_t *events, found_t *found)
{
    int has_position = events->start == REQUEST_POSITION_AFTER && events->after >= 0;
    apr_int64_t after = has_position ? events->after : APR_INT64_MAX;
    apr_status_t rv;

    found->snapshot = NULL;
    found->is_page = 0;
    if (room_view_keeps_rooms(events->site->reader)) {
        rv = look_up(events, found);
        if (rv != APR_SUCCESS || events->stream || is_enough(events, found)) {
            return rv;
        }
    }
    /* Memory that a stream reads lives as long as the stream; it only has to know where the room
     * stands. */
    rv = room_view_after(events->site->reader, events->room, after,
                         events->stream ? 1 : CHAT_PAGE_MAX_EVENTS, &found->page, events->r->pool);
    if (rv == APR_SUCCESS) {
        found->last_event_id = found->page.last_event_id;
        found->first_kept_event_id = found->page.first_kept_event_id;
        found->is_page = 1;
    }
    return rv;
}

/* Leave events that wait to be published to the proxy. They come as one item, which fits a hold
 * that ends where the item begins, and no position in its middle. Asked after the room was read, so
 * that events published meanwhile are not left out. */
static void leave_what_waits(const events_t *events, found_t *found)
{
    apr_int64_t waiting = ipc_shared_waiting(events->shared, events->tag,
                                             events->site->keeper.proxy_count, gc_clock_now());

    if (waiting != IPC_SHARED_NOTHING && waiting < found->last_event_id &&
        waiting >= found->first_kept_event_id - 1 &&
        (events->start != REQUEST_POSITION_AFTER ||
         (is_reachable(events, found) && events->after <= waiting)))
    {
        found->last_event_id = waiting;
    }
}

/* The link is of another secret: from before a change of the secret, or of the database. A proxy
 * that follows it for a stream and is refused asks again for a long time, and its readers hear
 * nothing meanwhile. If it gets an answer that is not to be held, it ends the stream, and its
 * readers come back with their position. */
static int reply_void_link(events_t *events)
{
    if (!events->route->has_from && !apr_table_get(events->r->headers_in, GRIP_LAST_HEADER)) {
        return request_reply_error(events->r, HTTP_FORBIDDEN, "bad-link",
                                   "the link's token is not good for this room");
    }
    set_headers(events->r);
    return request_reply_body(events->r, gc_slice("", 0));
}

/* Send the answer, and go on with the stream if this module holds it. The room in memory is
 * released first: the request may last. */
static int send_answer(events_t *events, const answer_t *answer, const found_t *found)
{
    gc_slice_t body = gc_buffer_slice(&answer->body);
    int status;

    if (answer->block) {
        chat_block_pin(answer->block);
    }
    if (found->snapshot) {
        room_view_let_go(found->snapshot, events->r->pool);
    }
    if (events->stream) {
        status =
            stream_child_begin(events->stream, body, answer->block, answer->part, answer->reached);
    }
    else {
        status = request_reply_block(events->r, answer->padding, body, answer->block, answer->part);
    }
    chat_block_release(answer->block);
    return status;
}

static void note_hold(const events_t *events)
{
    ipc_shared_note_hold(events->shared, ipc_shared_slot(events->tag), gc_clock_now());
}

/* Read the room for a proxy's request through a link. Only one that is good is noted as a hold, or anybody could
 * have any room noted. That comes after the room was read, so the room is read again if it has changed since
 * before that: its event may have passed the hold by. */
static apr_status_t find_room_of_link(const events_t *events, found_t *found, gc_slice_t *token,
                                      int *is_void)
{
    unsigned slot = ipc_shared_slot(events->tag);
    ipc_version_t before =
        ipc_shared_version(events->shared, events->site->keeper.database_number, slot);
    ipc_version_t after;
    apr_status_t rv = find_room(events, found);

    if (rv == APR_SUCCESS) {
        rv = request_next_link_token(token, found->snapshot, gc_slice_of(events->room),
                                     events->site, events->secret, events->r->pool);
        *is_void = rv == APR_SUCCESS && !request_next_link_has(events->r->args, *token);
    }
    if (rv != APR_SUCCESS || *is_void) {
        return rv;
    }
    note_hold(events);
    after = ipc_shared_version(events->shared, events->site->keeper.database_number, slot);
    return before.epoch == after.epoch && before.generation == after.generation
               ? APR_SUCCESS
               : find_room(events, found);
}

/* Read, compose and send. */
static int reply_events(events_t *events)
{
    answer_t answer = {gc_buffer_make(1024, events->r->pool)};
    found_t found;
    gc_slice_t token = {"", 0};
    int is_void = 0;
    apr_status_t rv;

    if (!events->is_proxied) {
        events->stream = stream_child_reserve(events->r, events->site, events->room);
    }
    rv = events->is_next ? find_room_of_link(events, &found, &token, &is_void)
                         : find_room(events, &found);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, events->r, "GC0162: the events cannot be read");
        return events->is_next &&
                       request_next_link_is_void(events->r->args, gc_slice_of(events->room),
                                                 events->site, events->secret, events->r->pool)
                   ? reply_void_link(events)
                   : reply_unavailable(events);
    }
    if (is_void) {
        return reply_void_link(events);
    }
    if (events->is_proxied) {
        if (!events->is_next) {
            rv = request_next_link_token(&token, found.snapshot, gc_slice_of(events->room),
                                         events->site, events->secret, events->r->pool);
        }
        leave_what_waits(events, &found);
    }
    rv = rv == APR_SUCCESS ? compose(events, &found, &answer) : rv;
    if (rv == APR_SUCCESS) {
        set_headers(events->r);
        if (events->is_proxied) {
            rv = set_instructions(events, token, &answer);
        }
    }
    if (rv == APR_EINVAL && events->is_proxied) {
        return request_reply_error(events->r, HTTP_REQUEST_URI_TOO_LARGE, "path-too-long",
                                   "the path before the room is too long for a link");
    }
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, events->r,
                      "GC0163: the events cannot be answered");
        return reply_unavailable(events);
    }
    return send_answer(events, &answer, &found);
}

/* Find the secret that links are signed with; only proxied requests need it. */
static apr_status_t find_secret(events_t *events)
{
    events->secret = events->site->settings.secret_key;
    return events->secret
               ? APR_SUCCESS
               : room_view_secret(events->site->reader, &events->secret, events->r->pool);
}

static int get_events(events_t *events)
{
    request_rec *r = events->r;
    request_asked_t asked = {r, events->route, events->room, events->channel,
                             r->args && chat_next_link_is(r->args)};
    apr_status_t rv;

    events->is_next = asked.is_next;
    /* A HEAD response has no body, so it cannot be held. */
    events->is_proxied =
        request_is_proxied(events->site, events->r, events->now) && !r->header_only;
    if (events->is_next && !events->is_proxied) {
        return request_reply_error(r, HTTP_FORBIDDEN, "bad-link",
                                   "a next link is for this site's proxies alone");
    }
    events->start = request_position_find(&asked, &events->after);
    if (events->start == REQUEST_POSITION_ERROR) {
        return request_reply_error(r, HTTP_BAD_REQUEST, "bad-position",
                                   "the position 'error' is where a stream-error ended");
    }
    if (events->start == REQUEST_POSITION_INVALID && events->is_next) {
        return request_reply_error(r, HTTP_BAD_REQUEST, "bad-position",
                                   "Grip-Last does not tell the position of this channel");
    }
    if (events->start == REQUEST_POSITION_INVALID) {
        return reply_bad_position(events);
    }
    if (!events->is_proxied) {
        return reply_events(events);
    }
    rv = find_secret(events);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, r, "GC0164: the site's secret cannot be read");
        return reply_unavailable(events);
    }
    if (!events->is_next) {
        /* Before the room is read: an event that comes in between may pass the hold by. */
        note_hold(events);
    }
    return reply_events(events);
}

int request_events_handle(request_rec *r, const conf_site_t *site, const chat_route_t *route,
                          const char *room, ipc_shared_t *shared)
{
    events_t events = {r, site, route, shared, room};

    switch (r->method_number) {
    case M_GET:
        events.now = apr_time_now();
        events.tag = ipc_site_tag(&site->keeper, gc_slice_of(room));
        events.channel = ipc_site_channel(&site->keeper, gc_slice_of(room), r->pool);
        return get_events(&events);
    case M_OPTIONS:
        return request_reply_options(r, ALLOW);
    default:
        return request_reply_not_allowed(r, ALLOW);
    }
}
