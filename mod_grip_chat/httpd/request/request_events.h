/* The endpoint …/rooms/{room}/events/: the event stream. A proxied request is answered with the
 * backlog and the instruction to hold it; any other with the backlog and the end, to come back soon
 * (poll mode). */
#ifndef REQUEST_EVENTS_H
#define REQUEST_EVENTS_H

#include "conf_site.h"
#include "ipc_shared.h"
#include "chat_route.h"

/**
 * Answer a request for a room's events.
 *
 * @param route   of the request's path
 * @param room    valid, decoded, NUL-terminated
 * @param shared  where holds are noted
 * @return as a handler does
 */
int request_events_handle(request_rec *r, const conf_site_t *site, const chat_route_t *route,
                          const char *room, ipc_shared_t *shared);

#endif
