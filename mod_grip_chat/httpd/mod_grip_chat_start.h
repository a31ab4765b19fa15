/* Where the stream of a request starts: after the position that its client, or its proxy, gives. */
#ifndef MOD_GRIP_CHAT_START_H
#define MOD_GRIP_CHAT_START_H

#include "mod_grip_chat.h"
#include "mod_grip_chat_route.h"

/** What kind of start it is. */
typedef enum grip_chat_start_e {
    GRIP_CHAT_START_NOW,    /**< no position: from now on */
    GRIP_CHAT_START_AFTER,  /**< after a position */
    GRIP_CHAT_START_ERROR,  /**< the position that a stream-error gave */
    GRIP_CHAT_START_INVALID /**< something that is no position, or none of this room */
} grip_chat_start_e;

/** A request whose start is looked for. */
typedef struct grip_chat_asked_t {
    request_rec *r;
    const grip_chat_route_t *route;
    const char *room;
    const char *channel;
    int is_next; /**< a proxy's request through a link of ours */
} grip_chat_asked_t;

/** Find where the stream starts. @param after  set if it is GRIP_CHAT_START_AFTER */
grip_chat_start_e grip_chat_start_find(const grip_chat_asked_t *asked, apr_int64_t *after);

#endif
