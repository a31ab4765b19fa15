#include "chat_event_id.h"

#include "gc_percent.h"

#define PREFIX "room-"

void chat_event_id_append_channel(gc_buffer_t *buffer, gc_slice_t room)
{
    gc_buffer_append_text(buffer, PREFIX);
    gc_percent_append(buffer, room);
}

void chat_event_id_append(gc_buffer_t *buffer, gc_slice_t room, apr_int64_t n)
{
    chat_event_id_append_channel(buffer, room);
    gc_buffer_append_text(buffer, ":");
    gc_buffer_append_int64(buffer, n);
}

apr_status_t chat_event_id_parse(apr_int64_t *n, gc_slice_t id, gc_slice_t room,
                                 apr_pool_t *scratch_pool)
{
    gc_slice_t rest = id;
    gc_slice_t encoded;
    gc_slice_t decoded;
    apr_int64_t number;

    /* Every byte of a room may have become %XX, and a position has at most 19 digits. */
    if (id.len > sizeof(PREFIX) + CHAT_ROOM_MAX_CHARS * 4 * 3 + 20 ||
        !gc_slice_starts(id, gc_slice_of(PREFIX)))
    {
        return APR_EINVAL;
    }
    rest.data += sizeof(PREFIX) - 1;
    rest.len -= sizeof(PREFIX) - 1;
    if (gc_slice_until(&rest, ':', &encoded) != APR_SUCCESS ||
        gc_percent_decode(&decoded, encoded, scratch_pool) != APR_SUCCESS ||
        !gc_slice_equal(decoded, room) ||
        gc_slice_number(rest, APR_INT64_MAX, &number) != APR_SUCCESS)
    {
        return APR_EINVAL;
    }
    *n = number;
    return APR_SUCCESS;
}
