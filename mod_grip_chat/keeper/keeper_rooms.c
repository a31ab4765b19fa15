#include "keeper_rooms.h"

#include "keeper_pace.h"

apr_status_t keeper_rooms_init(keeper_rooms_t *rooms, const keeper_site_t *site, apr_pool_t *pool)
{
    rooms->site = site;
    rooms->by_name = apr_hash_make(pool);
    APR_RING_INIT(&rooms->queue, keeper_room_t, queue);
    APR_RING_INIT(&rooms->resting, keeper_room_t, resting);
    APR_RING_INIT(&rooms->hints, keeper_room_t, hints);
    APR_RING_INIT(&rooms->sending, keeper_room_t, sending);
    return apr_pool_create(&rooms->scratch, pool);
}

keeper_room_t *keeper_rooms_get(keeper_rooms_t *rooms, const char *name)
{
    keeper_room_t *room = apr_hash_get(rooms->by_name, name, APR_HASH_KEY_STRING);

    if (!room) {
        gc_slice_t slice = gc_slice_of(name);

        apr_pool_clear(rooms->scratch);
        room = keeper_room_create(name, keeper_site_channel(rooms->site, slice, rooms->scratch),
                                  keeper_site_tag(rooms->site, slice));
        if (room) {
            apr_hash_set(rooms->by_name, room->name, APR_HASH_KEY_STRING, room);
        }
    }
    return room;
}

/* A room rests until a time: then it may send, or is forgotten. Times lie close together, so the
 * place is found from the end. */
static void rest(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t until)
{
    keeper_room_t *before;

    if (room->rests_until) {
        APR_RING_REMOVE(room, resting);
    }
    room->rests_until = until;
    before = APR_RING_LAST(&rooms->resting);
    while (before != APR_RING_SENTINEL(&rooms->resting, keeper_room_t, resting) &&
           before->rests_until > until)
    {
        before = APR_RING_PREV(before, resting);
    }
    APR_RING_INSERT_AFTER(before, room, resting);
}

static void end_rest(keeper_room_t *room)
{
    if (room->rests_until) {
        APR_RING_REMOVE(room, resting);
        room->rests_until = 0;
    }
}

void keeper_rooms_forget_if_idle(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t now)
{
    if (room->first || room->is_dirty || room->is_queued || room->is_sending || room->hint_due) {
        return;
    }
    if (room->paced_until > now) {
        rest(rooms, room, room->paced_until);
        return;
    }
    end_rest(room);
    apr_hash_set(rooms->by_name, room->name, APR_HASH_KEY_STRING, NULL);
    keeper_room_free(room);
}

void keeper_rooms_enqueue(keeper_rooms_t *rooms, keeper_room_t *room)
{
    end_rest(room);
    if (!room->is_queued) {
        room->is_queued = 1;
        APR_RING_INSERT_TAIL(&rooms->queue, room, keeper_room_t, queue);
    }
}

void keeper_rooms_enqueue_first(keeper_rooms_t *rooms, keeper_room_t *room)
{
    end_rest(room);
    if (room->is_queued) {
        keeper_rooms_dequeue(room);
    }
    room->is_queued = 1;
    APR_RING_INSERT_HEAD(&rooms->queue, room, keeper_room_t, queue);
}

void keeper_rooms_schedule(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t now)
{
    gc_moment_t due = keeper_pace_due(room->paced_until, rooms->site->publish_interval,
                                      rooms->site->publish_burst);

    if (room->is_queued) {
        return;
    }
    if (due > now) {
        room->is_flooded = 1;
        rooms->flooded = now;
    }
    due = room->gap_until > due ? room->gap_until : due;
    if (due <= now) {
        keeper_rooms_enqueue(rooms, room);
    }
    else {
        rest(rooms, room, due);
    }
}

void keeper_rooms_dequeue(keeper_room_t *room)
{
    APR_RING_REMOVE(room, queue);
    room->is_queued = 0;
}

void keeper_rooms_mark_sending(keeper_rooms_t *rooms, keeper_room_t *room, int is_events,
                               gc_moment_t now)
{
    if (is_events) {
        room->paced_until =
            keeper_pace_spend(room->paced_until, rooms->site->publish_interval, now);
        room->gap_until = now + rooms->site->publish_gap;
    }
    if (!room->is_sending) {
        room->is_sending = 1;
        APR_RING_INSERT_TAIL(&rooms->sending, room, keeper_room_t, sending);
    }
}

keeper_room_t *keeper_rooms_pop_sending(keeper_rooms_t *rooms)
{
    keeper_room_t *room;

    if (APR_RING_EMPTY(&rooms->sending, keeper_room_t, sending)) {
        return NULL;
    }
    room = APR_RING_FIRST(&rooms->sending);
    APR_RING_REMOVE(room, sending);
    room->is_sending = 0;
    return room;
}

void keeper_rooms_set_hint(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t due)
{
    if (room->hint_due) {
        APR_RING_REMOVE(room, hints);
    }
    room->hint_due = due;
    if (due) {
        APR_RING_INSERT_TAIL(&rooms->hints, room, keeper_room_t, hints);
    }
}

void keeper_rooms_wake(keeper_rooms_t *rooms, gc_moment_t now)
{
    keeper_room_t *room;

    while (!APR_RING_EMPTY(&rooms->hints, keeper_room_t, hints) && rooms->hints_from <= now &&
           (room = APR_RING_FIRST(&rooms->hints))->hint_due <= now)
    {
        rooms->hints_from = now + KEEPER_ROOMS_HINT_GAP;
        keeper_rooms_set_hint(rooms, room, 0);
        room->is_flooded = 0;
        room->is_dirty = 1;
        keeper_rooms_enqueue(rooms, room);
    }
    while (!APR_RING_EMPTY(&rooms->resting, keeper_room_t, resting) &&
           (room = APR_RING_FIRST(&rooms->resting))->rests_until <= now)
    {
        end_rest(room);
        if (room->first) {
            keeper_rooms_enqueue(rooms, room);
        }
        else {
            keeper_rooms_forget_if_idle(rooms, room, now);
        }
    }
}

gc_moment_t keeper_rooms_next(const keeper_rooms_t *rooms)
{
    gc_moment_t next = 0;

    if (!APR_RING_EMPTY(&rooms->hints, keeper_room_t, hints)) {
        next = APR_RING_FIRST(&rooms->hints)->hint_due;
        next = rooms->hints_from > next ? rooms->hints_from : next;
    }
    if (!APR_RING_EMPTY(&rooms->resting, keeper_room_t, resting) &&
        (!next || APR_RING_FIRST(&rooms->resting)->rests_until < next))
    {
        next = APR_RING_FIRST(&rooms->resting)->rests_until;
    }
    return next;
}
