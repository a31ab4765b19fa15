/* Which URIs are ours, and what they name. */
#ifndef MOD_GRIP_CHAT_ROUTE_H
#define MOD_GRIP_CHAT_ROUTE_H

#include "gc_slice.h"

/** The endpoints of a room. */
typedef enum grip_chat_endpoint_e { GRIP_CHAT_MESSAGES, GRIP_CHAT_EVENTS } grip_chat_endpoint_e;

/** A URI of ours, taken apart; slices point into the path. */
typedef struct grip_chat_route_t {
    grip_chat_endpoint_e endpoint;
    gc_slice_t mount; /**< what stands before "rooms/", its slash included */
    gc_slice_t room;  /**< one segment, as it stands in the path; not validated */
    int has_from;     /**< the paged form, "/from/{n}/events/" */
    apr_int64_t from; /**< the position in it */
    int has_slash;    /**< it ends in a slash, as it should */
} grip_chat_route_t;

/**
 * Take a path apart: …/rooms/{room}/messages/, …/rooms/{room}/events/ and
 * …/rooms/{room}/from/{n}/events/, with or without the last slash.
 *
 * @param path  decoded or not
 * @return APR_SUCCESS, or APR_ENOENT if it is not ours; the route is then undefined. Pure.
 */
apr_status_t grip_chat_route_parse(grip_chat_route_t *route, gc_slice_t path);

#endif
