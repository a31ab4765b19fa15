/* The module's own event streams: which requests can be held by this child, and what of httpd's life they have
 * to do with. On the event MPM with HTTP/1.x a held request costs no worker; everywhere else, and where
 * there are enough of them, requests are answered in poll mode. */
#ifndef MOD_GRIP_CHAT_STREAM_H
#define MOD_GRIP_CHAT_STREAM_H

#include "mod_grip_chat_held.h"

/**
 * Start what holds streams in this child, where its MPM can.
 *
 * @param socket_path  the keeper's; as long as pchild
 * @param pchild       ends it
 */
apr_status_t grip_chat_stream_child_init(const ipc_shared_t *shared, const char *socket_path,
                                         apr_pool_t *pchild, server_rec *main);

/**
 * Ask for a place for a request's stream.
 *
 * @param room  of r->pool
 * @return NULL if the request cannot be held here and now. Else it is held, by
 *         grip_chat_held_begin, or given up, by grip_chat_stream_cancel
 */
grip_chat_held_t *grip_chat_stream_reserve(request_rec *r, const grip_chat_site_t *site,
                                           const char *room);

/** What this child holds. */
typedef struct grip_chat_stream_stats_t {
    apr_uint32_t held;  /**< streams, with those that are about to begin or end */
    apr_uint32_t limit; /**< how many it may hold; 0 where it can hold none */
} grip_chat_stream_stats_t;

/** What this child holds now. Thread-safe. */
grip_chat_stream_stats_t grip_chat_stream_stats(void);

/** Give up a place. */
void grip_chat_stream_cancel(grip_chat_held_t *held);

/** Register the hooks of this file. */
void grip_chat_stream_hooks(apr_pool_t *pool);

#endif
