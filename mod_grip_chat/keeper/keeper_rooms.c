#include "keeper_rooms.h"

#include "keeper_pace.h"

/* How many dirty rooms are looked at for one that can be forgotten. */
#define FORGET_TRIES 16

apr_status_t keeper_rooms_init(keeper_rooms_t *rooms, const ipc_site_t *site,
                               const ipc_shared_t *shared, apr_pool_t *pool)
{
    rooms->site = site;
    rooms->shared = shared;
    rooms->by_name = apr_hash_make(pool);
    APR_RING_INIT(&rooms->queue, keeper_room_t, queue);
    APR_RING_INIT(&rooms->resting, keeper_room_t, resting);
    APR_RING_INIT(&rooms->hints, keeper_room_t, hints);
    APR_RING_INIT(&rooms->lost, keeper_room_t, lost);
    APR_RING_INIT(&rooms->sending, keeper_room_t, sending);
    return apr_pool_create(&rooms->scratch, pool);
}

/* Whether a reader may wait there: a hold was answered within the time after which readers ask by
 * themselves. */
static int is_held(const keeper_rooms_t *rooms, const keeper_room_t *room, gc_moment_t now)
{
    gc_moment_t held = ipc_shared_last_hold(rooms->shared, ipc_shared_slot(room->tag));

    return held && held + rooms->site->link_timeout >= now;
}

static void end_rest(keeper_room_t *room)
{
    if (room->rests_until) {
        APR_RING_REMOVE(room, resting);
        room->rests_until = 0;
    }
}

static void clear_dirty(keeper_room_t *room)
{
    if (room->is_dirty) {
        APR_RING_REMOVE(room, lost);
        room->is_dirty = 0;
    }
}

static void forget(keeper_rooms_t *rooms, keeper_room_t *room)
{
    keeper_rooms_set_hint(rooms, room, 0);
    clear_dirty(room);
    end_rest(room);
    apr_hash_set(rooms->by_name, room->name, APR_HASH_KEY_STRING, NULL);
    keeper_room_free(room);
}

/* Whether a room could be forgotten, and cost its readers no more than the wait for their link. */
static int is_forgettable(const keeper_room_t *room)
{
    return !room->first && !room->is_queued && !room->is_sending;
}

/* Find the room to be forgotten first: one of which it is not known that it misses anything, else one without
 * a hold. */
static keeper_room_t *find_forgettable(const keeper_rooms_t *rooms, gc_moment_t now)
{
    keeper_room_t *room = APR_RING_FIRST(&rooms->hints);
    int tries;

    if (room != APR_RING_SENTINEL(&rooms->hints, keeper_room_t, hints) && !room->is_dirty &&
        is_forgettable(room))
    {
        return room;
    }
    room = APR_RING_FIRST(&rooms->resting);
    if (room != APR_RING_SENTINEL(&rooms->resting, keeper_room_t, resting) && !room->is_dirty &&
        is_forgettable(room))
    {
        return room;
    }
    room = APR_RING_FIRST(&rooms->lost);
    for (tries = 0;
         tries < FORGET_TRIES && room != APR_RING_SENTINEL(&rooms->lost, keeper_room_t, lost);
         tries++)
    {
        if (is_forgettable(room) && !is_held(rooms, room, now)) {
            return room;
        }
        room = APR_RING_NEXT(room, lost);
    }
    return NULL;
}

/* @return whether there is place for one room more */
static int make_place(keeper_rooms_t *rooms, gc_moment_t now)
{
    keeper_room_t *room;

    if (apr_hash_count(rooms->by_name) < KEEPER_ROOMS_MAX) {
        return 1;
    }
    room = find_forgettable(rooms, now);
    rooms->forgotten += !room || room->is_dirty || room->hint_due;
    if (room) {
        forget(rooms, room);
    }
    return room != NULL;
}

