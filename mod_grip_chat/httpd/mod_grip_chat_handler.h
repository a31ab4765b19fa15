/* The content handler: from a request to its endpoint. */
#ifndef MOD_GRIP_CHAT_HANDLER_H
#define MOD_GRIP_CHAT_HANDLER_H

#include "mod_grip_chat.h"
#include "mod_grip_chat_route.h"

/**
 * Whether a request that SetHandler gives to us is answered by us: its address is one of ours, and it is no
 * part of another answer.
 *
 * @param route  what the address names, pointing into r->uri; undefined where it is none of ours
 */
int grip_chat_handler_takes(const request_rec *r, grip_chat_route_t *route);

/** Register the handler hook. */
void grip_chat_handler_hooks(apr_pool_t *pool);

#endif
