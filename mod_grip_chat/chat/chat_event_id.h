/* Event ids as clients see them: `room-{room}:{n}`, the room percent-encoded. */
#ifndef CHAT_EVENT_ID_H
#define CHAT_EVENT_ID_H

#include "chat_types.h"
#include "gc_buffer.h"

/** The position of a negative number: it lies before all events that a room has, or had. */
#define CHAT_EVENT_ID_GONE (-1)

/** Append the id of position n in room (valid, decoded). */
void chat_event_id_append(gc_buffer_t *buffer, gc_slice_t room, apr_int64_t n);

/** Append the channel of a room as clients see it in stream-reset: `room-{room}`. */
void chat_event_id_append_channel(gc_buffer_t *buffer, gc_slice_t room);

/**
 * Read an id that a client sent back, or several with commas between them, as a stream of several
 * rooms has them. Of several, the id of the room counts; if there are more of it, the last.
 *
 * @param n     the position, from 0, or CHAT_EVENT_ID_GONE where the number is negative; untouched on
 *              failure
 * @param id    the bytes as sent; httpd bounds them
 * @param room  the room that is asked for, decoded
 * @param scratch_pool  for decoding
 * @return APR_SUCCESS; APR_EINVAL if one of them is not an id, or none is of the room. Thread-safe with a
 *         pool of one's own.
 */
apr_status_t chat_event_id_parse(apr_int64_t *n, gc_slice_t id, gc_slice_t room,
                                 apr_pool_t *scratch_pool);

#endif
