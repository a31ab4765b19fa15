#include "publish_room.h"

#include <stdlib.h>

#include "gc_assert.h"

publish_room_t *publish_room_create(const char *name, const char *channel, apr_uint64_t tag)
{
    apr_size_t name_size = strlen(name) + 1;
    apr_size_t channel_size = strlen(channel) + 1;
    publish_room_t *room = calloc(1, sizeof(*room) + name_size + channel_size);
    char *strings;

    if (!room) {
        return NULL;
    }
    strings = (char *)(room + 1);
    memcpy(strings, name, name_size);
    memcpy(strings + name_size, channel, channel_size);
    room->name = strings;
    room->channel = strings + name_size;
    room->tag = tag;
    room->told_waiting = IPC_SHARED_NOTHING;
    return room;
}

static publish_item_t *item_create(apr_int64_t message_id, apr_int64_t event_id)
{
    publish_item_t *item = calloc(1, sizeof(*item));

    if (item) {
        item->prev_id = event_id - 1;
        item->id = event_id - 1;
        item->first_message_id = message_id;
    }
    return item;
}

static apr_status_t item_append(publish_item_t *item, apr_int64_t event_id, gc_slice_t text)
{
    if (item->len + text.len > item->capacity) {
        apr_size_t capacity = item->len * 2 + text.len;
        char *content = realloc(item->content, capacity);

        if (!content) {
            return APR_ENOMEM;
        }
        item->content = content;
        item->capacity = capacity;
    }
    if (text.len > 0) { /* or there may be no content to point into */
        memcpy(item->content + item->len, text.data, text.len);
    }
    item->len += text.len;
    item->id = event_id;
    return APR_SUCCESS;
}

static void item_free(publish_item_t *item)
{
    free(item->content);
    free(item);
}

apr_status_t publish_room_add(publish_room_t *room, apr_int64_t message_id, apr_int64_t event_id,
                              gc_slice_t text, apr_size_t max_bytes)
{
    publish_item_t *item = room->last;
    apr_status_t rv;

    if ((room->last && room->last->id >= event_id) ||
        (room->sent_last && room->sent_last->id >= event_id))
    {
        return APR_EINVAL;
    }
    if (item && item->id == event_id - 1 && item->len + text.len <= max_bytes) {
        rv = item_append(item, event_id, text);
    }
    else {
        item = item_create(message_id, event_id);
        rv = item ? item_append(item, event_id, text) : APR_ENOMEM;
        if (rv != APR_SUCCESS) {
            if (item) {
                item_free(item);
            }
            return rv;
        }
        if (room->last) {
            room->last->next = item;
        }
        else {
            room->first = item;
        }
        room->last = item;
    }
    if (rv == APR_SUCCESS) {
        room->pending_bytes += text.len;
    }
    return rv;
}

void publish_room_send_first(publish_room_t *room)
{
    publish_item_t *item = room->first;

    GC_ASSERT(item != NULL);
    room->first = item->next;
    if (!room->first) {
        room->last = NULL;
    }
    item->next = NULL;
    if (room->sent_last) {
        room->sent_last->next = item;
    }
    else {
        room->sent_first = item;
    }
    room->sent_last = item;
}

void publish_room_take_back(publish_room_t *room)
{
    if (!room->sent_first) {
        return;
    }
    room->sent_last->next = room->first;
    if (!room->last) {
        room->last = room->sent_last;
    }
    room->first = room->sent_first;
    room->sent_first = NULL;
    room->sent_last = NULL;
}

apr_size_t publish_room_drop_sent(publish_room_t *room)
{
    apr_size_t bytes = 0;

    while (room->sent_first) {
        publish_item_t *item = room->sent_first;

        room->sent_first = item->next;
        bytes += item->len;
        item_free(item);
    }
    room->sent_last = NULL;
    GC_ASSERT(room->pending_bytes >= bytes);
    room->pending_bytes -= bytes;
    return bytes;
}

apr_size_t publish_room_drop_all(publish_room_t *room)
{
    publish_room_take_back(room);
    while (room->first) {
        publish_room_send_first(room);
    }
    return publish_room_drop_sent(room);
}

void publish_room_free(publish_room_t *room)
{
    GC_ASSERT(!room->is_queued && !room->is_sending && !room->is_dirty && !room->hint_due &&
              !room->rests_until);
    (void)publish_room_drop_all(room);
    free(room);
}
