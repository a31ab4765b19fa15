#include "grip_crypto.h"
#include "grip_vectors.h"
#include "unit.h"

#include "gc_b64url.h"
#include "gc_buffer.h"

static const grip_key_t *make_key(gc_slice_t bytes, apr_pool_t *pool)
{
    const grip_key_t *key = NULL;
    const char *why = "";

    if (grip_crypto_key_make(&key, &why, bytes, pool) != APR_SUCCESS) {
        fail_msg("key refused: it %s", why);
    }
    return key;
}

/* Fail unless a key is refused with a sentence that holds a word. */
static void assert_refused(gc_slice_t bytes, const char *word, apr_pool_t *pool)
{
    const grip_key_t *key = NULL;
    const char *why = NULL;

    assert_int_equal(grip_crypto_key_make(&key, &why, bytes, pool), APR_EINVAL);
    assert_null(key);
    if (!why || !strstr(why, word)) {
        fail_msg("reason '%s', wanted '%s'", why ? why : "", word);
    }
}

static int is_genuine(const grip_key_t *key, gc_slice_t message, gc_slice_t signature)
{
    int verdict = -1;

    assert_int_equal(grip_crypto_verify(&verdict, key, message, signature), APR_SUCCESS);
    return verdict;
}

/* A token as message and signature. */
static void split(gc_slice_t *message, gc_slice_t *signature, const char *token, apr_pool_t *pool)
{
    const char *dot = strrchr(token, '.');

    *message = gc_slice(token, (apr_size_t)(dot - token));
    assert_int_equal(gc_b64url_decode(signature, gc_slice_of(dot + 1), pool), APR_SUCCESS);
}

static const char *hex(const unsigned char *bytes, apr_size_t len, apr_pool_t *pool)
{
    const char *text = "";
    apr_size_t i;

    for (i = 0; i < len; i++) {
        text = apr_psprintf(pool, "%s%02x", text, bytes[i]);
    }
    return text;
}

