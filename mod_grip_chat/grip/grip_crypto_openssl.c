#include "grip_crypto.h"

#include <apr_encode.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#define P256_HALF_BYTES  32
#define RANDOM_MAX_BYTES (1024 * 1024)

struct grip_key_t {
    grip_key_kind_e kind;
    unsigned char *secret; /* HMAC only */
    apr_size_t secret_len;
    EVP_PKEY *public_key; /* EC and RSA only */
};

static const unsigned char *bytes_of(gc_slice_t s)
{
    return (const unsigned char *)(s.len ? s.data : "");
}

static apr_status_t wipe_key(void *data)
{
    grip_key_t *key = data;

    if (key->secret) {
        OPENSSL_cleanse(key->secret, key->secret_len);
    }
    EVP_PKEY_free(key->public_key);
    return APR_SUCCESS;
}

static int holds(gc_slice_t text, const char *needle)
{
    apr_size_t len = strlen(needle);

    for (; text.len >= len; text.data++, text.len--) {
        if (memcmp(text.data, needle, len) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Without this, OpenSSL would ask the terminal for the passphrase of an encrypted PEM. */
static int no_passphrase(char *buffer, int size, int is_writing, void *baton)
{
    return -1;
}

static const char *other_pem(gc_slice_t pem)
{
    if (holds(pem, "PRIVATE KEY-----")) {
        return "is a private key; write the public key that belongs to it "
               "(openssl pkey -pubout)";
    }
    if (holds(pem, "-----BEGIN CERTIFICATE-----")) {
        return "is a certificate; write the public key in it (openssl x509 -noout -pubkey)";
    }
    if (holds(pem, "-----BEGIN RSA PUBLIC KEY-----")) {
        return "is a public key in the older PKCS#1 form; convert it "
               "(openssl rsa -RSAPublicKey_in -pubout)";
    }
    return "is not a readable PEM public key; write all of it, from -----BEGIN PUBLIC KEY----- to "
           "-----END PUBLIC KEY-----, with its line ends, or its base64 after base64:";
}

/* A public key in a form that would pass for a secret: every client that knows it could sign. */
static const char *disguised_public_key(gc_slice_t bytes)
{
    const unsigned char *at = bytes_of(bytes);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)bytes.len);

    ERR_clear_error();
    if (key) {
        EVP_PKEY_free(key);
        return "is a public key in DER form; write it as PEM (openssl pkey -pubin -inform DER), or "
               "the base64 of that PEM after base64:";
    }
    if (bytes.data[0] == '{' && holds(bytes, "\"kty\"")) {
        return "is a JSON Web Key; write a public key as PEM, or the secret itself";
    }
    return NULL;
}

static const char *why_unfit(EVP_PKEY *public_key, grip_key_kind_e *kind)
{
    char group[32] = "";

    switch (EVP_PKEY_get_base_id(public_key)) {
    case EVP_PKEY_EC:
        /* A curve with explicit parameters has no name, and so is refused like any other curve. */
        if (!EVP_PKEY_get_group_name(public_key, group, sizeof(group), NULL)) {
            group[0] = '\0';
        }
        ERR_clear_error();
        if (strcmp(group, SN_X9_62_prime256v1) != 0) {
            return "is an EC public key on another curve than P-256; GRIP proxies that sign with "
                   "EC "
                   "use ES256, which needs P-256";
        }
        *kind = GRIP_KEY_EC_P256;
        return NULL;
    case EVP_PKEY_RSA:
        if (EVP_PKEY_get_bits(public_key) < GRIP_CRYPTO_RSA_MIN_BITS) {
            return "is an RSA public key of less than 2048 bits; use a longer one";
        }
        *kind = GRIP_KEY_RSA;
        return NULL;
    default:
        return "is a public key of a kind that GRIP does not use; write one for EC P-256 (ES256) "
               "or "
               "RSA (RS256)";
    }
}

static EVP_PKEY *read_public_key(gc_slice_t pem)
{
    EVP_PKEY *public_key = NULL;
    BIO *bio;

    /* OpenSSL 3 would also take other kinds of PEM here, and find the public key inside. */
    if (!holds(pem, "-----BEGIN PUBLIC KEY-----")) {
        return NULL;
    }
    bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (bio) {
        public_key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
    }
    BIO_free(bio);
    ERR_clear_error();
    return public_key;
}

static apr_status_t make_public_key(grip_key_t *key, const char **why, gc_slice_t pem)
{
    EVP_PKEY *public_key = read_public_key(pem);
    const char *unfit;

    if (!public_key) {
        *why = other_pem(pem);
        return APR_EINVAL;
    }
    unfit = why_unfit(public_key, &key->kind);
    if (unfit) {
        EVP_PKEY_free(public_key);
        *why = unfit;
        return APR_EINVAL;
    }
    key->public_key = public_key;
    return APR_SUCCESS;
}

apr_status_t grip_crypto_key_make(const grip_key_t **out, const char **why, gc_slice_t bytes,
                                  apr_pool_t *pool)
{
    grip_key_t *key;
    const char *disguised;
    apr_status_t rv;

    if (bytes.len == 0) {
        *why = "is empty; write a key, or leave it out";
        return APR_EINVAL;
    }
    if (bytes.len > GRIP_CRYPTO_KEY_MAX_BYTES) {
        *why = apr_psprintf(pool, "is longer than %d bytes", GRIP_CRYPTO_KEY_MAX_BYTES);
        return APR_EINVAL;
    }
    key = apr_pcalloc(pool, sizeof(*key));
    if (holds(bytes, "-----BEGIN ")) {
        rv = make_public_key(key, why, bytes);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    else {
        disguised = disguised_public_key(bytes);
        if (disguised) {
            *why = disguised;
            return APR_EINVAL;
        }
        key->kind = GRIP_KEY_HMAC;
        key->secret = apr_pmemdup(pool, bytes.data, bytes.len);
        key->secret_len = bytes.len;
    }
    apr_pool_cleanup_register(pool, key, wipe_key, apr_pool_cleanup_null);
    *out = key;
    return APR_SUCCESS;
}

grip_key_kind_e grip_crypto_key_kind(const grip_key_t *key)
{
    return key->kind;
}

apr_status_t grip_crypto_hmac_sha256(unsigned char out[GRIP_CRYPTO_HMAC_BYTES], gc_slice_t secret,
                                     gc_slice_t message)
{
    unsigned char code[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    if (secret.len == 0 || secret.len > GRIP_CRYPTO_KEY_MAX_BYTES) {
        return APR_EINVAL;
    }
    if (!HMAC(EVP_sha256(), secret.data, (int)secret.len, bytes_of(message), message.len, code,
              &len) ||
        len != GRIP_CRYPTO_HMAC_BYTES)
    {
        ERR_clear_error();
        return APR_EGENERAL;
    }
    memcpy(out, code, GRIP_CRYPTO_HMAC_BYTES);
    return APR_SUCCESS;
}

apr_status_t grip_crypto_sign_hs256(unsigned char out[GRIP_CRYPTO_HMAC_BYTES],
                                    const grip_key_t *key, gc_slice_t message)
{
    if (key->kind != GRIP_KEY_HMAC) {
        return APR_EINVAL;
    }
    return grip_crypto_hmac_sha256(out, gc_slice((const char *)key->secret, key->secret_len),
                                   message);
}

/* JWA writes R and S side by side, OpenSSL wants them as a DER sequence. Gives the length of *der,
 * which the caller frees, or 0. */
static int der_of_raw(unsigned char **der, gc_slice_t raw)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes_of(raw), P256_HALF_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(bytes_of(raw) + P256_HALF_BYTES, P256_HALF_BYTES, NULL);
    int len = 0;

    if (pair && r && s && ECDSA_SIG_set0(pair, r, s)) {
        r = NULL;
        s = NULL;
        len = i2d_ECDSA_SIG(pair, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len > 0 ? len : 0;
}

static apr_status_t verify_sha256(int *is_genuine, EVP_PKEY *public_key, gc_slice_t message,
                                  const unsigned char *signature, apr_size_t len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    apr_status_t rv = APR_EGENERAL;

    if (context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public_key) == 1) {
        /* Less than 0 also stands for a signature that is not even well-formed: not genuine. */
        *is_genuine =
            EVP_DigestVerify(context, signature, len, bytes_of(message), message.len) == 1;
        rv = APR_SUCCESS;
    }
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return rv;
}

static apr_status_t verify_es256(int *is_genuine, EVP_PKEY *public_key, gc_slice_t message,
                                 gc_slice_t signature)
{
    unsigned char *der = NULL;
    apr_status_t rv;
    int len;

    if (signature.len != 2 * P256_HALF_BYTES) {
        return APR_SUCCESS;
    }
    len = der_of_raw(&der, signature);
    if (len == 0) {
        ERR_clear_error();
        return APR_EGENERAL;
    }
    rv = verify_sha256(is_genuine, public_key, message, der, (apr_size_t)len);
    OPENSSL_free(der);
    return rv;
}

apr_status_t grip_crypto_verify(int *is_genuine, const grip_key_t *key, gc_slice_t message,
                                gc_slice_t signature)
{
    unsigned char code[GRIP_CRYPTO_HMAC_BYTES];
    apr_status_t rv;

    *is_genuine = 0;
    switch (key->kind) {
    case GRIP_KEY_HMAC:
        rv = grip_crypto_sign_hs256(code, key, message);
        if (rv == APR_SUCCESS) {
            *is_genuine = grip_crypto_equal(gc_slice((const char *)code, sizeof(code)), signature);
        }
        return rv;
    case GRIP_KEY_EC_P256:
        return verify_es256(is_genuine, key->public_key, message, signature);
    case GRIP_KEY_RSA:
        return verify_sha256(is_genuine, key->public_key, message, bytes_of(signature),
                             signature.len);
    }
    return APR_EGENERAL;
}

apr_status_t grip_crypto_sha256(unsigned char out[GRIP_CRYPTO_SHA256_BYTES], gc_slice_t message)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (EVP_Digest(message.len ? message.data : "", message.len, digest, &len, EVP_sha256(),
                   NULL) != 1 ||
        len != GRIP_CRYPTO_SHA256_BYTES)
    {
        ERR_clear_error();
        return APR_EGENERAL;
    }
    memcpy(out, digest, len);
    return APR_SUCCESS;
}

apr_status_t grip_crypto_random(void *out, apr_size_t len_bytes)
{
    if (len_bytes > RANDOM_MAX_BYTES) {
        return APR_EINVAL;
    }
    if (RAND_bytes(out, (int)len_bytes) != 1) {
        ERR_clear_error();
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

int grip_crypto_equal(gc_slice_t a, gc_slice_t b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

apr_status_t grip_crypto_base64_decode(gc_slice_t *out, gc_slice_t text, apr_pool_t *pool)
{
    const unsigned char *data;
    apr_size_t len = 0;
    const char *again;

    if (text.len == 0) {
        *out = gc_slice("", 0);
        return APR_SUCCESS;
    }
    data = apr_pdecode_base64_binary(pool, text.data, (apr_ssize_t)text.len, APR_ENCODE_NONE, &len);
    if (!data) {
        return APR_EINVAL;
    }
    /* APR takes the URL alphabet, missing padding and stray bits as well: what it would not write
     * itself is not standard base64. */
    again = apr_pencode_base64_binary(pool, data, (apr_ssize_t)len, APR_ENCODE_NONE, NULL);
    if (!again || !gc_slice_equal(gc_slice_of(again), text)) {
        return APR_EINVAL;
    }
    *out = gc_slice((const char *)data, len);
    return APR_SUCCESS;
}
