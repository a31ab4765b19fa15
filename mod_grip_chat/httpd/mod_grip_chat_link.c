#include "mod_grip_chat_link.h"

#include "gc_b64url.h"
#include "gc_buffer.h"
#include "gc_percent.h"
#include "grip_crypto.h"

/* A link is good for at least as long as a proxy may wait with it, and some minutes. */
#define WINDOW_MIN apr_time_from_sec(600)

/* Bytes of the HMAC that stand in a link: enough against guessing (RFC 2104, section 5). */
#define TOKEN_BYTES 16

static apr_int64_t window_of(const grip_chat_site_t *site, apr_time_t now)
{
    apr_interval_time_t window = site->link_timeout * 2;

    return now / (window > WINDOW_MIN ? window : WINDOW_MIN);
}

static apr_status_t make_token(const char **token, gc_slice_t room, const char *secret,
                               apr_int64_t window, apr_pool_t *pool)
{
    unsigned char mac[GRIP_CRYPTO_HMAC_BYTES];
    gc_buffer_t message = gc_buffer_make(room.len + 64, pool);
    apr_status_t rv;

    gc_buffer_append_text(&message, "next link:");
    gc_buffer_append_int64(&message, window);
    gc_buffer_append_text(&message, ":");
    gc_buffer_append(&message, room);
    rv = grip_crypto_hmac_sha256(mac, gc_slice_of(secret), gc_buffer_slice(&message));
    if (rv == APR_SUCCESS) {
        *token = gc_b64url_encode(gc_slice((const char *)mac, TOKEN_BYTES), pool);
    }
    return rv;
}

apr_status_t grip_chat_link_make(const char **uri, const grip_chat_link_t *link,
                                 const grip_chat_site_t *site, const char *secret, apr_time_t now,
                                 apr_pool_t *pool)
{
    gc_buffer_t path = gc_buffer_make(256, pool);
    const char *token;
    apr_status_t rv = make_token(&token, link->room, secret, window_of(site, now), pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    gc_buffer_append(&path, link->mount);
    gc_buffer_append_text(&path, "rooms/");
    gc_percent_append(&path, link->room);
    if (link->is_page) {
        gc_buffer_append_text(&path, "/from/");
        gc_buffer_append_int64(&path, link->from);
    }
    gc_buffer_append_text(&path, "/events/?link=next&recover=true&token=");
    gc_buffer_append_text(&path, token);
    *uri = path.data;
    return APR_SUCCESS;
}

apr_status_t grip_chat_link_parameter(const char *query, const char *name, gc_slice_t *value)
{
    gc_slice_t rest = gc_slice_of(query);
    apr_status_t rv = APR_ENOENT;

    while (rest.len) {
        gc_slice_t pair = gc_slice_piece(&rest, '&');
        gc_slice_t key;

        if (gc_slice_until(&pair, '=', &key) == APR_SUCCESS && pair.len &&
            gc_slice_equal(key, gc_slice_of(name)))
        {
            *value = pair;
            rv = APR_SUCCESS;
        }
    }
    return rv;
}

int grip_chat_link_is(const char *query)
{
    gc_slice_t value;

    return grip_chat_link_parameter(query, "link", &value) == APR_SUCCESS &&
           gc_slice_equal(value, gc_slice_of("next"));
}

apr_status_t grip_chat_link_check(const char *query, gc_slice_t room, const grip_chat_site_t *site,
                                  const char *secret, apr_time_t now, apr_pool_t *scratch_pool)
{
    apr_int64_t window = window_of(site, now);
    gc_slice_t given;
    int i;

    if (grip_chat_link_parameter(query, "token", &given) != APR_SUCCESS) {
        return APR_EACCES;
    }
    for (i = 0; i < 2; i++) {
        const char *token;
        apr_status_t rv = make_token(&token, room, secret, window - i, scratch_pool);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (grip_crypto_equal(given, gc_slice_of(token))) {
            return APR_SUCCESS;
        }
    }
    return APR_EACCES;
}
