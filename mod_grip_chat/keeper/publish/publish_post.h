/* A POST to a proxy: its items, and the effect of its answer on the rooms that were in it. One half of
 * publish_proxy.c, which alone calls it.
 * Lives in the keeper, in the loop's thread, as a part of a publisher. */
#ifndef PUBLISH_POST_H
#define PUBLISH_POST_H

#include "gc_assert.h"
#include "gc_clock.h"
#include "publish_backoff.h"
#include "publish_log.h"
#include "publish_proxy.h"
#include "publish_rooms.h"

/** See publish_proxy.h. */
struct publish_proxy_t {
    const keeper_config_t *config;
    const ipc_site_t *site;
    const grip_proxy_t *proxy;
    gc_owner_t owner;  /* the thread that made it */
    apr_size_t number; /* of the proxy, among the site's */
    grip_transport_t *transport;
    apr_pool_t *scratch;
    publish_rooms_t rooms;
    apr_size_t pending_bytes;
    int is_posting;
    gc_moment_t posted;        /* when the POST under way began */
    gc_moment_t paced_until;   /* its POSTs are as far ahead of their pace as this is of now */
    apr_size_t items;          /* in the POST under way */
    apr_size_t items_max;      /* that may go into one, 0 for as many as fit */
    int has_failed;            /* the last POST did; unless keeps_items rooms only turn dirty */
    int keeps_items;           /* if has_failed: no POST was sent since failed_since */
    gc_moment_t failed_since;  /* if has_failed */
    gc_moment_t try_after;     /* if has_failed: when to try again */
    publish_backoff_t backoff; /* after the next failure */
    publish_log_t trouble;
    int has_watermark;          /* the writer has told the watermark of the keeper before */
    apr_int64_t newest_id;      /* the highest message id that was added */
    apr_int64_t kept_watermark; /* the last answer of publish_proxy_progress */
};

/** Tell children after which position events of the room wait. A hold that is answered with waiting events would
 *  fit no item, and the proxy would ask again, at the next item as well. */
void publish_post_tell_waiting(const publish_proxy_t *publisher, publish_room_t *room);

/** Give up telling the room's events: its readers will fetch them on a hint. */
void publish_post_make_dirty(publish_proxy_t *publisher, publish_room_t *room);

/** Drop all events, but those of a POST that is under way; their readers are told to ask. */
void publish_post_lose_all(publish_proxy_t *publisher);

/** Send the items and hints that are due. No POST is under way. */
void publish_post_start(publish_proxy_t *publisher, gc_moment_t now);

#endif
