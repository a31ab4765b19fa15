/* Publish items and the body that carries them to {control}/publish/. An item is rendered once and
 * can be added to any number of bodies. */
#ifndef GRIP_ITEM_H
#define GRIP_ITEM_H

#include "gc_buffer.h"

/** The largest body that Pushpin 1.36 takes. */
#define GRIP_ITEM_BODY_MAX_BYTES 1000000

/**
 * Append an item with events: {"channel": c, "id": "6", "prev-id": "5", "formats": {"http-stream":
 * {"content": …}}}. Thread-safe with buffers of one's own; does not log.
 *
 * @param buffer        unchanged on failure
 * @param channel       as grip_hold_channel_name gives it
 * @param id            the last event of the content
 * @param prev_id       the event before the first one, 0 .. id - 1
 * @param contents      count pieces of UTF-8 that are joined, each whole characters
 * @param count         1 or more
 * @param scratch_pool  for the joined content
 * @return APR_SUCCESS, or APR_EINVAL if channel or content is not valid UTF-8 or the numbers are
 *         not as above
 */
apr_status_t grip_item_append_events(gc_buffer_t *buffer, gc_slice_t channel, apr_int64_t id,
                                     apr_int64_t prev_id, const gc_slice_t *contents,
                                     apr_size_t count, apr_pool_t *scratch_pool);

/**
 * Append an item that makes every session of the channel that is behind ask through its next link.
 *
 * @param buffer  unchanged on failure
 * @return APR_SUCCESS, or APR_EINVAL if channel is not valid UTF-8
 */
apr_status_t grip_item_append_hint(gc_buffer_t *buffer, gc_slice_t channel);

/** Begin a body in an empty buffer. */
void grip_item_body_begin(gc_buffer_t *body);

/** How many bytes the finished body will have once item is added too; an empty slice adds none. */
apr_size_t grip_item_body_size_with(const gc_buffer_t *body, gc_slice_t item);

/** Add a rendered item to a body that was begun and not ended. The caller has checked its size. */
void grip_item_body_add(gc_buffer_t *body, gc_slice_t item);

/** End a body. */
void grip_item_body_end(gc_buffer_t *body);

#endif
