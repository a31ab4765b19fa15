/* The endpoint …/rooms/{room}/messages/: the list, and posting. */
#ifndef MOD_GRIP_CHAT_MESSAGES_H
#define MOD_GRIP_CHAT_MESSAGES_H

#include "mod_grip_chat_route.h"
#include "mod_grip_chat_site.h"

/**
 * Answer a request for a room's messages.
 *
 * @param route   of the request's path
 * @param room    valid, decoded, NUL-terminated
 * @param keeper  the child's way to the keeper
 * @return as a handler does
 */
int grip_chat_messages_handle(request_rec *r, const grip_chat_site_t *site,
                              const grip_chat_route_t *route, const char *room,
                              ipc_client_t *keeper);

#endif
