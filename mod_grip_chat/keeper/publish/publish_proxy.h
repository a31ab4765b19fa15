/* The publisher of one proxy of one site: it knows the events to send, their time, and how far the
 * proxy has been told.
 *
 * New events of a room are gathered into items and go out straight from memory. One POST is under
 * way at a time, and a room has a pace. So all events that come meanwhile travel in the next POST,
 * in order. An item that may have been sent is not sent again. A room whose POST failed, or may
 * have failed, is dirty and gets a hint item. On a hint its readers fetch the events that they
 * miss, through their next link. So an outage of any length costs a room's name, not its messages,
 * and no more than PUBLISH_ROOMS_MAX names.
 *
 * Lives in the keeper, in the loop's thread. Freed with the loop's pool. */
#ifndef PUBLISH_PROXY_H
#define PUBLISH_PROXY_H

#include "gc_clock.h"
#include "grip_transport.h"
#include "ipc_site.h"
#include "keeper_config.h"

/** How long one POST may take. */
#define PUBLISH_PROXY_TIMEOUT apr_time_from_sec(5)

/** Bytes of events that may wait for the POST under way; beyond it rooms turn dirty instead. */
#define PUBLISH_PROXY_PENDING_BYTES (32 * 1024 * 1024)

/**
 * A room whose readers may have missed its last publish gets a hint so long after it; see
 * publish_rooms_may_miss.
 */
#define PUBLISH_PROXY_HINT_DELAY apr_time_from_sec(1)

/**
 * Items that were certainly not sent, as after a refused connection, are kept for this long, and
 * sent when the proxy takes POSTs again. Later they become hints.
 */
#define PUBLISH_PROXY_KEPT apr_time_from_sec(5)

/** How many POSTs to a proxy may come at once; see IPC_SITE_POST_INTERVAL. */
#define PUBLISH_PROXY_POST_BURST 4

typedef struct publish_proxy_t publish_proxy_t;

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

/**
 * Take an event that was stored, in the room's order. Sends nothing yet: publish_proxy_work does.
 *
 * @param room   decoded, NUL-terminated
 * @param event  its position and id count; not needed afterwards
 * @param text   the event as it stands in a stream; copied
 */
void publish_proxy_add(publish_proxy_t *publisher, const char *room, const chat_event_t *event,
                       gc_slice_t text);

/**
 * Take a room that the keeper before this one may not have published to the end.
 *
 * @param room       a room that is dirty since the watermark, NULL if there is none (left)
 * @param watermark  the message id below which all was published then
 */
void publish_proxy_add_behind(publish_proxy_t *publisher, const char *room, apr_int64_t watermark);

/** Send the items and hints that are due. */
void publish_proxy_work(publish_proxy_t *publisher, gc_moment_t now);

/** When publish_proxy_work should be called next, though nothing else happens; 0 for never. */
gc_moment_t publish_proxy_next(const publish_proxy_t *publisher);

/**
 * Whether all that may be sent now was sent and answered, or cannot be sent. Items that wait for
 * their room's pace do not count.
 */
int publish_proxy_is_drained(const publish_proxy_t *publisher);

/**
 * Tell how far the proxy has been told.
 *
 * @param watermark  the highest message id below which all is published
 * @return whether it has changed since the last call (and is worth keeping)
 */
int publish_proxy_progress(publish_proxy_t *publisher, apr_int64_t *watermark);

#endif
