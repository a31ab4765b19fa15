/* Secrets, public keys and the computations with them. The one file that uses OpenSSL is
 * grip_crypto_openssl.c. Nothing here logs, and no key ever appears in a `why` sentence. */
#ifndef GRIP_CRYPTO_H
#define GRIP_CRYPTO_H

#include "gc_slice.h"

/** Bytes of an HMAC-SHA256 (RFC 2104, FIPS 180-4). */
#define GRIP_CRYPTO_HMAC_BYTES 32

/** Bytes of a SHA-256 digest (FIPS 180-4). */
#define GRIP_CRYPTO_SHA256_BYTES 32

/** The longest secret or PEM text that is taken. */
#define GRIP_CRYPTO_KEY_MAX_BYTES 16384

/** The smallest RSA modulus that is taken (RFC 7518, section 3.3). */
#define GRIP_CRYPTO_RSA_MIN_BITS 2048

/** A secret or a public key, ready to use; lives as long as its pool. Any thread may use it. */
typedef struct grip_key_t grip_key_t;

/** The kind of a key, which decides the one algorithm that it takes. */
typedef enum grip_key_kind_e {
    GRIP_KEY_HMAC,    /**< a shared secret: HS256 */
    GRIP_KEY_EC_P256, /**< a public key on P-256: ES256 */
    GRIP_KEY_RSA      /**< an RSA public key of at least GRIP_CRYPTO_RSA_MIN_BITS: RS256 */
} grip_key_kind_e;

/**
 * Make a key at configuration time. A PEM public key ("BEGIN PUBLIC KEY", RFC 7468, section 13)
 * makes an EC or RSA key, anything else an HMAC secret. A recognisable key of another kind or form
 * (private key, certificate, DER, JWK) is refused: a public key that is used as a secret lets every
 * client sign.
 *
 * @param out    the key, owned by pool and wiped with it; untouched on failure
 * @param why    on failure the fault and the remedy, owned by pool. It is the end of a sentence
 *               whose subject is the setting ("is empty; …"), and never holds a part of the key
 * @param bytes  1 .. GRIP_CRYPTO_KEY_MAX_BYTES, copied
 * @return APR_SUCCESS, or APR_EINVAL with *why
 */
apr_status_t grip_crypto_key_make(const grip_key_t **out, const char **why, gc_slice_t bytes,
                                  apr_pool_t *pool);

/** The kind of this key. Pure. */
grip_key_kind_e grip_crypto_key_kind(const grip_key_t *key);

/**
 * Verify a signature as JWA defines it (RFC 7518): HMAC-SHA256, ECDSA P-256 with SHA-256 (R and S,
 * 32 bytes each), or RSASSA-PKCS1-v1_5 with SHA-256, by the kind of the key. HMACs are compared in
 * constant time. Thread-safe.
 *
 * @param is_genuine  1 if the signature is the key's over the message, else 0; 0 on failure
 * @param message     any bytes
 * @param signature   any bytes; a length that cannot be is simply not genuine
 * @return APR_SUCCESS, or APR_EGENERAL if OpenSSL could not even try (out of memory, no such
 *         digest)
 */
apr_status_t grip_crypto_verify(int *is_genuine, const grip_key_t *key, gc_slice_t message,
                                gc_slice_t signature);

/**
 * Compute an HMAC-SHA256 with a GRIP_KEY_HMAC key, for HS256. Thread-safe.
 *
 * @param out  the code; untouched on failure
 * @return APR_SUCCESS, APR_EINVAL if key is of another kind, APR_EGENERAL if OpenSSL failed
 */
apr_status_t grip_crypto_sign_hs256(unsigned char out[GRIP_CRYPTO_HMAC_BYTES],
                                    const grip_key_t *key, gc_slice_t message);

/**
 * Compute an HMAC-SHA256 with a secret given as bytes (the next-link token). Thread-safe.
 *
 * @param out     the code; untouched on failure
 * @param secret  1 .. GRIP_CRYPTO_KEY_MAX_BYTES
 * @return APR_SUCCESS, APR_EINVAL if secret has another length, APR_EGENERAL if OpenSSL failed
 */
apr_status_t grip_crypto_hmac_sha256(unsigned char out[GRIP_CRYPTO_HMAC_BYTES], gc_slice_t secret,
                                     gc_slice_t message);

/**
 * Compute a SHA-256 digest. Thread-safe.
 *
 * @param out  the digest; untouched on failure
 * @return APR_SUCCESS, or APR_EGENERAL if OpenSSL failed
 */
apr_status_t grip_crypto_sha256(unsigned char out[GRIP_CRYPTO_SHA256_BYTES], gc_slice_t message);

/**
 * Fill with bytes that cannot be guessed. Thread-safe, and safe after a fork.
 *
 * @param out        len bytes; their content is undefined on failure
 * @param len_bytes  0 .. 1 MiB
 * @return APR_SUCCESS, APR_EINVAL if len_bytes is larger, APR_EGENERAL if there is no entropy
 */
apr_status_t grip_crypto_random(void *out, apr_size_t len_bytes);

/** Whether two slices hold the same bytes, in a time that depends on their lengths only. */
int grip_crypto_equal(gc_slice_t a, gc_slice_t b);

/**
 * Decode standard base64 (RFC 4648, section 4) strictly: the alphabet with "+" and "/", padded, no
 * white space, unused bits zero.
 *
 * @param out   the bytes, owned by pool, followed by a NUL; untouched on failure
 * @param text  at most 1 MiB
 * @return APR_SUCCESS, or APR_EINVAL
 */
apr_status_t grip_crypto_base64_decode(gc_slice_t *out, gc_slice_t text, apr_pool_t *pool);

#endif
