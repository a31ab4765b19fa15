/* GRIP_URL: how a proxy is reached, and the keys and issuer that it is known by. */
#ifndef GRIP_URL_H
#define GRIP_URL_H

#include "grip_crypto.h"

/** The longest GRIP_URL that is taken; a verify-key of RSA 4096 in it needs about 1,200 bytes. */
#define GRIP_URL_MAX_BYTES 16384

/** How to authorize a publish; the first that is given, in this order, is taken. */
typedef enum grip_auth_e {
    GRIP_AUTH_NONE,
    GRIP_AUTH_JWT,    /**< iss and key: a short-lived HS256 token as bearer token */
    GRIP_AUTH_BEARER, /**< key alone: the key itself is the bearer token */
    GRIP_AUTH_BASIC   /**< user:password in the URL */
} grip_auth_e;

/** One proxy as configured. Immutable once parsed, so any thread may read it; lives as long as its
 *  pool. Only log_uri may appear in a log. */
typedef struct grip_proxy_t {
    const char *control_uri;      /**< without last slash, taken parameters, user:password */
    const char *publish_uri;      /**< where to POST: the control URI's path with /publish/ */
    const char *log_uri;          /**< scheme, host, port and path: fit for logs */
    grip_auth_e auth;             /**< how to authorize a publish */
    const char *iss;              /**< claimed in the bearer token, or NULL */
    const char *bearer;           /**< GRIP_AUTH_BEARER: the token, visible ASCII; else NULL */
    const grip_key_t *sign_key;   /**< GRIP_AUTH_JWT: the key to sign with; else NULL */
    const char *user;             /**< GRIP_AUTH_BASIC: without colon; else NULL */
    const char *password;         /**< GRIP_AUTH_BASIC: may be empty; else NULL */
    const char *verify_iss;       /**< the issuer a Grip-Sig must name, or NULL for any */
    const grip_key_t *verify_key; /**< verifies Grip-Sig (verify-key, else key), or NULL */
} grip_proxy_t;

/**
 * Parse a GRIP_URL as the official libraries do: the query parameters key, iss, verify-key and
 * verify-iss are taken out, the rest is the control URI. A "+" is a plus sign everywhere. `key` and
 * `verify-key` may start with "base64:".
 *
 * @param out         the proxy, owned by pool; untouched on failure
 * @param why         on failure a sentence, owned by pool, that names GRIP_URL or GRIP_VERIFY_KEY.
 *                    It says the fault and the remedy, and never holds a part of a key or password
 * @param url         http or https, at most GRIP_URL_MAX_BYTES
 * @param verify_key  GRIP_VERIFY_KEY: replaces verify-key; a secret, a PEM, or either as
 *                    "base64:…"; NULL or empty if there is none
 * @param pool        owns everything
 * @return APR_SUCCESS, or APR_EINVAL with *why. Thread-safe with pools of one's own; does not log.
 */
apr_status_t grip_url_parse(const grip_proxy_t **out, const char **why, const char *url,
                            const char *verify_key, apr_pool_t *pool);

#endif
