/* The paths that are ours, and their parts. */
#ifndef CHAT_ROUTE_H
#define CHAT_ROUTE_H

#include "gc_slice.h"

/** The endpoints of a room. */
typedef enum chat_route_endpoint_e { CHAT_ROUTE_MESSAGES, CHAT_ROUTE_EVENTS } chat_route_endpoint_e;

/** A path of ours, taken apart; slices point into the path. */
typedef struct chat_route_t {
    chat_route_endpoint_e endpoint;
    gc_slice_t path;  /**< all of it */
    gc_slice_t mount; /**< the part before "rooms/", its slash included */
    gc_slice_t below; /**< the rest, from "rooms/" on */
    gc_slice_t room;  /**< one segment, as it stands in the path; not validated */
    int has_from;     /**< the paged form, "/from/{n}/events/" */
    apr_int64_t from; /**< the position in it */
    int has_slash;    /**< it ends in a slash, as it should */
} chat_route_t;

/**
 * Take a path apart: {mount}rooms/{room}/messages/, {mount}rooms/{room}/events/ and
 * {mount}rooms/{room}/from/{n}/events/, with or without the last slash. No other path below a mount is a
 * room's, so that a rule for one address counts for the room.
 *
 * @param mount  begins and ends with a slash
 * @return APR_SUCCESS, or APR_ENOENT if it is not ours; the route is then undefined. Pure.
 */
apr_status_t chat_route_parse(chat_route_t *route, gc_slice_t path, gc_slice_t mount);

/**
 * Find the mount below which a path would be a room's: for a log line that says what to write.
 *
 * @param mount  the shortest; untouched on failure
 * @return APR_SUCCESS, or APR_ENOENT if there is none. Pure.
 */
apr_status_t chat_route_guess(gc_slice_t *mount, gc_slice_t path);

#endif
