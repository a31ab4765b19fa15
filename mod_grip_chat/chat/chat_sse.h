/* The text of an event stream (WHATWG HTML, "Server-sent events"). */
#ifndef CHAT_SSE_H
#define CHAT_SSE_H

#include "chat_types.h"
#include "gc_buffer.h"

/** The position of a room's stream-open that names none. */
#define CHAT_SSE_NO_POSITION (-1)

/** The comment of 2,048 spaces that fills old browsers' buffers; a constant. Pure. */
gc_slice_t chat_sse_padding(void);

/** Append stream-open, with the id of position n, or without an id for CHAT_SSE_NO_POSITION. */
void chat_sse_append_open(gc_buffer_t *buffer, gc_slice_t room, apr_int64_t n);

/** Append one event. @return as chat_kind_t's append_data; APR_EINVAL for a kind that is not known */
apr_status_t chat_sse_append_event(gc_buffer_t *buffer, gc_slice_t room, const chat_event_t *event);

/**
 * Append the events of a page, which follow a position, as far as one answer goes (CHAT_PAGE_MAX_EVENTS,
 * CHAT_PAGE_MAX_BYTES, but one event at least).
 *
 * @param up_to    the last position that is wanted, not beyond the room's end
 * @param reached  the position that they lead to: of the last of them, or up_to where no more are stored;
 *                 untouched where there is none but more are stored
 * @return as chat_sse_append_event
 */
apr_status_t chat_sse_append_page(gc_buffer_t *buffer, gc_slice_t room, const chat_page_t *page,
                                  apr_int64_t up_to, apr_int64_t *reached);

/** The data of an event that chat_sse_append_event wrote: of a message its JSON. A part of the event. */
gc_slice_t chat_sse_data(gc_slice_t event);

/** Append stream-reset: events before position n cannot be had. */
void chat_sse_append_reset(gc_buffer_t *buffer, gc_slice_t room, apr_int64_t n);

/** The stream-error that answers a position which cannot be parsed, in the original's words; a constant.
 *  Nothing stands before it, and a client does not come back after it. Pure. */
gc_slice_t chat_sse_bad_position(void);

/** Append `retry:`, the milliseconds after which a client comes back. */
void chat_sse_append_retry(gc_buffer_t *buffer, int retry_ms);

#endif
