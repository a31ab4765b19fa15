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

/* Read a number; no event ever had a negative one. */
static apr_status_t read_number(gc_slice_t text, apr_int64_t *number)
{
    int is_negative = gc_slice_starts(text, gc_slice_of("-"));
    apr_int64_t value;

    text = gc_slice(text.data + is_negative, text.len - (apr_size_t)is_negative);
    if (gc_slice_number(text, APR_INT64_MAX, &value) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    *number = is_negative ? CHAT_EVENT_ID_GONE : value;
    return APR_SUCCESS;
}

/* Read one id. APR_ENOENT if it is another room's: the part after the colon is not looked at. */
static apr_status_t parse_one(apr_int64_t *n, gc_slice_t id, gc_slice_t room,
                              apr_pool_t *scratch_pool)
{
    gc_slice_t number = id;
    gc_slice_t encoded;
    gc_slice_t decoded;

    if (gc_slice_until(&number, ':', &encoded) != APR_SUCCESS ||
        (number.len && memchr(number.data, ':', number.len)))
    {
        return APR_EINVAL;
    }
    /* Every byte of a room may have become %XX. */
    if (encoded.len > sizeof(PREFIX) + CHAT_ROOM_MAX_CHARS * 4 * 3 ||
        !gc_slice_starts(encoded, gc_slice_of(PREFIX)))
    {
        return APR_ENOENT;
    }
    encoded = gc_slice(encoded.data + sizeof(PREFIX) - 1, encoded.len - (sizeof(PREFIX) - 1));
    if (gc_percent_decode(&decoded, encoded, scratch_pool) != APR_SUCCESS ||
        !gc_slice_equal(decoded, room))
    {
        return APR_ENOENT;
    }
    return read_number(number, n);
}

apr_status_t chat_event_id_parse(apr_int64_t *n, gc_slice_t id, gc_slice_t room,
                                 apr_pool_t *scratch_pool)
{
    apr_int64_t number = 0;
    int is_found = 0;

    while (id.len) {
        apr_status_t rv = parse_one(&number, gc_slice_piece(&id, ','), room, scratch_pool);

        if (rv != APR_SUCCESS && rv != APR_ENOENT) {
            return APR_EINVAL;
        }
        is_found = is_found || rv == APR_SUCCESS;
    }
    if (!is_found) {
        return APR_EINVAL;
    }
    *n = number;
    return APR_SUCCESS;
}
