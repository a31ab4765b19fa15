#include "conf_trust.h"

/* A secret shorter than this can be guessed. */
#define SECRET_MIN_BYTES 16

/* The sig_key of Pushpin's packages, and the key of Fastly's server for development. */
static const char *const known_keys[] = {"changeme",
                                         "viceroy_dev_signing_key_dont_use_in_production"};

/* Parts of placeholders; the last is of the original's .env.template. */
static const char *const placeholders[] = {"<", "changeme", "insecure", "Super secret key"};

/* A key does not show its bytes, but its signature does. */
static int is_known(const grip_key_t *key)
{
    gc_slice_t message = gc_slice_of("any message");
    unsigned char mac[GRIP_CRYPTO_HMAC_BYTES];
    unsigned char known[GRIP_CRYPTO_HMAC_BYTES];
    unsigned i;

    if (!key || grip_crypto_key_kind(key) != GRIP_KEY_HMAC ||
        grip_crypto_sign_hs256(mac, key, message) != APR_SUCCESS)
    {
        return 0;
    }
    for (i = 0; i < sizeof(known_keys) / sizeof(known_keys[0]); i++) {
        if (grip_crypto_hmac_sha256(known, gc_slice_of(known_keys[i]), message) == APR_SUCCESS &&
            memcmp(mac, known, sizeof(mac)) == 0)
        {
            return 1;
        }
    }
    return 0;
}

void conf_trust_warn_keys(const server_rec *s, const conf_site_t *site, const char *source)
{
    int has_key = 0;
    apr_size_t i;

    for (i = 0; i < site->keeper.proxy_count; i++) {
        const grip_proxy_t *proxy = site->keeper.proxies[i];

        has_key = has_key || proxy->verify_key;
        if (is_known(proxy->verify_key)) {
            ap_log_error(
                APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, s,
                "GC0181: %s of %s: the key of %s is delivered with proxies, so any client can "
                "sign as the proxy; write a random one, the same as sig_key in "
                "pushpin.conf",
                source, site->server_name, proxy->log_uri);
            return;
        }
    }
    if (site->keeper.proxy_count && !has_key) {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, s,
            "GC0180: %s of %s: %s has no key, so any Grip-Sig is believed; without a proxy write "
            "GripChatGripURL none, else ?key= and the sig_key of pushpin.conf behind its URL",
            source, site->server_name, site->keeper.proxies[0]->log_uri);
    }
}

void conf_trust_warn_secret(const server_rec *s, const conf_site_t *site, const char *source,
                            const char *secret)
{
    int is_placeholder = strlen(secret) < SECRET_MIN_BYTES;
    unsigned i;

    for (i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
        is_placeholder = is_placeholder || strstr(secret, placeholders[i]);
    }
    if (is_placeholder) {
        ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, s,
                     "GC0102: %s of %s looks like a placeholder; write %d random bytes or more, or "
                     "leave it out and one is made",
                     source, site->server_name, SECRET_MIN_BYTES);
    }
}
