#include "grip_jws.h"

#include "gc_b64url.h"
#include "gc_json.h"

#define LIFETIME_MAX apr_time_from_sec(24 * 3600)

/* Seconds on the wire are doubles here until they have been compared: 1e300 fits no integer. */
static double seconds_of(apr_time_t t)
{
    return (double)t / (double)APR_USEC_PER_SEC;
}

static int kind_of_algorithm(grip_key_kind_e *kind, gc_slice_t algorithm)
{
    static const struct {
        const char *name;
        grip_key_kind_e kind;
    } known[] = {{"HS256", GRIP_KEY_HMAC}, {"ES256", GRIP_KEY_EC_P256}, {"RS256", GRIP_KEY_RSA}};
    apr_size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (gc_slice_equal(algorithm, gc_slice_of(known[i].name))) {
            *kind = known[i].kind;
            return 1;
        }
    }
    return 0;
}

static apr_status_t read_header(grip_key_kind_e *wants, gc_slice_t encoded, apr_pool_t *pool)
{
    gc_slice_t text;
    gc_slice_t algorithm;
    const gc_json_t *header;
    gc_slice_t ignored;
    apr_status_t rv;

    rv = gc_b64url_decode(&text, encoded, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = gc_json_parse_object(&header, text, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (gc_json_get_string(&ignored, header, "crit") != APR_ENOENT) {
        return APR_EINVAL;
    }
    if (gc_json_get_string(&algorithm, header, "alg") != APR_SUCCESS) {
        return APR_EINVAL;
    }
    return kind_of_algorithm(wants, algorithm) ? APR_SUCCESS : APR_EINVAL;
}

apr_status_t grip_jws_split(grip_jws_t *out, gc_slice_t token, apr_pool_t *pool)
{
    grip_jws_t jws;
    gc_slice_t rest = token;
    gc_slice_t header;
    gc_slice_t payload;
    apr_status_t rv;

    if (token.len > GRIP_JWS_MAX_BYTES) {
        return APR_EINVAL;
    }
    if (gc_slice_until(&rest, '.', &header) != APR_SUCCESS ||
        gc_slice_until(&rest, '.', &payload) != APR_SUCCESS)
    {
        return APR_EINVAL;
    }
    rv = read_header(&jws.wants, header, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = gc_b64url_decode(&jws.payload, payload, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = gc_b64url_decode(&jws.signature, rest, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    jws.signed_part = gc_slice(token.data, header.len + 1 + payload.len);
    *out = jws;
    return APR_SUCCESS;
}

static int is_issued_by(const gc_json_t *claims, const char *iss)
{
    gc_slice_t claimed;

    return gc_json_get_string(&claimed, claims, "iss") == APR_SUCCESS &&
           gc_slice_equal(claimed, gc_slice_of(iss));
}

/* RFC 7519, section 4.1. Comparisons are written so that an odd number (there is no NaN in JSON,
 * but perhaps not the next parser) falls on the side of refusal. */
static grip_jws_verdict_e judge_claims(apr_time_t *good_until, gc_slice_t payload, const char *iss,
                                       apr_time_t now, apr_pool_t *pool)
{
    const double skew = seconds_of(GRIP_JWS_SKEW);
    const gc_json_t *claims;
    double exp;
    double nbf;
    apr_status_t rv;

    if (gc_json_parse_object(&claims, payload, pool) != APR_SUCCESS ||
        gc_json_get_number(&exp, claims, "exp") != APR_SUCCESS)
    {
        return GRIP_JWS_INVALID;
    }
    if (iss && !is_issued_by(claims, iss)) {
        return GRIP_JWS_INVALID;
    }
    rv = gc_json_get_number(&nbf, claims, "nbf");
    if (rv != APR_ENOENT && (rv != APR_SUCCESS || !(nbf <= seconds_of(now) + skew))) {
        return GRIP_JWS_INVALID;
    }
    if (!(exp + skew > seconds_of(now))) {
        return GRIP_JWS_EXPIRED;
    }
    *good_until = now + LIFETIME_MAX;
    if (exp + skew < seconds_of(*good_until)) {
        *good_until = (apr_time_t)((exp + skew) * (double)APR_USEC_PER_SEC);
    }
    return GRIP_JWS_VALID;
}

apr_status_t grip_jws_verify(grip_jws_verdict_e *verdict, apr_time_t *good_until,
                             const grip_jws_t *jws, const grip_key_t *key, const char *iss,
                             apr_time_t now, apr_pool_t *scratch_pool)
{
    apr_time_t until = 0;
    int is_genuine;
    apr_status_t rv;

    *verdict = GRIP_JWS_INVALID;
    if (jws->wants != grip_crypto_key_kind(key)) {
        return APR_SUCCESS;
    }
    rv = grip_crypto_verify(&is_genuine, key, jws->signed_part, jws->signature);
    if (rv != APR_SUCCESS || !is_genuine) {
        return rv;
    }
    *verdict = judge_claims(&until, jws->payload, iss, now, scratch_pool);
    if (*verdict == GRIP_JWS_VALID && good_until) {
        *good_until = until;
    }
    return APR_SUCCESS;
}

apr_status_t grip_jws_sign(const char **out, const grip_key_t *key, const char *iss, apr_time_t now,
                           apr_interval_time_t lifetime, apr_pool_t *pool)
{
    gc_buffer_t claims = gc_buffer_make(128, pool);
    unsigned char code[GRIP_CRYPTO_HMAC_BYTES];
    const char *signed_part;
    apr_status_t rv;

    if (lifetime < apr_time_from_sec(1) || lifetime > LIFETIME_MAX) {
        return APR_EINVAL;
    }
    gc_buffer_append_text(&claims, "{\"iss\":");
    rv = gc_json_append_string(&claims, gc_slice_of(iss));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    gc_buffer_append_text(&claims, ",\"exp\":");
    gc_buffer_append_int64(&claims, apr_time_sec(now + lifetime + APR_USEC_PER_SEC - 1));
    gc_buffer_append_text(&claims, "}");
    signed_part = apr_pstrcat(
        pool, gc_b64url_encode(gc_slice_of("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), pool), ".",
        gc_b64url_encode(gc_buffer_slice(&claims), pool), NULL);
    rv = grip_crypto_sign_hs256(code, key, gc_slice_of(signed_part));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *out = apr_pstrcat(pool, signed_part, ".",
                       gc_b64url_encode(gc_slice((const char *)code, sizeof(code)), pool), NULL);
    return APR_SUCCESS;
}
