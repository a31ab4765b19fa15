#include "stream_room.h"

#include <stdlib.h>

#include "gc_assert.h"

stream_room_t *stream_rooms_get(stream_rooms_t *rooms, const conf_site_t *site, const char *name,
                                int *is_new_slot)
{
    unsigned slot = ipc_site_slot(&site->keeper, gc_slice_of(name));
    apr_size_t size = strlen(name) + 1;
    stream_room_t *room = rooms->by_slot[slot];

    *is_new_slot = room == NULL;
    while (room && (room->site != site || strcmp(room->name, name) != 0)) {
        room = room->chain;
    }
    if (room) {
        return room;
    }
    room = calloc(1, sizeof(*room) + size);
    if (!room) {
        return NULL;
    }
    room->load = stream_load_make(room, site, slot, name);
    if (!room->load) {
        free(room);
        return NULL;
    }
    room->site = site;
    room->slot = slot;
    memcpy(room->name, name, size);
    room->chain = rooms->by_slot[slot];
    rooms->by_slot[slot] = room;
    room->next = rooms->first;
    if (rooms->first) {
        rooms->first->prev = room;
    }
    rooms->first = room;
    return room;
}

/* Make room for some more bytes. @return 0 without memory, or if there are too many for a piece */
static int grow_fresh(stream_fresh_t *fresh, apr_size_t more)
{
    apr_size_t size = fresh->size ? fresh->size * 2 : 1024;
    char *text;

    if (fresh->len + more > STREAM_PIECE_BYTES) {
        return 0;
    }
    if (fresh->len + more <= fresh->size) {
        return 1;
    }
    size = size < fresh->len + more ? fresh->len + more : size;
    text = realloc(fresh->text, size);
    if (text) {
        fresh->text = text;
        fresh->size = size;
    }
    return text != NULL;
}

int stream_room_take(stream_room_t *room, const ipc_notice_t *notice)
{
    stream_fresh_t *fresh = &room->fresh;
    apr_int64_t end = fresh->len ? fresh->to : room->tail;

    if (stream_room_is_loading(room)) {
        if (notice->position > room->expected) {
            room->expected = notice->position;
        }
        return 1;
    }
    if (!room->is_read || room->has_failed || room->version.epoch != notice->version.epoch) {
        return 0;
    }
    if (notice->position <= end) {
        return 1;
    }
    if (notice->position != end + 1 || !grow_fresh(fresh, notice->text.len)) {
        return 0;
    }
    memcpy(fresh->text + fresh->len, notice->text.data, notice->text.len);
    fresh->len += notice->text.len;
    fresh->to = notice->position;
    fresh->version = notice->version;
    return 1;
}

int stream_room_cut_fresh(stream_room_t *room, chat_account_t *account)
{
    stream_fresh_t *fresh = &room->fresh;
    stream_load_t *load = room->load;

    GC_ASSERT(load && fresh->len > 0 && fresh->to > room->tail);
    stream_load_clear(load);
    load->pieces = stream_piece_make(gc_slice(fresh->text, fresh->len), fresh->to, account);
    if (load->pieces) {
        load->to = fresh->to;
        room->version = fresh->version;
    }
    stream_room_drop_fresh(room);
    return load->pieces != NULL;
}

stream_load_t *stream_room_begin_load(stream_room_t *room)
{
    stream_load_t *load = room->load;

    GC_ASSERT(load && load->room == room && room->fresh.len == 0);
    room->load = NULL;
    room->loads++;
    load->is_first = !room->is_read;
    load->after = room->tail;
    return load;
}

void stream_room_end_load(stream_load_t *load)
{
    GC_ASSERT(stream_room_is_loading(load->room) && load->room->fresh.len == 0);
    load->room->load = load;
}

void stream_room_drop_fresh(stream_room_t *room)
{
    free(room->fresh.text);
    memset(&room->fresh, 0, sizeof(room->fresh));
}

int stream_rooms_remove(stream_rooms_t *rooms, stream_room_t *room)
{
    stream_room_t **at = &rooms->by_slot[room->slot];
    unsigned slot = room->slot;

    GC_ASSERT(!room->first && room->full == 0 && room->backlogs == 0);
    GC_ASSERT(!stream_room_is_loading(room) && !room->is_due);
    while (*at != room) {
        at = &(*at)->chain;
    }
    *at = room->chain;
    *(room->prev ? &room->prev->next : &rooms->first) = room->next;
    if (room->next) {
        room->next->prev = room->prev;
    }
    stream_pieces_clear(&room->pieces);
    stream_room_drop_fresh(room);
    free(room->load);
    free(room);
    return rooms->by_slot[slot] == NULL;
}

void stream_room_enter(stream_room_t *room, stream_connection_t *connection)
{
    GC_ASSERT(!connection->room && !connection->is_counted && !connection->backlog);
    connection->room = room;
    connection->first_load = room->loads + 1;
    connection->is_aligned = 0;
    connection->is_behind = 0;
    connection->prev = NULL;
    connection->next = room->first;
    if (room->first) {
        room->first->prev = connection;
    }
    room->first = connection;
}

void stream_room_note_full(stream_connection_t *connection, int is_full)
{
    stream_room_t *room = connection->room;
    int was_full = connection->is_counted;

    GC_ASSERT(room->full >= was_full);
    is_full = is_full && connection->is_aligned;
    room->full += is_full - was_full;
    connection->is_counted = is_full;
    if (was_full && room->full == 0) {
        stream_pieces_clear(&room->pieces); /* no reader is behind any more */
    }
}

void stream_room_leave(stream_connection_t *connection)
{
    GC_ASSERT(connection->prev ? connection->prev->next == connection
                               : connection->room->first == connection);
    stream_room_note_full(connection, 0);
    *(connection->prev ? &connection->prev->next : &connection->room->first) = connection->next;
    if (connection->next) {
        connection->next->prev = connection->prev;
    }
    connection->room = NULL;
}
