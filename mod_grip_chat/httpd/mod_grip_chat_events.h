/* The endpoint …/rooms/{room}/events/: the event stream. A proxied request is answered with the
 * backlog and the instruction to hold it; any other with the backlog and the end, to come back soon
 * (poll mode). */
#ifndef MOD_GRIP_CHAT_EVENTS_H
#define MOD_GRIP_CHAT_EVENTS_H

#include "ipc_shared.h"
#include "mod_grip_chat_route.h"
#include "mod_grip_chat_site.h"

/**
 * Answer a request for a room's events.
 *
 * @param route   of the request's path
 * @param room    valid, decoded, NUL-terminated
 * @param shared  where holds are noted
 * @return as a handler does
 */
int grip_chat_events_handle(request_rec *r, const grip_chat_site_t *site,
                            const grip_chat_route_t *route, const char *room, ipc_shared_t *shared);

#endif
