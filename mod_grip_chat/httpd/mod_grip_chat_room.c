#include "mod_grip_chat_room.h"

#include <stdlib.h>

#include <apr_thread_proc.h>

#include "gc_lock.h"

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
    free(room);
    return rooms->by_slot[slot] == NULL;
}

void grip_chat_room_enter(grip_chat_room_t *room, grip_chat_held_t *held)
{
    held->room = room;
    held->first_load = room->loads + 1;
    held->prev = NULL;
    held->next = room->first;
    if (room->first) {
        room->first->prev = held;
    }
    room->first = held;
}

void grip_chat_room_leave(grip_chat_held_t *held)
{
    *(held->prev ? &held->prev->next : &held->room->first) = held->next;
    if (held->next) {
        held->next->prev = held->prev;
    }
    held->room = NULL;
}

/* --- the loader ------------------------------------------------------------------------------------- */

/* Rooms, first in, first out. */
typedef struct line_t {
    grip_chat_room_t *first;
    grip_chat_room_t **end;
} line_t;

struct grip_chat_loader_t {
    const keeper_shared_t *shared;
    grip_chat_loader_notify_fn *notify;
    void *baton;
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex; /* guards what follows */
    apr_thread_cond_t *wake;
    line_t waiting;
    line_t done;
    int is_stopping;
};

static void put(line_t *line, grip_chat_room_t *room)
{
    room->queued = NULL;
    *line->end = room;
    line->end = &room->queued;
}

static grip_chat_room_t *take(line_t *line)
{
    grip_chat_room_t *room = line->first;

    if (room) {
        line->first = room->queued;
        if (!line->first) {
            line->end = &line->first;
        }
    }
    return room;
}

static void load(const grip_chat_loader_t *loader, grip_chat_room_t *room)
{
    room->snapshot = NULL;
    room->loaded_version = keeper_shared_version(loader->shared, room->slot);
    room->status =
        grip_chat_reader_look(room->site->reader, room->name, room->site->history, &room->snapshot);
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    grip_chat_loader_t *loader = data;

    gc_lock_enter(loader->mutex);
    while (!loader->is_stopping) {
        grip_chat_room_t *room = take(&loader->waiting);

        if (!room) {
            gc_lock_wait(loader->wake, loader->mutex);
            continue;
        }
        gc_lock_leave(loader->mutex);
        load(loader, room);
        gc_lock_enter(loader->mutex);
        put(&loader->done, room);
        loader->notify(loader->baton);
    }
    gc_lock_leave(loader->mutex);
    return NULL;
}

apr_status_t grip_chat_loader_start(grip_chat_loader_t **out, const keeper_shared_t *shared,
                                    grip_chat_loader_notify_fn *notify, void *baton,
                                    apr_pool_t *pool)
{
    grip_chat_loader_t *loader = apr_pcalloc(pool, sizeof(*loader));
    apr_status_t rv = apr_thread_mutex_create(&loader->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    loader->shared = shared;
    loader->notify = notify;
    loader->baton = baton;
    loader->waiting.end = &loader->waiting.first;
    loader->done.end = &loader->done.first;
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&loader->wake, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&loader->thread, NULL, run, loader, pool);
    }
    if (rv == APR_SUCCESS) {
        *out = loader;
    }
    return rv;
}

void grip_chat_loader_push(grip_chat_loader_t *loader, grip_chat_room_t *room)
{
    room->is_loading = 1;
    room->loads++;
    gc_lock_enter(loader->mutex);
    put(&loader->waiting, room);
    gc_lock_wake(loader->wake);
    gc_lock_leave(loader->mutex);
}

grip_chat_room_t *grip_chat_loader_take(grip_chat_loader_t *loader)
{
    grip_chat_room_t *room;

    gc_lock_enter(loader->mutex);
    room = take(&loader->done);
    gc_lock_leave(loader->mutex);
    if (room) {
        room->is_loading = 0;
    }
    return room;
}

apr_status_t grip_chat_loader_stop(grip_chat_loader_t *loader)
{
    apr_status_t result = APR_SUCCESS;
    apr_status_t rv;

    gc_lock_enter(loader->mutex);
    loader->is_stopping = 1;
    gc_lock_wake(loader->wake);
    gc_lock_leave(loader->mutex);
    rv = apr_thread_join(&result, loader->thread);
    return rv == APR_SUCCESS ? result : rv;
}
