/* The text of next links: the addresses at which a proxy asks for what a reader missed. See
 * request_next_link.h for what they are worth. */
#ifndef CHAT_NEXT_LINK_H
#define CHAT_NEXT_LINK_H

#include "gc_slice.h"

/** The place that a link leads to. */
typedef struct chat_next_link_t {
    gc_slice_t mount; /**< of the path that was asked for */
    gc_slice_t room;  /**< decoded */
    int is_page;      /**< the position goes into the path */
    apr_int64_t from; /**< if is_page: the position, from 0 */
} chat_next_link_t;

/**
 * Make a link's URI. Pure.
 *
 * @param token  unreserved characters
 * @return a path with query, owned by pool
 */
const char *chat_next_link_make(const chat_next_link_t *link, gc_slice_t token, apr_pool_t *pool);

/** Whether a query is that of a link. Pure. */
int chat_next_link_is(const char *query);

/**
 * Find the token in a link's query. Pure.
 *
 * @param token  not decoded, lies in query; untouched on failure
 * @return APR_SUCCESS, or APR_ENOENT
 */
apr_status_t chat_next_link_token(gc_slice_t *token, const char *query);

#endif
