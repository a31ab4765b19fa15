/* The room that a request's client asked for: by the path that it sent, decoded and normalised by httpd, before
 * anything rewrote it. What rules and <Location> sections say of that path counts for the room, so it must not
 * be another path that decides. It is found once, for the first request of a chain of internal redirects. */
#ifndef MOD_GRIP_CHAT_ADDRESS_H
#define MOD_GRIP_CHAT_ADDRESS_H

#include "mod_grip_chat.h"
#include "mod_grip_chat_route.h"

struct grip_chat_walk_t;

/** What is kept of a request for a room, in its pool. */
typedef struct grip_chat_address_t {
    grip_chat_route_t route;       /**< points into a copy of the path */
    int is_by_location;            /**< a <Location> gives the path our handler */
    struct grip_chat_walk_t *walk; /**< of mod_grip_chat_walk.c; NULL where it takes no part */
} grip_chat_address_t;

/** The address of a request that no internal redirect or subrequest has made; NULL where it is no room's
 *  at a mount of the host. */
grip_chat_address_t *grip_chat_address_noted(const request_rec *r);

/** Whether a request, as it stands, still leads to what the address names. */
int grip_chat_address_is_kept(const request_rec *r, const grip_chat_route_t *route);

/** Whether SetHandler names us, in the sections that have been merged so far. */
int grip_chat_address_has_handler(request_rec *r);

/**
 * The room that a request asks for which has our handler. A part of another page, the page of an error, an
 * address at no mount and one that was rewritten to another room's are none; an operator is told of the
 * last two.
 *
 * @return what its client asked for, owned by a request's pool; NULL where we leave it to others
 */
const grip_chat_route_t *grip_chat_address_of(request_rec *r);

/** Register the hook of this file. */
void grip_chat_address_hooks(apr_pool_t *pool);

#endif
