/* The headers by which an origin tells a GRIP proxy to hold an answer open, and Grip-Last, by
 * which the proxy tells how far it is. No value ever holds a raw comma, semicolon, quote, control
 * character or anything beyond ASCII that did not belong to its syntax: such input is refused. */
#ifndef GRIP_HOLD_H
#define GRIP_HOLD_H

#include <apr_time.h>

#include "gc_slice.h"

/** Header names. */
#define GRIP_HOLD_HEADER       "Grip-Hold"
#define GRIP_CHANNEL_HEADER    "Grip-Channel"
#define GRIP_LINK_HEADER       "Grip-Link"
#define GRIP_KEEP_ALIVE_HEADER "Grip-Keep-Alive"
#define GRIP_LAST_HEADER       "Grip-Last"

/** The value of Grip-Hold for an event stream. */
#define GRIP_HOLD_STREAM "stream"

/** The longest channel name. A room of 64 characters of 4 bytes, percent-encoded, has 768. */
#define GRIP_HOLD_CHANNEL_MAX_BYTES 1024

/** The longest URI in a link. */
#define GRIP_HOLD_URI_MAX_BYTES 4096

/** Bounds of every timeout, inclusive. */
#define GRIP_HOLD_TIMEOUT_MIN apr_time_from_sec(1)
#define GRIP_HOLD_TIMEOUT_MAX apr_time_from_sec(3600)

/** The longest Grip-Last, and how many channels it may name. */
#define GRIP_HOLD_LAST_MAX_BYTES    8192
#define GRIP_HOLD_LAST_MAX_CHANNELS 32

/**
 * Join a prefix and a channel to the name that goes on the wire. Nothing is escaped here: the
 * caller percent-encodes the users' text. Pure, thread-safe, does not log.
 *
 * @param out      the name, owned by pool; untouched on failure
 * @param prefix   may be empty
 * @param channel  for instance "events-room-default"
 * @return APR_SUCCESS, or APR_EINVAL if the name would be empty, longer than
 *         GRIP_HOLD_CHANNEL_MAX_BYTES, or hold anything but visible ASCII without , ; " \ < > =
 */
apr_status_t grip_hold_channel_name(const char **out, gc_slice_t prefix, gc_slice_t channel,
                                    apr_pool_t *pool);

/**
 * Format Grip-Channel: "events-room-x; prev-id=5". Pure, thread-safe, does not log.
 *
 * @param out      the header value, owned by pool; untouched on failure
 * @param channel  as grip_hold_channel_name gives it
 * @param prev_id  the last event that the answer holds or follows, 0 .. APR_INT64_MAX
 * @return APR_SUCCESS, or APR_EINVAL if channel or prev_id is not as above
 */
apr_status_t grip_hold_channel_format(const char **out, gc_slice_t channel, apr_int64_t prev_id,
                                      apr_pool_t *pool);

/**
 * Format Grip-Link: "</rooms/x/events/?link=next>; rel=next; timeout=120". Pure, thread-safe, does
 * not log.
 *
 * @param out      the header value, owned by pool; untouched on failure
 * @param uri      a path ("/…") or an http(s) URI, percent-encoded, at most
 *                 GRIP_HOLD_URI_MAX_BYTES
 * @param timeout  silence before the proxy asks, in MICROSECONDS, GRIP_HOLD_TIMEOUT_MIN ..
 *                 GRIP_HOLD_TIMEOUT_MAX; the wire unit is seconds, so a fraction is rounded up; or
 *                 0 to leave it out, for a page without a hold
 * @return APR_SUCCESS, or APR_EINVAL if uri or timeout is not as above
 */
apr_status_t grip_hold_link_format(const char **out, gc_slice_t uri, apr_interval_time_t timeout,
                                   apr_pool_t *pool);

/**
 * Format Grip-Keep-Alive: "event: keep-alive\ndata:\n\n; format=cstring; timeout=20" (with \n as
 * two characters). Pure, thread-safe, does not log.
 *
 * @param out      the header value, owned by pool; untouched on failure
 * @param content  the event that the proxy sends, 1 .. 1,024 bytes: visible ASCII and space without
 *                 , ; and ", CR and LF (Pushpin knows no other escape that is needed); no space at
 *                 either end
 * @param timeout  silence before it is sent, in MICROSECONDS, bounds and rounding as for a link
 * @return APR_SUCCESS, or APR_EINVAL if content or timeout is not as above
 */
apr_status_t grip_hold_keep_alive_format(const char **out, gc_slice_t content,
                                         apr_interval_time_t timeout, apr_pool_t *pool);

/**
 * Find a channel's position in Grip-Last: "events-room-x; last-id=5", several of them separated by
 * commas (httpd joins headers that occur several times so). Pure, thread-safe, does not log.
 *
 * @param last_id  the id as it stands there, 1 .. 64 visible ASCII bytes; points into header;
 *                 untouched on failure
 * @param header   the value; an empty slice if there is no such header
 * @param channel  the name as it went out in Grip-Channel
 * @return APR_SUCCESS, or APR_ENOENT if the channel is not named. APR_EINVAL if the header is
 *         longer or names more channels than the limits above, is malformed in any part, or names
 *         the channel twice
 */
apr_status_t grip_hold_last_find(gc_slice_t *last_id, gc_slice_t header, gc_slice_t channel);

#endif
