#include "grip_jws.h"
#include "grip_vectors.h"
#include "unit.h"

#include "gc_b64url.h"

#define EXP_OF_TOKENS 1800000000
#define NOW           apr_time_from_sec(EXP_OF_TOKENS - 100)
#define HS256         "{\"alg\":\"HS256\"}"

static const grip_key_t *make_key(const char *bytes, apr_pool_t *pool)
{
    const grip_key_t *key = NULL;
    const char *why = "";

    if (grip_crypto_key_make(&key, &why, gc_slice_of(bytes), pool) != APR_SUCCESS) {
        fail_msg("key refused: it %s", why);
    }
    return key;
}

/* Sign any header and payload with HMAC and "changeme". */
static const char *token_of(const char *header, const char *payload, apr_pool_t *pool)
{
    unsigned char code[GRIP_CRYPTO_HMAC_BYTES];
    const char *signed_part = apr_pstrcat(pool, gc_b64url_encode(gc_slice_of(header), pool), ".",
                                          gc_b64url_encode(gc_slice_of(payload), pool), NULL);

    assert_int_equal(
        grip_crypto_hmac_sha256(code, gc_slice_of("changeme"), gc_slice_of(signed_part)),
        APR_SUCCESS);
    return apr_pstrcat(pool, signed_part, ".",
                       gc_b64url_encode(gc_slice((const char *)code, sizeof(code)), pool), NULL);
}

static apr_status_t split(const char *token, apr_pool_t *pool)
{
    grip_jws_t jws;

    return grip_jws_split(&jws, gc_slice_of(token), pool);
}

static grip_jws_verdict_e verdict_of(const char *token, const char *key, const char *iss,
                                     apr_time_t now, apr_pool_t *pool)
{
    grip_jws_verdict_e verdict = GRIP_JWS_VALID;
    grip_jws_t jws;

    assert_int_equal(grip_jws_split(&jws, gc_slice_of(token), pool), APR_SUCCESS);
    assert_int_equal(grip_jws_verify(&verdict, NULL, &jws, make_key(key, pool), iss, now, pool),
                     APR_SUCCESS);
    return verdict;
}

static grip_jws_verdict_e verdict_of_claims(const char *claims, apr_time_t now, apr_pool_t *pool)
{
    return verdict_of(token_of(HS256, claims, pool), "changeme", NULL, now, pool);
}

static void takes_tokens_that_others_signed(void **state)
{
    const apr_time_t then = apr_time_from_sec(1300819380 - 1);
    gc_slice_t secret;
    const grip_key_t *key = NULL;
    const char *why;
    grip_jws_verdict_e verdict;
    grip_jws_t jws;

    assert_int_equal(verdict_of(TOKEN_HS256, "changeme", "pushpin", NOW, *state), GRIP_JWS_VALID);
    assert_int_equal(verdict_of(TOKEN_ES256, PEM_EC, "fastly:abc", NOW, *state), GRIP_JWS_VALID);
    assert_int_equal(verdict_of(TOKEN_RS256, PEM_RSA, "pushpin", NOW, *state), GRIP_JWS_VALID);
    assert_int_equal(verdict_of(RFC7515_A3_TOKEN, RFC7515_A3_KEY, "joe", then, *state),
                     GRIP_JWS_VALID);
    assert_int_equal(gc_b64url_decode(&secret, gc_slice_of(RFC7515_A1_KEY), *state), APR_SUCCESS);
    assert_int_equal(grip_crypto_key_make(&key, &why, secret, *state), APR_SUCCESS);
    assert_int_equal(grip_jws_split(&jws, gc_slice_of(RFC7515_A1_TOKEN), *state), APR_SUCCESS);
    assert_int_equal(grip_jws_verify(&verdict, NULL, &jws, key, "joe", then, *state), APR_SUCCESS);
    assert_int_equal(verdict, GRIP_JWS_VALID);
}

