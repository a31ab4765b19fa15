/* One proxy of one site: what to tell it, when, and how far it has been told.
 *
 * New events of a room are gathered into items and go out straight from memory; one POST is under way
 * at a time, and a room has a pace, so everything that comes meanwhile travels in the next, in order. Nothing
 * that may have been sent is sent again: a room whose POST failed, or may have failed, is dirty, and gets a hint
 * item, upon which its readers fetch what they miss through their next link. So an outage of any length costs a
 * room's name, not its messages, and of names no more than PUBLISH_ROOMS_MAX.
 *
 * A publisher belongs to the loop's thread. */
#ifndef PUBLISH_PROXY_H
#define PUBLISH_PROXY_H

#include "gc_clock.h"
#include "grip_transport.h"
#include "ipc_site.h"

/** How long one POST may take. */
#define PUBLISH_PROXY_TIMEOUT apr_time_from_sec(5)

/** What may wait for the POST under way; beyond it rooms turn dirty instead. */
#define PUBLISH_PROXY_PENDING_BYTES (32 * 1024 * 1024)

/** So long after its last publish a room gets a hint whose readers may have missed that; see
 *  publish_rooms_may_miss. */
#define PUBLISH_PROXY_HINT_DELAY apr_time_from_sec(1)

/** What was certainly not sent, as where a connection is refused, is kept for this long, and sent when the proxy
 *  takes POSTs again; later it becomes hints. */
#define PUBLISH_PROXY_KEPT apr_time_from_sec(5)

/** How many POSTs to a proxy may come at once; see IPC_SITE_POST_INTERVAL. */
#define PUBLISH_PROXY_POST_BURST 4

typedef struct publish_proxy_t publish_proxy_t;

/** A stored message, as an event. */
typedef struct publish_event_t {
    const char *room; /**< NUL-terminated, decoded */
    apr_int64_t message_id;
    apr_int64_t event_id;
    gc_slice_t text; /**< the event as it stands in a stream */
} publish_event_t;

/**
 * Make the publisher of one of a site's proxies.
 *
 * @param transport  the loop's
 * @param pool       owns it; the loop's, as long as the process
 * @return NULL if memory is short
 */
publish_proxy_t *publish_proxy_create(const keeper_config_t *config, const ipc_site_t *site,
                                      apr_size_t proxy, grip_transport_t *transport,
                                      apr_pool_t *pool);

/** Take an event, in the room's order. Sends nothing yet: publish_proxy_work does. */
void publish_proxy_add(publish_proxy_t *publisher, const publish_event_t *event);

/**
 * Take what the keeper before this one may not have published.
 *
 * @param room       a room that is dirty since the watermark, NULL if there is none (left)
 * @param watermark  the message id below which all was published then
 */
void publish_proxy_add_behind(publish_proxy_t *publisher, const char *room, apr_int64_t watermark);

/** Send what there is to send and is due. */
void publish_proxy_work(publish_proxy_t *publisher, gc_moment_t now);

/** When publish_proxy_work should be called next, though nothing else happens; 0 for never. */
gc_moment_t publish_proxy_next(const publish_proxy_t *publisher);

/** Whether all that may be sent now has been, and was answered, or cannot be; what waits for its room's
 *  pace is not waited for. */
int publish_proxy_is_drained(const publish_proxy_t *publisher);

/**
 * Tell how far the proxy has been told.
 *
 * @param watermark  the highest message id below which all is published
 * @return whether it has changed since the last call (and is worth keeping)
 */
int publish_proxy_progress(publish_proxy_t *publisher, apr_int64_t *watermark);

#endif
