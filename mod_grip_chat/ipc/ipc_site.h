/* The part of the configuration that the keeper knows. The parent makes it before the fork; it
 * never changes.
 * Lives in all processes, in any thread. Freed with the configuration's pool. */
#ifndef IPC_SITE_H
#define IPC_SITE_H

#include "chat_retention.h"
#include "gc_log.h"
#include "grip_url.h"
#include "ipc_shared.h"

/** The name under which a site's own secret is kept in its database, and its random bytes. */
#define IPC_SITE_SECRET_NAME  "secret"
#define IPC_SITE_SECRET_BYTES 32

/**
 * The bounds of the events of one item that can be configured (GripChatItemSize), in bytes of event
 * stream; a longer event travels alone. JSON at most doubles them, so the largest item fits into
 * the largest body.
 */
#define IPC_SITE_ITEM_MIN_BYTES 1024
#define IPC_SITE_ITEM_MAX_BYTES (480 * 1024)

/**
 * Between two publishes of a room, unless its rate is higher or has no limit. Posts of many
 * clients at one moment then take two publishes, and not the whole burst, which is meant for a
 * conversation.
 */
#define IPC_SITE_PUBLISH_GAP apr_time_from_msec(40)

/**
 * Between two POSTs to a proxy in the long run, unless a room's rate is higher or has no limit.
 * Pushpin 1.36 starts its clock of 25 ms anew with each delivery that it gets, and delivers nothing
 * before the clock has run out. POSTs that come faster keep it from delivering anything, for as
 * long as they come.
 */
#define IPC_SITE_POST_INTERVAL apr_time_from_msec(100)

/**
 * Between two hints of any kind to a proxy in the long run: Pushpin asks ten times a second,
 * however many hints it gets.
 */
#define IPC_SITE_HINT_INTERVAL apr_time_from_msec(100)

/** A site: a database and a name in it, with its proxies. */
typedef struct ipc_site_t {
    apr_size_t index;     /**< its place among the keeper's sites */
    const char *identity; /**< names the site in jobs: driver, parameters and name */
    const char *name;     /**< the site's name in its database, "" by default */
    chat_database_spec_t database;
    unsigned database_number;   /**< of the database in shared memory */
    const char *channel_prefix; /**< before "events-room-…", may be "" */
    const grip_proxy_t *const *proxies;
    apr_size_t proxy_count;
    apr_interval_time_t publish_interval; /**< between publishes of a room in the long run */
    chat_retention_t retention;           /**< of its rooms */
    apr_interval_time_t publish_gap;      /**< between any two publishes of a room */
    apr_interval_time_t post_interval;    /**< between POSTs to a proxy in the long run */
    int publish_burst;                    /**< publishes of a room that may come at once, from 1 */
    apr_interval_time_t hint_interval;    /**< between hints to a proxy in the long run */
    apr_interval_time_t link_timeout; /**< of silence, after which a proxy asks for its readers */
    apr_size_t item_bytes;            /**< of event stream, up to which events share an item */
} ipc_site_t;

/**
 * Name the channel of a room: the site's prefix, "events-" and the room as clients see it.
 *
 * @param room  valid, decoded
 * @return a string owned by pool
 */
const char *ipc_site_channel(const ipc_site_t *site, gc_slice_t room, apr_pool_t *pool);

/** The tag of a room of a site in shared memory. */
apr_uint64_t ipc_site_tag(const ipc_site_t *site, gc_slice_t room);

/** The slot of a room of a site in shared memory. */
unsigned ipc_site_slot(const ipc_site_t *site, gc_slice_t room);

#endif