static void refuses_the_keys_of_others(void **state)
{
    assert_int_equal(verdict_of(TOKEN_HS256, "changeme2", NULL, NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of(TOKEN_ES256, RFC7515_A3_KEY, NULL, NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of(RFC7515_A3_TOKEN, PEM_EC, NULL, 0, *state), GRIP_JWS_INVALID);
}

static void refuses_algorithms_that_are_not_ours(void **state)
{
    const char *claims = "{\"exp\":1800000000}";

    assert_int_equal(split(TOKEN_NONE, *state), APR_EINVAL);
    assert_int_equal(split(TOKEN_HS512, *state), APR_EINVAL);
    assert_int_equal(split(token_of("{\"alg\":\"None\"}", claims, *state), *state), APR_EINVAL);
    assert_int_equal(split(token_of("{\"alg\":\"hs256\"}", claims, *state), *state), APR_EINVAL);
    assert_int_equal(split(token_of("{\"alg\":\"HS256\\u0000\"}", claims, *state), *state),
                     APR_EINVAL);
    assert_int_equal(split(token_of("{\"alg\":[\"HS256\"]}", claims, *state), *state), APR_EINVAL);
    assert_int_equal(split(token_of("{\"typ\":\"JWT\"}", claims, *state), *state), APR_EINVAL);
}

/* The classic: the public key, which everybody has, used as an HMAC secret. */
static void takes_an_algorithm_only_where_it_fits_the_key(void **state)
{
    assert_int_equal(verdict_of(TOKEN_CONFUSED, PEM_EC, NULL, NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of(TOKEN_MISLABELLED, "changeme", NULL, NOW, *state),
                     GRIP_JWS_INVALID);
    assert_int_equal(verdict_of(TOKEN_RS256, PEM_EC, NULL, NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of(TOKEN_ES256, PEM_RSA, NULL, NOW, *state), GRIP_JWS_INVALID);
}

static void refuses_headers_with_crit(void **state)
{
    assert_int_equal(split(TOKEN_CRIT, *state), APR_EINVAL);
    assert_int_equal(
        split(token_of("{\"alg\":\"HS256\",\"crit\":\"b64\"}", "{\"exp\":1}", *state), *state),
        APR_EINVAL);
    assert_int_equal(
        split(token_of("{\"alg\":\"HS256\",\"crit\":null}", "{\"exp\":1}", *state), *state),
        APR_EINVAL);
}

static void refuses_what_is_not_three_proper_parts(void **state)
{
    static const char *const refused[] = {
        "", ".", "..", "a.b", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.e30",
        "eyJhbGciOiJIUzI1NiJ9.e30.x.y", "eyJhbGciOiJIUzI1NiJ9.e3 0.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.e30=.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.AB=", "e30.e30.AAAA",
        /* a header that names alg twice, and one that is an array */
        "eyJhbGciOiJub25lIiwiYWxnIjoiSFMyNTYifQ.e30.AAAA", "WyJIUzI1NiJd.e30.AAAA"};
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (split(refused[i], *state) != APR_EINVAL) {
            fail_msg("took '%s'", refused[i]);
        }
    }
    assert_int_equal(split("eyJhbGciOiJIUzI1NiJ9.e30.", *state), APR_SUCCESS);
    assert_int_equal(verdict_of("eyJhbGciOiJIUzI1NiJ9.e30.", "changeme", NULL, NOW, *state),
                     GRIP_JWS_INVALID);
}

static void looks_at_no_token_beyond_the_limit(void **state)
{
    /* Header, two dots and signature take 65 bytes, the claims around the padding 27 before
     * base64. */
    char *pad = apr_pcalloc(*state, 6068);
    const char *token;

    memset(pad, 'x', 6067);
    token =
        token_of(HS256, apr_psprintf(*state, "{\"exp\":1800000000,\"pad\":\"%s\"}", pad), *state);
    assert_in_range(strlen(token), GRIP_JWS_MAX_BYTES - 3, GRIP_JWS_MAX_BYTES);
    assert_int_equal(verdict_of(token, "changeme", NULL, NOW, *state), GRIP_JWS_VALID);
    token = apr_pstrcat(*state, token, "AAAA", NULL);
    assert_true(strlen(token) > GRIP_JWS_MAX_BYTES);
    assert_int_equal(split(token, *state), APR_EINVAL);
}

static void ends_a_token_at_exp_and_the_skew(void **state)
{
    const apr_time_t end = apr_time_from_sec(EXP_OF_TOKENS) + GRIP_JWS_SKEW;

    assert_int_equal(verdict_of(TOKEN_HS256, "changeme", NULL, end - 1, *state), GRIP_JWS_VALID);
    assert_int_equal(verdict_of(TOKEN_HS256, "changeme", NULL, end, *state), GRIP_JWS_EXPIRED);
    assert_int_equal(verdict_of(TOKEN_HS256, "other", NULL, end, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of(TOKEN_HS256, "changeme", "other", end, *state), GRIP_JWS_INVALID);
}

static void requires_exp_to_be_a_number(void **state)
{
    assert_int_equal(verdict_of_claims("{}", NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("{\"exp\":\"1800000000\"}", NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("{\"exp\":null}", NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("{\"exp\":true}", NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("{\"exp\":NaN}", NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("{\"exp\":1800000000", NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("1800000000", NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("", NOW, *state), GRIP_JWS_INVALID);
}

static void compares_numbers_that_no_integer_holds(void **state)
{
    assert_int_equal(verdict_of_claims("{\"exp\":1e300}", NOW, *state), GRIP_JWS_VALID);
    assert_int_equal(verdict_of_claims("{\"exp\":-1e300}", NOW, *state), GRIP_JWS_EXPIRED);
    assert_int_equal(verdict_of_claims("{\"exp\":1e999}", NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("{\"exp\":0}", NOW, *state), GRIP_JWS_EXPIRED);
    assert_int_equal(verdict_of_claims("{\"exp\":-1}", NOW, *state), GRIP_JWS_EXPIRED);
    assert_int_equal(verdict_of_claims("{\"exp\":9223372036854775807}", NOW, *state),
                     GRIP_JWS_VALID);
    assert_int_equal(verdict_of_claims("{\"exp\":1800000000.5}", NOW, *state), GRIP_JWS_VALID);
}

static void honours_nbf(void **state)
{
    const char *claims = "{\"exp\":1e12,\"nbf\":1800000000}";
    const apr_time_t start = apr_time_from_sec(1800000000) - GRIP_JWS_SKEW;

    assert_int_equal(verdict_of_claims(claims, start, *state), GRIP_JWS_VALID);
    assert_int_equal(verdict_of_claims(claims, start - 1, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("{\"exp\":1e12,\"nbf\":\"0\"}", NOW, *state),
                     GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("{\"exp\":1e12,\"nbf\":1e300}", NOW, *state),
                     GRIP_JWS_INVALID);
    assert_int_equal(verdict_of_claims("{\"exp\":1e12,\"nbf\":-1e300}", NOW, *state),
                     GRIP_JWS_VALID);
}

static void checks_the_issuer_where_one_is_wanted(void **state)
{
    const char *token = token_of(HS256, "{\"exp\":1800000000,\"iss\":[\"pushpin\"]}", *state);

    assert_int_equal(verdict_of(TOKEN_HS256, "changeme", "pushpin2", NOW, *state),
                     GRIP_JWS_INVALID);
    assert_int_equal(verdict_of(TOKEN_HS256, "changeme", "pushpi", NOW, *state), GRIP_JWS_INVALID);
    assert_int_equal(verdict_of(TOKEN_HS256, "changeme", NULL, NOW, *state), GRIP_JWS_VALID);
    assert_int_equal(verdict_of(token, "changeme", "pushpin", NOW, *state), GRIP_JWS_INVALID);
    token = token_of(HS256, "{\"exp\":1800000000}", *state);
    assert_int_equal(verdict_of(token, "changeme", "pushpin", NOW, *state), GRIP_JWS_INVALID);
}

static void tells_a_cache_how_long_the_answer_is_good(void **state)
{
    grip_jws_verdict_e verdict;
    apr_time_t until = -1;
    grip_jws_t jws;
    const grip_key_t *key = make_key("changeme", *state);

    assert_int_equal(grip_jws_split(&jws, gc_slice_of(TOKEN_HS256), *state), APR_SUCCESS);
    assert_int_equal(grip_jws_verify(&verdict, &until, &jws, key, NULL, NOW, *state), APR_SUCCESS);
    assert_int_equal(until, apr_time_from_sec(EXP_OF_TOKENS) + GRIP_JWS_SKEW);
    until = -1;
    assert_int_equal(grip_jws_verify(&verdict, &until, &jws, key, "other", NOW, *state),
                     APR_SUCCESS);
    assert_int_equal(until, -1);
    assert_int_equal(
        grip_jws_split(&jws, gc_slice_of(token_of(HS256, "{\"exp\":1e300}", *state)), *state),
        APR_SUCCESS);
    assert_int_equal(grip_jws_verify(&verdict, &until, &jws, key, NULL, NOW, *state), APR_SUCCESS);
    assert_int_equal(until, NOW + apr_time_from_sec(24 * 3600));
}

static void signs_what_it_would_take(void **state)
{
    const grip_key_t *key = make_key("changeme", *state);
    const char *token = NULL;
    apr_time_t now = apr_time_from_sec(1000) + 1;
    grip_jws_t jws;

    assert_int_equal(grip_jws_sign(&token, key, "a \"b\"", now, apr_time_from_sec(600), *state),
                     APR_SUCCESS);
    assert_int_equal(verdict_of(token, "changeme", "a \"b\"", now, *state), GRIP_JWS_VALID);
    assert_int_equal(grip_jws_split(&jws, gc_slice_of(token), *state), APR_SUCCESS);
    assert_slice_equal(jws.payload, "{\"iss\":\"a \\\"b\\\"\",\"exp\":1601}");
}

/* PyJWT wrote the same header, so the whole token must be the same. */
static void signs_as_others_sign(void **state)
{
    const char *token = NULL;

    assert_int_equal(grip_jws_sign(&token, make_key("changeme", *state), "pushpin",
                                   apr_time_from_sec(EXP_OF_TOKENS - 600), apr_time_from_sec(600),
                                   *state),
                     APR_SUCCESS);
    assert_string_equal(token, TOKEN_HS256);
}

static void signs_nothing_out_of_bounds(void **state)
{
    const grip_key_t *key = make_key("changeme", *state);
    const char *token = "untouched";

    assert_int_equal(grip_jws_sign(&token, key, "x", NOW, apr_time_from_sec(1) - 1, *state),
                     APR_EINVAL);
    assert_int_equal(grip_jws_sign(&token, key, "x", NOW, apr_time_from_sec(86400) + 1, *state),
                     APR_EINVAL);
    assert_int_equal(grip_jws_sign(&token, key, "\xff", NOW, apr_time_from_sec(1), *state),
                     APR_EINVAL);
    assert_int_equal(
        grip_jws_sign(&token, make_key(PEM_EC, *state), "x", NOW, apr_time_from_sec(1), *state),
        APR_EINVAL);
    assert_string_equal(token, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(takes_tokens_that_others_signed),
        POOL_TEST(refuses_the_keys_of_others),
        POOL_TEST(refuses_algorithms_that_are_not_ours),
        POOL_TEST(takes_an_algorithm_only_where_it_fits_the_key),
        POOL_TEST(refuses_headers_with_crit),
        POOL_TEST(refuses_what_is_not_three_proper_parts),
        POOL_TEST(looks_at_no_token_beyond_the_limit),
        POOL_TEST(ends_a_token_at_exp_and_the_skew),
        POOL_TEST(requires_exp_to_be_a_number),
        POOL_TEST(compares_numbers_that_no_integer_holds),
        POOL_TEST(honours_nbf),
        POOL_TEST(checks_the_issuer_where_one_is_wanted),
        POOL_TEST(tells_a_cache_how_long_the_answer_is_good),
        POOL_TEST(signs_what_it_would_take),
        POOL_TEST(signs_as_others_sign),
        POOL_TEST(signs_nothing_out_of_bounds),
    };

    return UNIT_RUN(tests);
}
