#include "request_address.h"

#include <ap_expr.h>

#include "conf_mounts.h"
#include "process_once.h"

/* With AllowEncodedSlashes a "%2F" becomes part of the path, or stays in it undecoded: either way it
 * is in no room's name. */
static int has_encoded_slash(const request_rec *r)
{
    const char *end = r->unparsed_uri + strcspn(r->unparsed_uri, "?#");
    const char *at;

    for (at = r->unparsed_uri; (at = strchr(at, '%')) && at < end; at++) {
        if (at[1] == '2' && (at[2] == 'F' || at[2] == 'f')) {
            return 1;
        }
    }
    return 0;
}

static request_address_t *keep(request_rec *r, const chat_route_t *route)
{
    request_address_t *address = apr_pcalloc(r->pool, sizeof(*address));

    address->route = *route;
    ap_set_module_config(r->request_config, &grip_chat_module, address);
    return address;
}

int request_address_has_handler(request_rec *r)
{
    const core_dir_config *section = ap_get_core_module_config(r->per_dir_config);
    const char *handler = section->handler;
    ap_expr_info_t expression;
    const char *error = NULL;

    if (section->expr_handler) {
        expression = *section->expr_handler;
        expression.flags |= AP_EXPR_FLAG_DONT_VARY; /* httpd evaluates it anew for the answer */
        handler = ap_expr_str_exec(r, &expression, &error);
    }
    return !error && handler &&
           ap_cstr_casecmp(handler, GRIP_CHAT_HANDLER) == 0; /* as httpd does */
}

/* The path is decoded and normalised here, no rule has seen it, and the <Location> sections are merged. */
static int note_address(request_rec *r)
{
    const conf_server_t *conf = conf_server_get(r->server);
    int count = conf->site ? conf->mounts->nelts : 0;
    chat_route_t route;
    gc_slice_t path;
    int i;

    if (r->main || r->prev || count == 0) {
        return DECLINED;
    }
    path = gc_slice_of(r->uri);
    for (i = 0; i < count; i++) {
        gc_slice_t mount = gc_slice_of(APR_ARRAY_IDX(conf->mounts, i, const char *));

        if (chat_route_parse(&route, path, mount) == APR_SUCCESS && !has_encoded_slash(r)) {
            /* Modules may write into the path; the copy is the address that was asked for. */
            path = gc_slice(gc_slice_dup(path, r->pool), path.len);
            (void)chat_route_parse(&route, path, mount);
            keep(r, &route)->is_by_location = request_address_has_handler(r);
            break;
        }
    }
    return DECLINED;
}

request_address_t *request_address_noted(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &grip_chat_module);
}

int request_address_is_kept(const request_rec *r, const chat_route_t *route)
{
    apr_size_t len = strlen(r->uri);
    apr_size_t below = route->below.len;

    return len > below && r->uri[len - below - 1] == '/' &&
           memcmp(r->uri + len - below, route->below.data, below) == 0;
}

/* An .htaccess that sets the handler mounts the rooms at its folder, unless the host has a GripChatMount. */
static const char *mount_of_htaccess(request_rec *r)
{
    const conf_dir_t *dir = ap_get_module_config(r->per_dir_config, &grip_chat_module);

    return dir && dir->folder && !conf_server_get(r->server)->settings.mounts
               ? conf_mounts_of_folder(dir->folder, ap_document_root(r), r->pool)
               : NULL;
}

/* An address that looks like a room's is left to others: that may be intended, or a mistake. */
static void tell_why_not(request_rec *r, gc_slice_t path, int has_mount)
{
    gc_slice_t mount;

    if (chat_route_guess(&mount, path) != APR_SUCCESS &&
        chat_route_guess(&mount, gc_slice_of(r->uri)) != APR_SUCCESS)
    {
        return;
    }
    if (!has_mount && process_once(r->server, PROCESS_ONCE_NO_MOUNT)) {
        ap_log_rerror(
            APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, r,
            "GC0183: this address has the handler grip-chat, but nothing tells where the "
            "rooms of this host are mounted. So it is not a room's address; if it should be, "
            "write GripChatMount \"%.*s\" for this host",
            (int)mount.len, mount.data);
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO | APLOG_NOERRNO, 0, r,
                  "GC0184: this address is at no mount of this host, or was rewritten to another "
                  "room's, so it is not a room's address; see GripChatMount");
}

const chat_route_t *request_address_of(request_rec *r)
{
    const request_rec *first = r;
    const request_address_t *address;
    chat_route_t route;
    const char *mount = NULL;
    gc_slice_t path;

    /* A part of somebody's page (SSI) cannot be a stream, and the page of an error must not post. */
    if (r->main || (r->prev && ap_is_HTTP_ERROR(r->prev->status))) {
        return NULL;
    }
    while (first->prev) {
        first = first->prev;
    }
    path = gc_slice_of(first->parsed_uri.path ? first->parsed_uri.path : "");
    address = request_address_noted(first);
    if (!address) {
        mount = mount_of_htaccess(r);
        if (mount && !has_encoded_slash(first) &&
            chat_route_parse(&route, path, gc_slice_of(mount)) == APR_SUCCESS)
        {
            address = keep(r, &route);
        }
    }
    if (address && request_address_is_kept(r, &address->route)) {
        return &address->route;
    }
    tell_why_not(r, path, mount || conf_server_get(r->server)->mounts->nelts);
    return NULL;
}

void request_address_hooks(apr_pool_t *pool)
{
    ap_hook_translate_name(note_address, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
