#include "request_others.h"

#include <apr_strings.h>

#include "process_once.h"
#include "request_address.h"

/* The handler that mod_rewrite sets where rules of a <Directory> or .htaccess lead elsewhere. */
#define REWRITTEN "redirect-handler"

/* The handler that answers, and the remedy; NULL if we answer. */
static const char *other(const request_rec *r, const chat_route_t *route)
{
    int is_ours = r->handler && strcmp(r->handler, GRIP_CHAT_HANDLER) == 0;

    if (r->proxyreq != PROXYREQ_NONE) {
        return apr_psprintf(r->pool,
                            "a proxy answers them (ProxyPass, or a rule of mod_rewrite with [P]); "
                            "write ProxyPass \"%.*srooms/\" ! before the other ProxyPass lines",
                            (int)route->mount.len, route->mount.data);
    }
    if (!is_ours && r->handler && strcmp(r->handler, REWRITTEN) == 0) {
        return "rules of mod_rewrite in a <Directory> or an .htaccess lead them elsewhere; write "
               "RewriteEngine Off into the <Location> that has the handler";
    }
    if (!request_address_is_kept(r, route)) {
        return "they are rewritten to another address; exclude them from the rule that does it (of "
               "mod_rewrite, for example)";
    }
    return is_ours ? NULL
                   : apr_psprintf(r->pool,
                                  "the handler '%s' answers them; exclude them from what sets it",
                                  r->handler ? r->handler : "of files");
}

/* All that decides about the handler has been asked; it may have changed its mind since SetHandler. */
static int look_who_answers(request_rec *r)
{
    const request_address_t *address = r->main || r->prev ? NULL : request_address_noted(r);
    const char *who;

    if (!address || !(address->is_by_location || request_address_has_handler(r))) {
        return DECLINED;
    }
    who = other(r, &address->route);
    if (who && process_once(r->server, PROCESS_ONCE_OTHER_ANSWERS)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, r,
                      "GC0182: SetHandler gives rooms below %.*s to grip-chat, but %s",
                      (int)address->route.mount.len, address->route.mount.data, who);
    }
    return DECLINED;
}

void request_others_hooks(apr_pool_t *pool)
{
    ap_hook_fixups(look_who_answers, NULL, NULL, APR_HOOK_REALLY_LAST);
}
