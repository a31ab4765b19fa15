#include "request_proxied.h"

#include <http_log.h>

#include "process_features.h"

int request_is_proxied(const conf_site_t *site, request_rec *r, apr_time_t now)
{
    const char *header = apr_table_get(r->headers_in, "Grip-Sig");
    grip_sig_t sig;
    apr_status_t rv;

    if (!header) {
        return 0;
    }
    rv = grip_sig_cache_check(site->signatures, &sig, gc_slice_of(header), now, r->pool);
    if (!grip_sig_is_proxied(&sig)) {
        ap_log_rerror(
            APLOG_MARK, APLOG_INFO, rv, r,
            "GC0161: the Grip-Sig is %s, so the request is answered as a client's own; if "
            "it came through a proxy of this site, check GripChatGripURL and "
            "GripChatGripVerifyKey",
            grip_sig_verdict_name(sig.verdict));
    }
    else if (sig.verdict == GRIP_SIG_VALID) {
        process_features_note(site, sig.proxy, r);
    }
    return grip_sig_is_proxied(&sig);
}