keeper_room_t *keeper_rooms_get(keeper_rooms_t *rooms, const char *name, gc_moment_t now)
{
    keeper_room_t *room = apr_hash_get(rooms->by_name, name, APR_HASH_KEY_STRING);

    if (!room && make_place(rooms, now)) {
        gc_slice_t slice = gc_slice_of(name);

        apr_pool_clear(rooms->scratch);
        room = keeper_room_create(name, ipc_site_channel(rooms->site, slice, rooms->scratch),
                                  ipc_site_tag(rooms->site, slice));
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

void keeper_rooms_forget_if_idle(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t now)
{
    if (room->first || room->is_dirty || room->is_queued || room->is_sending || room->hint_due) {
        return;
    }
    if (room->paced_until > now) {
        rest(rooms, room, room->paced_until);
        return;
    }
    forget(rooms, room);
}

void keeper_rooms_set_dirty(keeper_rooms_t *rooms, keeper_room_t *room)
{
    if (!room->is_dirty) {
        room->is_dirty = 1;
        APR_RING_INSERT_TAIL(&rooms->lost, room, keeper_room_t, lost);
    }
}

/* When the next hint may go. */
static gc_moment_t hints_due(const keeper_rooms_t *rooms)
{
    return keeper_pace_due(rooms->hints_until, rooms->site->hint_interval, KEEPER_ROOMS_HINT_BURST);
}

int keeper_rooms_may_hint(const keeper_rooms_t *rooms, gc_moment_t now)
{
    return hints_due(rooms) <= now;
}

gc_moment_t keeper_rooms_hint_due(const keeper_rooms_t *rooms)
{
    gc_moment_t due = hints_due(rooms);

    return APR_RING_EMPTY(&rooms->lost, keeper_room_t, lost) ? 0 : due > 0 ? due : 1;
}

keeper_room_t *keeper_rooms_next_hint(const keeper_rooms_t *rooms, gc_moment_t now)
{
    keeper_room_t *room;

    if (APR_RING_EMPTY(&rooms->lost, keeper_room_t, lost) || !keeper_rooms_may_hint(rooms, now)) {
        return NULL;
    }
    APR_RING_FOREACH(room, &rooms->lost, keeper_room_t, lost)
    {
        if (is_held(rooms, room, now)) {
            return room;
        }
    }
    return APR_RING_FIRST(&rooms->lost);
}

void keeper_rooms_spend_hint(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t now)
{
    clear_dirty(room);
    rooms->hints_until = keeper_pace_spend(rooms->hints_until, rooms->site->hint_interval, now);
}

void keeper_rooms_return_hint(keeper_rooms_t *rooms, keeper_room_t *room)
{
    if (room->is_hint_sent) {
        room->is_hint_sent = 0;
        rooms->hints_until -= rooms->site->hint_interval;
        keeper_rooms_set_dirty(rooms, room);
    }
}

void keeper_rooms_refuse_hint(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t now)
{
    apr_interval_time_t pause = KEEPER_ROOMS_REFUSED_MIN;
    int i;

    for (i = 0; i < room->refusals && pause < KEEPER_ROOMS_REFUSED_MAX; i++) {
        pause *= 2;
    }
    room->refused_since = room->refusals++ ? room->refused_since : now;
    if (now - room->refused_since > rooms->site->link_timeout) {
        room->refusals = 0;
        room->unpublished_id = room->first ? room->first->first_message_id : 0;
        return;
    }
    keeper_rooms_set_hint(
        rooms, room, now + (pause < KEEPER_ROOMS_REFUSED_MAX ? pause : KEEPER_ROOMS_REFUSED_MAX));
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
        keeper_room_t *before = APR_RING_LAST(&rooms->hints);

        while (before != APR_RING_SENTINEL(&rooms->hints, keeper_room_t, hints) &&
               before->hint_due > due) {
            before = APR_RING_PREV(before, hints);
        }
        APR_RING_INSERT_AFTER(before, room, hints);
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
        keeper_rooms_set_dirty(rooms, room);
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
    gc_moment_t due;

    if (!APR_RING_EMPTY(&rooms->hints, keeper_room_t, hints)) {
        due = APR_RING_FIRST(&rooms->hints)->hint_due;
        next = gc_clock_earlier(next, rooms->hints_from > due ? rooms->hints_from : due);
    }
    if (!APR_RING_EMPTY(&rooms->resting, keeper_room_t, resting)) {
        next = gc_clock_earlier(next, APR_RING_FIRST(&rooms->resting)->rests_until);
    }
    return next;
}

int keeper_rooms_may_miss(const keeper_rooms_t *rooms, const keeper_room_t *room,
                          gc_moment_t posted)
{
    gc_moment_t held = ipc_shared_last_hold(rooms->shared, ipc_shared_slot(room->tag));

    return room->is_flooded || (held && held + KEEPER_ROOMS_HOLD_WINDOW >= posted) ||
           (rooms->flooded && rooms->flooded + KEEPER_ROOMS_FLOOD_WINDOW >= posted);
}

apr_int64_t keeper_rooms_reached(const keeper_rooms_t *rooms, apr_int64_t newest_id)
{
    apr_hash_index_t *i;

    for (i = apr_hash_first(NULL, rooms->by_name); i; i = apr_hash_next(i)) {
        const keeper_room_t *room = apr_hash_this_val(i);

        if (room->unpublished_id && room->unpublished_id <= newest_id) {
            newest_id = room->unpublished_id - 1;
        }
    }
    return newest_id;
}
