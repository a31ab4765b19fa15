#include "mod_grip_chat_room.h"

#include <stdlib.h>

grip_chat_room_t *grip_chat_rooms_get(grip_chat_rooms_t *rooms, const grip_chat_site_t *site,
                                      const char *name, int *is_new_slot)
{
    unsigned slot = keeper_site_slot(&site->keeper, gc_slice_of(name));
    apr_size_t size = strlen(name) + 1;
    grip_chat_room_t *room = rooms->by_slot[slot];

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

int grip_chat_rooms_remove(grip_chat_rooms_t *rooms, grip_chat_room_t *room)
{
    grip_chat_room_t **at = &rooms->by_slot[room->slot];
    unsigned slot = room->slot;

    while (*at != room) {
        at = &(*at)->chain;
    }
    *at = room->chain;
    *(room->prev ? &room->prev->next : &rooms->first) = room->next;
    if (room->next) {
        room->next->prev = room->prev;
    }
    grip_chat_log_clear(&room->log);
    free(room);
    return rooms->by_slot[slot] == NULL;
}

void grip_chat_room_enter(grip_chat_room_t *room, grip_chat_held_t *held)
{
    held->room = room;
    held->first_load = room->loads + 1;
    held->is_aligned = 0;
    held->prev = NULL;
    held->next = room->first;
    if (room->first) {
        room->first->prev = held;
    }
    room->first = held;
}

void grip_chat_room_note_full(grip_chat_held_t *held, int is_full)
{
    grip_chat_room_t *room = held->room;

    int was_full = held->is_counted;

    room->full += is_full - was_full;
    held->is_counted = is_full;
    if (was_full && room->full == 0) {
        grip_chat_log_clear(&room->log); /* nobody is behind any more */
    }
}

void grip_chat_room_leave(grip_chat_held_t *held)
{
    grip_chat_room_note_full(held, 0);
    *(held->prev ? &held->prev->next : &held->room->first) = held->next;
    if (held->next) {
        held->next->prev = held->prev;
    }
    held->room = NULL;
}