static void computes_the_hmacs_of_rfc_4231(void **state)
{
    unsigned char code[GRIP_CRYPTO_HMAC_BYTES];

    assert_int_equal(
        grip_crypto_hmac_sha256(code,
                                gc_slice_of("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
                                            "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
                                gc_slice_of("Hi There")),
        APR_SUCCESS);
    assert_string_equal(hex(code, sizeof(code), *state),
                        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_int_equal(grip_crypto_hmac_sha256(code, gc_slice_of("Jefe"),
                                             gc_slice_of("what do ya want for nothing?")),
                     APR_SUCCESS);
    assert_string_equal(hex(code, sizeof(code), *state),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void computes_no_hmac_without_a_secret(void **state)
{
    unsigned char code[GRIP_CRYPTO_HMAC_BYTES];

    assert_int_equal(grip_crypto_hmac_sha256(code, gc_slice("", 0), gc_slice_of("x")), APR_EINVAL);
    assert_int_equal(grip_crypto_hmac_sha256(code, gc_slice("x", GRIP_CRYPTO_KEY_MAX_BYTES + 1),
                                             gc_slice_of("x")),
                     APR_EINVAL);
}

static void tells_the_kinds_of_keys_apart(void **state)
{
    assert_int_equal(grip_crypto_key_kind(make_key(gc_slice_of("changeme"), *state)),
                     GRIP_KEY_HMAC);
    assert_int_equal(grip_crypto_key_kind(make_key(gc_slice("\0\xff", 2), *state)), GRIP_KEY_HMAC);
    assert_int_equal(grip_crypto_key_kind(make_key(gc_slice_of(PEM_EC), *state)), GRIP_KEY_EC_P256);
    assert_int_equal(grip_crypto_key_kind(make_key(gc_slice_of(PEM_RSA), *state)), GRIP_KEY_RSA);
}

static void takes_a_pem_without_a_last_line_end(void **state)
{
    gc_slice_t pem = gc_slice_of(PEM_EC);

    pem.len--;
    assert_int_equal(grip_crypto_key_kind(make_key(pem, *state)), GRIP_KEY_EC_P256);
}

static void takes_a_pem_with_windows_line_ends_and_text_before_it(void **state)
{
    gc_buffer_t pem_text = gc_buffer_make(512, *state);
    const char *at;

    gc_buffer_append_text(&pem_text, "\r\nthe proxy's key:\r\n");
    for (at = PEM_EC; *at; at++) {
        gc_buffer_append_text(&pem_text, *at == '\n' ? "\r" : "");
        gc_buffer_append(&pem_text, gc_slice(at, 1));
    }
    assert_int_equal(grip_crypto_key_kind(make_key(gc_buffer_slice(&pem_text), *state)),
                     GRIP_KEY_EC_P256);
}

static void refuses_no_key_and_an_endless_one(void **state)
{
    char *endless = apr_pcalloc(*state, GRIP_CRYPTO_KEY_MAX_BYTES + 1);

    assert_refused(gc_slice("", 0), "is empty", *state);
    assert_refused(gc_slice(endless, GRIP_CRYPTO_KEY_MAX_BYTES + 1), "longer", *state);
    make_key(gc_slice(endless, GRIP_CRYPTO_KEY_MAX_BYTES), *state);
}

static void refuses_other_curves_and_weak_or_foreign_keys(void **state)
{
    assert_refused(gc_slice_of(PEM_P384), "another curve", *state);
    assert_refused(gc_slice_of(PEM_SECP256K1), "another curve", *state);
    assert_refused(gc_slice_of(PEM_RSA_1024), "2048", *state);
    assert_refused(gc_slice_of(PEM_ED25519), "kind", *state);
}

static void refuses_pem_that_is_no_public_key(void **state)
{
    assert_refused(gc_slice_of(PEM_EC_PRIVATE), "private key", *state);
    assert_refused(gc_slice_of(PEM_CERTIFICATE), "certificate", *state);
    assert_refused(gc_slice_of(PEM_RSA_PKCS1), "PKCS#1", *state);
    assert_refused(gc_slice(PEM_EC, 60), "readable", *state);
    assert_refused(gc_slice_of("-----BEGIN PUBLIC KEY-----\\nMFkw\\n-----END PUBLIC KEY-----"),
                   "line ends", *state);
}

/* A public key must never become a secret. */
static void refuses_public_keys_in_forms_that_would_pass_for_secrets(void **state)
{
    gc_slice_t der;

    assert_int_equal(grip_crypto_base64_decode(&der, gc_slice_of(B64_DER_EC), *state), APR_SUCCESS);
    assert_refused(der, "DER", *state);
    assert_refused(gc_slice_of("{\"kty\":\"EC\",\"crv\":\"P-256\"}"), "JSON Web Key", *state);
}

/* Would hang on a terminal, were OpenSSL left to ask. */
static void asks_nobody_for_a_passphrase(void **state)
{
    assert_refused(gc_slice_of("-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
                               "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                               "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"),
                   "readable", *state);
}

static void verifies_what_others_signed(void **state)
{
    static const struct {
        const char *key;
        const char *token;
    } signed_by_others[] = {{"changeme", TOKEN_HS256},
                            {PEM_EC, TOKEN_ES256},
                            {PEM_RSA, TOKEN_RS256},
                            {RFC7515_A3_KEY, RFC7515_A3_TOKEN}};
    apr_size_t i;

    for (i = 0; i < sizeof(signed_by_others) / sizeof(signed_by_others[0]); i++) {
        const grip_key_t *key = make_key(gc_slice_of(signed_by_others[i].key), *state);
        gc_slice_t message;
        gc_slice_t signature;
        char *bent;

        split(&message, &signature, signed_by_others[i].token, *state);
        assert_int_equal(is_genuine(key, message, signature), 1);
        bent = gc_slice_dup(message, *state);
        bent[5] ^= 1;
        assert_int_equal(is_genuine(key, gc_slice(bent, message.len), signature), 0);
        bent = gc_slice_dup(signature, *state);
        bent[signature.len - 1] ^= 1;
        assert_int_equal(is_genuine(key, message, gc_slice(bent, signature.len)), 0);
        assert_int_equal(is_genuine(key, message, gc_slice(bent, signature.len - 1)), 0);
        assert_int_equal(is_genuine(key, message, gc_slice("", 0)), 0);
        bent = apr_pcalloc(*state, signature.len + 1);
        memcpy(bent, signature.data, signature.len);
        assert_int_equal(is_genuine(key, message, gc_slice(bent, signature.len + 1)), 0);
    }
}

/* CVE-2022-21449 was this signature, taken for everything. */
static void refuses_signatures_of_zeros_and_of_all_ones(void **state)
{
    const grip_key_t *key = make_key(gc_slice_of(PEM_EC), *state);
    char signature[64] = {0};

    assert_int_equal(is_genuine(key, gc_slice_of("x"), gc_slice(signature, 64)), 0);
    memset(signature, 0xff, sizeof(signature));
    assert_int_equal(is_genuine(key, gc_slice_of("x"), gc_slice(signature, 64)), 0);
}

static void signs_hs256_with_secrets_only(void **state)
{
    unsigned char code[GRIP_CRYPTO_HMAC_BYTES];
    gc_slice_t message;
    gc_slice_t signature;

    split(&message, &signature, TOKEN_HS256, *state);
    assert_int_equal(
        grip_crypto_sign_hs256(code, make_key(gc_slice_of("changeme"), *state), message),
        APR_SUCCESS);
    assert_int_equal(signature.len, sizeof(code));
    assert_memory_equal(code, signature.data, sizeof(code));
    assert_int_equal(grip_crypto_sign_hs256(code, make_key(gc_slice_of(PEM_EC), *state), message),
                     APR_EINVAL);
}

static void random_bytes_differ_each_time(void **state)
{
    unsigned char a[32] = {0};
    unsigned char b[32] = {0};

    assert_int_equal(grip_crypto_random(a, sizeof(a)), APR_SUCCESS);
    assert_int_equal(grip_crypto_random(b, sizeof(b)), APR_SUCCESS);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(grip_crypto_random(a, 0), APR_SUCCESS);
    assert_int_equal(grip_crypto_random(a, 1024 * 1024 + 1), APR_EINVAL);
}

static void compares_all_bytes_and_the_length(void **state)
{
    assert_true(grip_crypto_equal(gc_slice("a\0b", 3), gc_slice("a\0b", 3)));
    assert_true(grip_crypto_equal(gc_slice(NULL, 0), gc_slice("", 0)));
    assert_false(grip_crypto_equal(gc_slice("a\0b", 3), gc_slice("a\0c", 3)));
    assert_false(grip_crypto_equal(gc_slice_of("ab"), gc_slice_of("abc")));
}

static void decodes_standard_base64_strictly(void **state)
{
    static const char *const refused[] = {"Zm9vYg", "Zm9vYg=", "Zm9vYh==", "-_8=", "Zm9v\n",
                                          " Zm9v",  "Zm9vY",   "====",     "Zm=v", "Zm9v===="};
    gc_slice_t bytes = gc_slice("x", 1);
    apr_size_t i;

    assert_int_equal(grip_crypto_base64_decode(&bytes, gc_slice_of("Zm9vYg=="), *state),
                     APR_SUCCESS);
    assert_slice_equal(bytes, "foob");
    assert_int_equal(grip_crypto_base64_decode(&bytes, gc_slice_of("+/8="), *state), APR_SUCCESS);
    assert_slice_equal(bytes, "\xfb\xff");
    assert_int_equal(grip_crypto_base64_decode(&bytes, gc_slice("", 0), *state), APR_SUCCESS);
    assert_slice_equal(bytes, "");
    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        bytes = gc_slice("untouched", 9);
        if (grip_crypto_base64_decode(&bytes, gc_slice_of(refused[i]), *state) != APR_EINVAL) {
            fail_msg("took '%s'", refused[i]);
        }
        assert_slice_equal(bytes, "untouched");
    }
}

/* FIPS 180-4's examples, as NIST publishes them. */
static void computes_sha256_digests(void **state)
{
    static const unsigned char of_abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                           0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                           0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                           0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    static const unsigned char of_nothing[] = {0xe3, 0xb0, 0xc4, 0x42};
    unsigned char digest[GRIP_CRYPTO_SHA256_BYTES];

    assert_int_equal(grip_crypto_sha256(digest, gc_slice_of("abc")), APR_SUCCESS);
    assert_memory_equal(digest, of_abc, sizeof(digest));
    assert_int_equal(grip_crypto_sha256(digest, gc_slice(NULL, 0)), APR_SUCCESS);
    assert_memory_equal(digest, of_nothing, sizeof(of_nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(computes_sha256_digests),
        POOL_TEST(computes_the_hmacs_of_rfc_4231),
        POOL_TEST(computes_no_hmac_without_a_secret),
        POOL_TEST(tells_the_kinds_of_keys_apart),
        POOL_TEST(takes_a_pem_without_a_last_line_end),
        POOL_TEST(takes_a_pem_with_windows_line_ends_and_text_before_it),
        POOL_TEST(refuses_no_key_and_an_endless_one),
        POOL_TEST(refuses_other_curves_and_weak_or_foreign_keys),
        POOL_TEST(refuses_pem_that_is_no_public_key),
        POOL_TEST(refuses_public_keys_in_forms_that_would_pass_for_secrets),
        POOL_TEST(asks_nobody_for_a_passphrase),
        POOL_TEST(verifies_what_others_signed),
        POOL_TEST(refuses_signatures_of_zeros_and_of_all_ones),
        POOL_TEST(signs_hs256_with_secrets_only),
        POOL_TEST(random_bytes_differ_each_time),
        POOL_TEST(compares_all_bytes_and_the_length),
        POOL_TEST(decodes_standard_base64_strictly),
    };

    return UNIT_RUN(tests);
}
