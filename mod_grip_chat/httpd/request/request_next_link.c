#include "request_next_link.h"

#include "gc_b64url.h"
#include "gc_buffer.h"
#include "grip_crypto.h"

/* Bytes of the HMAC that stand in a link: enough against guessing (RFC 2104, section 5). */
#define TOKEN_BYTES 16
#define TOKEN_CHARS 22 /* as base64url */

static apr_status_t make_token(const char **token, gc_slice_t room, const conf_site_t *site,
                               const char *secret, apr_pool_t *pool)
{
    unsigned char mac[GRIP_CRYPTO_HMAC_BYTES];
    gc_buffer_t message = gc_buffer_make(room.len + 256, pool);
    apr_status_t rv;

    /* Two sites may have one secret, and one name each in a database of its own. The database is named by its
     * path, which a copy that is restored there has as well. */
    gc_buffer_append_text(&message, "next link\n");
    gc_buffer_append_text(&message, site->keeper.identity);
    gc_buffer_append_text(&message, "\n");
    gc_buffer_append_text(&message, site->keeper.channel_prefix);
    gc_buffer_append_text(&message, "\n");
    gc_buffer_append(&message, room);
    rv = grip_crypto_hmac_sha256(mac, gc_slice_of(secret), gc_buffer_slice(&message));
    if (rv == APR_SUCCESS) {
        *token = gc_b64url_encode(gc_slice((const char *)mac, TOKEN_BYTES), pool);
    }
    return rv;
}

/* The token that is noted at a room in memory, if it is of this secret: that of a site without a configured
 * one goes with its database. */
static int find_noted(gc_slice_t *token, const chat_snapshot_t *snapshot, const char *secret)
{
    const char *note = chat_snapshot_note(snapshot);

    if (!note || strcmp(note + TOKEN_CHARS, secret) != 0) {
        return 0;
    }
    *token = gc_slice(note, TOKEN_CHARS);
    return 1;
}

apr_status_t request_next_link_token(gc_slice_t *token, chat_snapshot_t *snapshot, gc_slice_t room,
                                     const conf_site_t *site, const char *secret, apr_pool_t *pool)
{
    const char *made;
    apr_status_t rv;

    if (snapshot && find_noted(token, snapshot, secret)) {
        return APR_SUCCESS;
    }
    rv = make_token(&made, room, site, secret, pool);
    if (rv == APR_SUCCESS) {
        *token = gc_slice(made, TOKEN_CHARS);
        if (snapshot && !chat_snapshot_note(snapshot)) {
            chat_snapshot_set_note(snapshot, apr_pstrcat(pool, made, secret, NULL));
        }
    }
    return rv;
}

int request_next_link_has(const char *query, gc_slice_t token)
{
    gc_slice_t given;

    return chat_next_link_token(&given, query) == APR_SUCCESS && grip_crypto_equal(given, token);
}

int request_next_link_is_void(const char *query, gc_slice_t room, const conf_site_t *site,
                              const char *secret, apr_pool_t *pool)
{
    gc_slice_t token;

    return request_next_link_token(&token, NULL, room, site, secret, pool) == APR_SUCCESS &&
           !request_next_link_has(query, token);
}
