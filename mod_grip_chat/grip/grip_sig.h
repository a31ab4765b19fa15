/* Grip-Sig: whether a request comes from one of our proxies. Nothing else decides that: promise 7
 * of docs/reliability.md. */
#ifndef GRIP_SIG_H
#define GRIP_SIG_H

#include "grip_jws.h"
#include "grip_url.h"

/** The judgement of a request by its Grip-Sig header. Only VALID and UNCHECKED_ACCEPTED make it a
 * proxied one: see grip_sig_is_proxied. */
typedef enum grip_sig_verdict_e {
    GRIP_SIG_ABSENT,            /**< no Grip-Sig, or an empty one: a client of our own */
    GRIP_SIG_INVALID,           /**< no proxy of ours signed it */
    GRIP_SIG_EXPIRED,           /**< one of our proxies signed it, too long ago; check the clocks */
    GRIP_SIG_VALID,             /**< one of our proxies signed it */
    GRIP_SIG_UNCHECKED_ACCEPTED /**< taken as it comes, because no configured proxy has a key */
} grip_sig_verdict_e;

/** The answer to grip_sig_check. */
typedef struct grip_sig_t {
    grip_sig_verdict_e verdict;
    const grip_proxy_t *proxy; /**< the signer, if VALID or EXPIRED; else NULL */
    apr_time_t good_until;     /**< if VALID: when this answer ends, for a cache; else 0 */
} grip_sig_t;

/**
 * Judge a Grip-Sig header by all proxies of a site. Proxies without a key verify nothing; only
 * where none has one is any Grip-Sig taken, and where there is no proxy at all none is.
 *
 * @param out           the answer, also set on failure (then not proxied)
 * @param proxies       count proxies of the site
 * @param header        the value of Grip-Sig; an empty slice if there is no such header
 * @param now           the time to judge by
 * @param scratch_pool  for temporaries
 * @return APR_SUCCESS, or APR_EGENERAL if OpenSSL could not even try and no other key verified it.
 *         Thread-safe; does not log.
 */
apr_status_t grip_sig_check(grip_sig_t *out, const grip_proxy_t *const *proxies, apr_size_t count,
                            gc_slice_t header, apr_time_t now, apr_pool_t *scratch_pool);

/** Whether the request came through a proxy, and may be answered with hold instructions. Pure. */
static inline int grip_sig_is_proxied(const grip_sig_t *sig)
{
    return sig->verdict == GRIP_SIG_VALID || sig->verdict == GRIP_SIG_UNCHECKED_ACCEPTED;
}

/** A word for logs: "absent", "invalid", "expired", "valid", "unchecked". Pure. */
const char *grip_sig_verdict_name(grip_sig_verdict_e verdict);

#endif
