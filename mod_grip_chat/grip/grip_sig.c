#include "grip_sig.h"

static int has_verifier(const grip_proxy_t *const *proxies, apr_size_t count)
{
    apr_size_t i;

    for (i = 0; i < count; i++) {
        if (proxies[i]->verify_key) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t try_proxies(grip_sig_t *out, const grip_proxy_t *const *proxies,
                                apr_size_t count, const grip_jws_t *jws, apr_time_t now,
                                apr_pool_t *scratch_pool)
{
    apr_status_t failure = APR_SUCCESS;
    apr_size_t i;

    for (i = 0; i < count && out->verdict != GRIP_SIG_VALID; i++) {
        const grip_proxy_t *proxy = proxies[i];
        grip_jws_verdict_e verdict;
        apr_status_t rv;

        if (!proxy->verify_key) {
            continue;
        }
        rv = grip_jws_verify(&verdict, &out->good_until, jws, proxy->verify_key, proxy->verify_iss,
                             now, scratch_pool);
        if (rv != APR_SUCCESS) {
            failure = rv;
        }
        else if (verdict != GRIP_JWS_INVALID) {
            out->verdict = verdict == GRIP_JWS_VALID ? GRIP_SIG_VALID : GRIP_SIG_EXPIRED;
            out->proxy = proxy;
        }
    }
    return out->verdict == GRIP_SIG_VALID ? APR_SUCCESS : failure;
}

apr_status_t grip_sig_check(grip_sig_t *out, const grip_proxy_t *const *proxies, apr_size_t count,
                            gc_slice_t header, apr_time_t now, apr_pool_t *scratch_pool)
{
    gc_slice_t token = gc_slice_trim(header);
    grip_jws_t jws;

    out->verdict = GRIP_SIG_INVALID;
    out->proxy = NULL;
    out->good_until = 0;
    if (token.len == 0) {
        out->verdict = GRIP_SIG_ABSENT;
        return APR_SUCCESS;
    }
    if (count == 0) {
        return APR_SUCCESS;
    }
    if (!has_verifier(proxies, count)) {
        out->verdict = GRIP_SIG_UNCHECKED_ACCEPTED;
        return APR_SUCCESS;
    }
    /* A text that does not even look like a token of ours is an answer, not an error. */
    if (grip_jws_split(&jws, token, scratch_pool) != APR_SUCCESS) {
        return APR_SUCCESS;
    }
    return try_proxies(out, proxies, count, &jws, now, scratch_pool);
}

const char *grip_sig_verdict_name(grip_sig_verdict_e verdict)
{
    switch (verdict) {
    case GRIP_SIG_ABSENT:
        return "absent";
    case GRIP_SIG_INVALID:
        return "invalid";
    case GRIP_SIG_EXPIRED:
        return "expired";
    case GRIP_SIG_VALID:
        return "valid";
    case GRIP_SIG_UNCHECKED_ACCEPTED:
        return "unchecked";
    }
    return "unknown";
}
