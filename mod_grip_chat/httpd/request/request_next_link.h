/* Next links: the addresses at which a proxy asks for events that a reader missed. They come back
 * without the reader's credentials, so the link itself names the room that it may read, under the
 * site's signature. One link serves all readers of a room, because a proxy shares the requests. A
 * link does not expire, because the proxy of a busy room keeps one for as long as the stream lasts.
 * The Grip-Sig expires, and without it a link is worth nothing. */
#ifndef REQUEST_NEXT_LINK_H
#define REQUEST_NEXT_LINK_H

#include "chat_next_link.h"
#include "chat_snapshot.h"
#include "conf_site.h"

/**
 * Find the token of a room's links. It is made once for a room in memory, and noted there with the
 * secret that it was made with.
 *
 * @param token     untouched on failure
 * @param snapshot  the room in memory, or NULL
 * @param secret    the site's
 * @return APR_SUCCESS, or as grip_crypto_hmac_sha256
 */
apr_status_t request_next_link_token(gc_slice_t *token, chat_snapshot_t *snapshot, gc_slice_t room,
                                     const conf_site_t *site, const char *secret, apr_pool_t *pool);

/** Whether a link's query has this token. */
int request_next_link_has(const char *query, gc_slice_t token);

/** Whether a link's query has a token that is not good for the room, found without the room itself. If no
 *  token can be made it is not. Parameters as of request_next_link_token. */
int request_next_link_is_void(const char *query, gc_slice_t room, const conf_site_t *site,
                              const char *secret, apr_pool_t *pool);

#endif
