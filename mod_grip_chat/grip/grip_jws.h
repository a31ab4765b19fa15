/* JSON Web Tokens in compact form (RFC 7515, RFC 7519), as GRIP uses them: Grip-Sig, and the bearer
 * token of a publish. The algorithm always comes from the key, never from the token. */
#ifndef GRIP_JWS_H
#define GRIP_JWS_H

#include <apr_time.h>

#include "grip_crypto.h"

/** The longest token that is looked at; Pushpin's have about 150 bytes. */
#define GRIP_JWS_MAX_BYTES 8192

/** By how much clocks may differ, for exp and nbf. */
#define GRIP_JWS_SKEW apr_time_from_sec(60)

/** A token taken apart. Its parts say nothing until grip_jws_verify has found them genuine. */
typedef struct grip_jws_t {
    gc_slice_t signed_part; /**< "header.payload" as it came; points into the token */
    gc_slice_t payload;     /**< decoded */
    gc_slice_t signature;   /**< decoded */
    grip_key_kind_e wants;  /**< the kind of key that its "alg" needs */
} grip_jws_t;

/** The judgement of a token. */
typedef enum grip_jws_verdict_e {
    GRIP_JWS_INVALID, /**< not the key's, another issuer's, not yet valid, or without proper exp */
    GRIP_JWS_EXPIRED, /**< would be valid, but its time is over */
    GRIP_JWS_VALID
} grip_jws_verdict_e;

/**
 * Take a compact JWS apart. Algorithms other than HS256, ES256 and RS256 ("none" above all), "crit"
 * (RFC 7515, section 4.1.11) and a header that is not one JSON object are refused.
 *
 * @param out    the parts, valid as long as pool and token; untouched on failure
 * @param token  any bytes, at most GRIP_JWS_MAX_BYTES
 * @param pool   owns the decoded parts
 * @return APR_SUCCESS, or APR_EINVAL. Thread-safe with pools of one's own; does not log.
 */
apr_status_t grip_jws_split(grip_jws_t *out, gc_slice_t token, apr_pool_t *pool);

/**
 * Judge a token with one key: its algorithm must be the key's, its signature genuine, and then its
 * claims good: exp (a number, required), nbf and iss.
 *
 * @param verdict       the answer; GRIP_JWS_INVALID on failure
 * @param good_until    if not NULL and the verdict is GRIP_JWS_VALID: when this answer ends (exp
 *                      and the skew, at most a day from now), for a cache; else untouched
 * @param jws           the parts from grip_jws_split
 * @param key           the verifying key
 * @param iss           the issuer that must be named, or NULL for any or none
 * @param now           the time to judge by
 * @param scratch_pool  for temporaries
 * @return APR_SUCCESS, or APR_EGENERAL if OpenSSL could not even try. Thread-safe; does not log.
 */
apr_status_t grip_jws_verify(grip_jws_verdict_e *verdict, apr_time_t *good_until,
                             const grip_jws_t *jws, const grip_key_t *key, const char *iss,
                             apr_time_t now, apr_pool_t *scratch_pool);

/**
 * Sign {"iss": iss, "exp": …} with HS256.
 *
 * @param out       the token, owned by pool; untouched on failure. It is a secret until it expires.
 * @param key       of kind GRIP_KEY_HMAC
 * @param iss       UTF-8
 * @param now       the time to count from
 * @param lifetime  how long it is good, 1 s .. 1 day; a fraction of a second is rounded up
 * @return APR_SUCCESS, APR_EINVAL if key, iss or lifetime is not as above, APR_EGENERAL if OpenSSL
 *         failed. Thread-safe; does not log.
 */
apr_status_t grip_jws_sign(const char **out, const grip_key_t *key, const char *iss, apr_time_t now,
                           apr_interval_time_t lifetime, apr_pool_t *pool);

#endif
