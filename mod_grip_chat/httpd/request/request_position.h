/* Where the stream of a request starts: after the position that its client, or its proxy, gives. */
#ifndef REQUEST_POSITION_H
#define REQUEST_POSITION_H

#include "mod_grip_chat.h"
#include "chat_route.h"

/** The kind of a start. */
typedef enum request_position_e {
    REQUEST_POSITION_NOW,    /**< no position: from now on */
    REQUEST_POSITION_AFTER,  /**< after a position */
    REQUEST_POSITION_ERROR,  /**< the position that a stream-error gave */
    REQUEST_POSITION_INVALID /**< something that is no position, or none of this room */
} request_position_e;

/** A request whose start is to be found. */
typedef struct request_asked_t {
    request_rec *r;
    const chat_route_t *route;
    const char *room;
    const char *channel;
    int is_next; /**< a proxy's request through a link of ours */
} request_asked_t;

/** Find where the stream starts. @param after  set if it is REQUEST_POSITION_AFTER */
request_position_e request_position_find(const request_asked_t *asked, apr_int64_t *after);

#endif
