/* Which request goes where. */
#ifndef EDGE_ROUTE_H
#define EDGE_ROUTE_H

#include <stddef.h>

typedef enum edge_route_e {
    EDGE_ROUTE_ORIGIN,     /**< sent to the origin, answered with what it says */
    EDGE_ROUTE_FANOUT,     /**< an event stream: handed to Fanout, which asks the origin */
    EDGE_ROUTE_MANIFEST,   /**< answered here */
    EDGE_ROUTE_SCREENSHOT, /**< answered here */
} edge_route_e;

/**
 * Find the route of a request. The path counts as it was sent. The origin judges a path that would
 * have to be decoded or normalized first, as "/rooms/a/../b/events/" or "//rooms/b/events/". Events
 * that it answers without Fanout make a client poll. Pure.
 *
 * @param method  as in the request; only GET is handed over or answered here
 * @param uri     "https://host/path?query", or a path
 * @return the route, EDGE_ROUTE_ORIGIN for whatever is not known
 */
edge_route_e edge_route(const char *method, size_t method_len, const char *uri, size_t uri_len);

#endif
