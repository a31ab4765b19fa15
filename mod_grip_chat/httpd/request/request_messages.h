/* The endpoint …/rooms/{room}/messages/: the list, and posting. */
#ifndef REQUEST_MESSAGES_H
#define REQUEST_MESSAGES_H

#include "conf_site.h"
#include "chat_route.h"

/**
 * Answer a request for a room's messages.
 *
 * @param route   of the request's path
 * @param room    valid, decoded, NUL-terminated
 * @param keeper  the child's way to the keeper
 * @return as a handler does
 */
int request_messages_handle(request_rec *r, const conf_site_t *site, const chat_route_t *route,
                            const char *room, ipc_client_t *keeper);

#endif
