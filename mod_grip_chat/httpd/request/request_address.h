/* The room that a request's client asked for: by the path that it sent, decoded and normalised by
 * httpd, before anything rewrote it. Rules and <Location> sections for that path count for the
 * room, so no other path may decide. The room is found once, for the first request of a chain of
 * internal redirects. */
#ifndef REQUEST_ADDRESS_H
#define REQUEST_ADDRESS_H

#include "mod_grip_chat.h"
#include "chat_route.h"

struct request_dirwalk_t;

/** The notes about a request for a room, in its pool. */
typedef struct request_address_t {
    chat_route_t route;             /**< points into a copy of the path */
    int is_by_location;             /**< a <Location> gives the path our handler */
    struct request_dirwalk_t *walk; /**< of request_dirwalk.c; NULL where it takes no part */
} request_address_t;

/** The address of a request that no internal redirect or subrequest has made; NULL where it is no room's
 *  at a mount of the host. */
request_address_t *request_address_noted(const request_rec *r);

/** Whether a request, as it stands, still leads to the room of the address. */
int request_address_is_kept(const request_rec *r, const chat_route_t *route);

/** Whether SetHandler names us, in the sections that have been merged so far. */
int request_address_has_handler(request_rec *r);

/**
 * The room that a request asks for which has our handler. Not a room's: a part of another page,
 * the page of an error, an address at no mount, and one that was rewritten to another room's. The
 * last two are logged for the operator.
 *
 * @return the route that its client asked for, owned by a request's pool; NULL if other handlers
 *         answer
 */
const chat_route_t *request_address_of(request_rec *r);

/** Register the hook of this file. */
void request_address_hooks(apr_pool_t *pool);

#endif
