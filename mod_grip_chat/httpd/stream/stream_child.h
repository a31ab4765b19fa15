/* The module's own event streams: which requests can be held by this child, and what of httpd's life they have
 * to do with. On the event MPM with HTTP/1.x a held request costs no worker; everywhere else, and where
 * there are enough of them, requests are answered in poll mode. */
#ifndef STREAM_CHILD_H
#define STREAM_CHILD_H

#include "stream_connection.h"

/**
 * Start what holds streams in this child, where its MPM can.
 *
 * @param socket_path  the keeper's; as long as pchild
 * @param pchild       ends it
 */
apr_status_t stream_child_child_init(const ipc_shared_t *shared, const char *socket_path,
                                     apr_pool_t *pchild, server_rec *main);

/**
 * Ask for a place for a request's stream.
 *
 * @param room  of r->pool
 * @return NULL if the request cannot be held here and now. Else it is held, by
 *         stream_connection_begin, or given up, by stream_child_cancel
 */
stream_connection_t *stream_child_reserve(request_rec *r, const conf_site_t *site,
                                          const char *room);

/** What this child holds. */
typedef struct stream_child_stats_t {
    apr_uint32_t streams; /**< streams, with those that are about to begin or end */
    apr_uint32_t limit;   /**< how many it may hold; 0 where it can hold none */
} stream_child_stats_t;

/** What this child holds now. Thread-safe. */
stream_child_stats_t stream_child_stats(void);

/** Give up a place. */
void stream_child_cancel(stream_connection_t *connection);

/** Register the hooks of this file. */
void stream_child_hooks(apr_pool_t *pool);

#endif
