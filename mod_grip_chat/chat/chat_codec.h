/* Messages and lists of them as JSON, as the original chat writes them. */
#ifndef CHAT_CODEC_H
#define CHAT_CODEC_H

#include "chat_types.h"
#include "gc_buffer.h"

/**
 * Append one message: `{"id": 1, "from": "al", "date": "2026-11-24T04:03:17.336Z", "text": "hello"}`,
 * without a line end. The date is UTC (RFC 3339) with milliseconds. A message with an idempotency key
 * has it as "key", after the text.
 *
 * @return APR_SUCCESS, or APR_EINVAL if a name or text is not UTF-8; the bytes appended before that
 *         stay
 */
apr_status_t chat_codec_append_message(gc_buffer_t *buffer, const chat_event_t *event);

/**
 * Append a list: `{"messages": […], "last-event-id": "room-default:0"}` and a line end, the messages
 * in the order of the page.
 *
 * @return as chat_codec_append_message
 */
apr_status_t chat_codec_append_list(gc_buffer_t *buffer, gc_slice_t room, const chat_page_t *page);

/** The separator of two messages of a list. */
#define CHAT_CODEC_BETWEEN ", "

/** Begin a list, for a caller that has its messages as JSON already. */
void chat_codec_begin_list(gc_buffer_t *buffer);

/** Write the separator before a message of a list, of which `number` are there already. */
void chat_codec_begin_item(gc_buffer_t *buffer, int number);

/** End a list. */
void chat_codec_end_list(gc_buffer_t *buffer, gc_slice_t room, apr_int64_t last_event_id);

#endif
