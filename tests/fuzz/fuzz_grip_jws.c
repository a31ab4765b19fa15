/* grip_jws: Grip-Sig comes from any sender of a request, and decides which requests get hold
 * instructions. The first byte of an input tells how to read the rest: as a whole token, or ('c')
 * as claims that are then signed. So the code after a genuine signature is reached too. */
#include "grip_jws.h"

#include "gc_b64url.h"

#include "fuzz_base.h"

#define NOW apr_time_from_sec(1700000000)

static const grip_key_t *key_of(const char *bytes, apr_pool_t *pool)
{
    const grip_key_t *key = NULL;
    const char *why;

    FUZZ_CHECK(grip_crypto_key_make(&key, &why, gc_slice_of(bytes), pool) == APR_SUCCESS);
    return key;
}

static void check_token(gc_slice_t token, apr_pool_t *pool)
{
    static const char public_key[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
        "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
        "-----END PUBLIC KEY-----\n";
    grip_jws_verdict_e verdict;
    apr_time_t until = 0;
    grip_jws_t jws = {0};

    if (grip_jws_split(&jws, token, pool) != APR_SUCCESS) {
        FUZZ_CHECK(jws.signed_part.data == NULL);
        return;
    }
    FUZZ_CHECK(token.len <= GRIP_JWS_MAX_BYTES && jws.signed_part.data == token.data);
    FUZZ_CHECK(grip_jws_verify(&verdict, &until, &jws, key_of("fuzz", pool), NULL, NOW, pool) ==
               APR_SUCCESS);
    FUZZ_CHECK(verdict != GRIP_JWS_VALID || jws.wants == GRIP_KEY_HMAC);
    FUZZ_CHECK(verdict != GRIP_JWS_VALID || until > NOW);
    FUZZ_CHECK(verdict == GRIP_JWS_VALID || until == 0);
    FUZZ_CHECK(grip_jws_verify(&verdict, NULL, &jws, key_of(public_key, pool), "joe", 0, pool) ==
               APR_SUCCESS);
    FUZZ_CHECK(verdict == GRIP_JWS_INVALID || jws.wants == GRIP_KEY_EC_P256);
}

static gc_slice_t sign(gc_slice_t payload, apr_pool_t *pool)
{
    unsigned char code[GRIP_CRYPTO_HMAC_BYTES];
    const char *head =
        apr_pstrcat(pool, "eyJhbGciOiJIUzI1NiJ9.", gc_b64url_encode(payload, pool), NULL);

    FUZZ_CHECK(grip_crypto_hmac_sha256(code, gc_slice_of("fuzz"), gc_slice_of(head)) ==
               APR_SUCCESS);
    return gc_slice_of(apr_pstrcat(
        pool, head, ".", gc_b64url_encode(gc_slice((const char *)code, sizeof(code)), pool), NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool;
    gc_slice_t rest;

    if (size == 0) {
        return 0;
    }
    pool = fuzz_pool_make();
    rest = fuzz_slice(data + 1, size - 1);
    check_token(data[0] == 'c' ? sign(rest, pool) : rest, pool);
    apr_pool_destroy(pool);
    return 0;
}
