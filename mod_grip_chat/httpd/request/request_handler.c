#include "request_handler.h"

#include "chat_validate.h"
#include "process_hooks.h"
#include "request_address.h"
#include "request_events.h"
#include "request_messages.h"
#include "request_reply.h"

static int refuse_room(request_rec *r, chat_verdict_e verdict)
{
    const char *why =
        verdict == CHAT_TOO_LONG
            ? "the room's name is longer than " APR_STRINGIFY(CHAT_ROOM_MAX_CHARS) " characters"
        : verdict == CHAT_NOT_UTF8 ? "the room's name is not valid UTF-8"
        : verdict == CHAT_EMPTY    ? "the room's name is empty"
                                   : "the room's name holds a character that none may "
                                     "hold";

    return request_reply_error(r, HTTP_BAD_REQUEST, "invalid-room", why);
}

static int serve(request_rec *r, const conf_site_t *site, const chat_route_t *route)
{
    const process_child_t *child = process_child();
    const char *room = gc_slice_dup(route->room, r->pool);
    chat_verdict_e verdict = chat_validate_room(route->room);

    if (verdict != CHAT_VALID) {
        return refuse_room(r, verdict);
    }
    if (!route->has_slash &&
        (r->method_number == M_GET ||
         (r->method_number == M_POST && route->endpoint == CHAT_ROUTE_MESSAGES)))
    {
        return request_reply_add_slash(r, route->path);
    }
    if (!child) {
        return request_reply_error(r, HTTP_SERVICE_UNAVAILABLE, "not-started",
                                   "the chat cannot be served now; try again");
    }
    return route->endpoint == CHAT_ROUTE_MESSAGES
               ? request_messages_handle(r, site, route, room, child->keeper)
               : request_events_handle(r, site, route, room, child->shared);
}

/* A host without a site has no mounts: an address like a room's tells of the mistake. */
static int refuse_host(request_rec *r)
{
    gc_slice_t mount;

    if (r->main || r->prev || chat_route_guess(&mount, gc_slice_of(r->uri)) != APR_SUCCESS) {
        return DECLINED;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR | APLOG_NOERRNO, 0, r,
                  "GC0122: SetHandler grip-chat stands where no site is configured; write "
                  "GripChatDatabase sqlite3 /path/to/file for this virtual host");
    return request_reply_error(r, HTTP_INTERNAL_SERVER_ERROR, "no-site",
                               "the chat is not configured for this host");
}

static int handle(request_rec *r)
{
    const conf_site_t *site = conf_server_get(r->server)->site;
    const chat_route_t *route;

    if (!r->handler || strcmp(r->handler, GRIP_CHAT_HANDLER) != 0) {
        return DECLINED;
    }
    if (!site) {
        return refuse_host(r);
    }
    route = request_address_of(r);
    if (!route) {
        return DECLINED;
    }
    /* A part of a list or of a stream is worth nothing to anybody. */
    apr_table_unset(r->headers_in, "Range");
    apr_table_unset(r->headers_in, "If-Range");
    return serve(r, site, route);
}

void request_handler_hooks(apr_pool_t *pool)
{
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}
