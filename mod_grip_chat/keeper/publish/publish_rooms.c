#include "publish_rooms.h"

#include "gc_assert.h"
#include "publish_pace.h"

/* How many dirty rooms are looked at for one that can be forgotten. */
#define FORGET_TRIES 16

apr_status_t publish_rooms_init(publish_rooms_t *rooms, const ipc_site_t *site,
                                const ipc_shared_t *shared, apr_pool_t *pool)
{
    rooms->site = site;
    rooms->shared = shared;
    rooms->by_name = apr_hash_make(pool);
    APR_RING_INIT(&rooms->queue, publish_room_t, queue);
    APR_RING_INIT(&rooms->resting, publish_room_t, resting);
    APR_RING_INIT(&rooms->hints, publish_room_t, hints);
    APR_RING_INIT(&rooms->lost, publish_room_t, lost);
    APR_RING_INIT(&rooms->sending, publish_room_t, sending);
    return apr_pool_create(&rooms->scratch, pool);
}

/* Whether a reader may wait there: a hold was answered within the time after which readers ask by
 * themselves. */
static int is_held(const publish_rooms_t *rooms, const publish_room_t *room, gc_moment_t now)
{
    gc_moment_t held = ipc_shared_last_hold(rooms->shared, ipc_shared_slot(room->tag));

    return held && held + rooms->site->link_timeout >= now;
}

static void end_rest(publish_room_t *room)
{
    if (room->rests_until) {
        APR_RING_REMOVE(room, resting);
        room->rests_until = 0;
    }
}

static void clear_dirty(publish_room_t *room)
{
    if (room->is_dirty) {
        APR_RING_REMOVE(room, lost);
        room->is_dirty = 0;
    }
}

static void forget(publish_rooms_t *rooms, publish_room_t *room)
{
    publish_rooms_set_hint(rooms, room, 0);
    clear_dirty(room);
    end_rest(room);
    apr_hash_set(rooms->by_name, room->name, APR_HASH_KEY_STRING, NULL);
    publish_room_free(room);
}

/* Whether a room could be forgotten, and cost its readers no more than the wait for their link. */
static int is_forgettable(const publish_room_t *room)
{
    return !room->first && !room->is_queued && !room->is_sending;
}

/* Find the room to be forgotten first: one of which it is not known that it misses anything, else one without
 * a hold. */
static publish_room_t *find_forgettable(const publish_rooms_t *rooms, gc_moment_t now)
{
    publish_room_t *room = APR_RING_FIRST(&rooms->hints);
    int tries;

    if (room != APR_RING_SENTINEL(&rooms->hints, publish_room_t, hints) && !room->is_dirty &&
        is_forgettable(room))
    {
        return room;
    }
    room = APR_RING_FIRST(&rooms->resting);
    if (room != APR_RING_SENTINEL(&rooms->resting, publish_room_t, resting) && !room->is_dirty &&
        is_forgettable(room))
    {
        return room;
    }
    room = APR_RING_FIRST(&rooms->lost);
    for (tries = 0;
         tries < FORGET_TRIES && room != APR_RING_SENTINEL(&rooms->lost, publish_room_t, lost);
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
static int make_place(publish_rooms_t *rooms, gc_moment_t now)
{
    publish_room_t *room;

    if (apr_hash_count(rooms->by_name) < PUBLISH_ROOMS_MAX) {
        return 1;
    }
    room = find_forgettable(rooms, now);
    rooms->forgotten += !room || room->is_dirty || room->hint_due;
    if (room) {
        forget(rooms, room);
    }
    return room != NULL;
}

publish_room_t *publish_rooms_get(publish_rooms_t *rooms, const char *name, gc_moment_t now)
{
    publish_room_t *room = apr_hash_get(rooms->by_name, name, APR_HASH_KEY_STRING);

    if (!room && make_place(rooms, now)) {
        gc_slice_t slice = gc_slice_of(name);

        apr_pool_clear(rooms->scratch);
        room = publish_room_create(name, ipc_site_channel(rooms->site, slice, rooms->scratch),
                                   ipc_site_tag(rooms->site, slice));
        if (room) {
            apr_hash_set(rooms->by_name, room->name, APR_HASH_KEY_STRING, room);
        }
    }
    return room;
}

/* A room rests until a time: then it may send, or is forgotten. Times lie close together, so the
 * place is found from the end. */
static void rest(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t until)
{
    publish_room_t *before;

    GC_ASSERT(!room->is_queued && until > 0);
    if (room->rests_until) {
        APR_RING_REMOVE(room, resting);
    }
    room->rests_until = until;
    before = APR_RING_LAST(&rooms->resting);
    while (before != APR_RING_SENTINEL(&rooms->resting, publish_room_t, resting) &&
           before->rests_until > until)
    {
        before = APR_RING_PREV(before, resting);
    }
    APR_RING_INSERT_AFTER(before, room, resting);
}

void publish_rooms_forget_if_idle(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now)
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

void publish_rooms_set_dirty(publish_rooms_t *rooms, publish_room_t *room)
{
    if (!room->is_dirty) {
        room->is_dirty = 1;
        APR_RING_INSERT_TAIL(&rooms->lost, room, publish_room_t, lost);
    }
}

/* When the next hint may go. */
static gc_moment_t hints_due(const publish_rooms_t *rooms)
{
    return publish_pace_due(rooms->hints_until, rooms->site->hint_interval,
                            PUBLISH_ROOMS_HINT_BURST);
}

int publish_rooms_may_hint(const publish_rooms_t *rooms, gc_moment_t now)
{
    return hints_due(rooms) <= now;
}

gc_moment_t publish_rooms_hint_due(const publish_rooms_t *rooms)
{
    gc_moment_t due = hints_due(rooms);

    return APR_RING_EMPTY(&rooms->lost, publish_room_t, lost) ? 0 : due > 0 ? due : 1;
}

publish_room_t *publish_rooms_next_hint(const publish_rooms_t *rooms, gc_moment_t now)
{
    publish_room_t *room;

    if (APR_RING_EMPTY(&rooms->lost, publish_room_t, lost) || !publish_rooms_may_hint(rooms, now)) {
        return NULL;
    }
    APR_RING_FOREACH(room, &rooms->lost, publish_room_t, lost)
    {
        if (is_held(rooms, room, now)) {
            return room;
        }
    }
    return APR_RING_FIRST(&rooms->lost);
}

void publish_rooms_spend_hint(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now)
{
    GC_ASSERT(room->is_dirty);
    clear_dirty(room);
    rooms->hints_until = publish_pace_spend(rooms->hints_until, rooms->site->hint_interval, now);
}

void publish_rooms_return_hint(publish_rooms_t *rooms, publish_room_t *room)
{
    if (room->is_hint_sent) {
        room->is_hint_sent = 0;
        rooms->hints_until -= rooms->site->hint_interval;
        publish_rooms_set_dirty(rooms, room);
    }
}

void publish_rooms_refuse_hint(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now)
{
    apr_interval_time_t pause = PUBLISH_ROOMS_REFUSED_MIN;
    int i;

    for (i = 0; i < room->refusals && pause < PUBLISH_ROOMS_REFUSED_MAX; i++) {
        pause *= 2;
    }
    room->refused_since = room->refusals++ ? room->refused_since : now;
    if (now - room->refused_since > rooms->site->link_timeout) {
        room->refusals = 0;
        room->unpublished_id = room->first ? room->first->first_message_id : 0;
        return;
    }
    publish_rooms_set_hint(
        rooms, room, now + (pause < PUBLISH_ROOMS_REFUSED_MAX ? pause : PUBLISH_ROOMS_REFUSED_MAX));
}

void publish_rooms_enqueue(publish_rooms_t *rooms, publish_room_t *room)
{
    end_rest(room);
    if (!room->is_queued) {
        room->is_queued = 1;
        APR_RING_INSERT_TAIL(&rooms->queue, room, publish_room_t, queue);
    }
}

void publish_rooms_enqueue_first(publish_rooms_t *rooms, publish_room_t *room)
{
    end_rest(room);
    if (room->is_queued) {
        publish_rooms_dequeue(room);
    }
    room->is_queued = 1;
    APR_RING_INSERT_HEAD(&rooms->queue, room, publish_room_t, queue);
}

void publish_rooms_schedule(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now)
{
    gc_moment_t due = publish_pace_due(room->paced_until, rooms->site->publish_interval,
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
        publish_rooms_enqueue(rooms, room);
    }
    else {
        rest(rooms, room, due);
    }
}

void publish_rooms_dequeue(publish_room_t *room)
{
    GC_ASSERT(room->is_queued);
    APR_RING_REMOVE(room, queue);
    room->is_queued = 0;
}

void publish_rooms_mark_sending(publish_rooms_t *rooms, publish_room_t *room, int is_events,
                                gc_moment_t now)
{
    if (is_events) {
        room->paced_until =
            publish_pace_spend(room->paced_until, rooms->site->publish_interval, now);
        room->gap_until = now + rooms->site->publish_gap;
    }
    if (!room->is_sending) {
        room->is_sending = 1;
        APR_RING_INSERT_TAIL(&rooms->sending, room, publish_room_t, sending);
    }
}

publish_room_t *publish_rooms_pop_sending(publish_rooms_t *rooms)
{
    publish_room_t *room;

    if (APR_RING_EMPTY(&rooms->sending, publish_room_t, sending)) {
        return NULL;
    }
    room = APR_RING_FIRST(&rooms->sending);
    GC_ASSERT(room->is_sending);
    APR_RING_REMOVE(room, sending);
    room->is_sending = 0;
    return room;
}

void publish_rooms_set_hint(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t due)
{
    if (room->hint_due) {
        APR_RING_REMOVE(room, hints);
    }
    room->hint_due = due;
    if (due) {
        publish_room_t *before = APR_RING_LAST(&rooms->hints);

        while (before != APR_RING_SENTINEL(&rooms->hints, publish_room_t, hints) &&
               before->hint_due > due) {
            before = APR_RING_PREV(before, hints);
        }
        APR_RING_INSERT_AFTER(before, room, hints);
    }
}

void publish_rooms_wake(publish_rooms_t *rooms, gc_moment_t now)
{
    publish_room_t *room;

    while (!APR_RING_EMPTY(&rooms->hints, publish_room_t, hints) && rooms->hints_from <= now &&
           (room = APR_RING_FIRST(&rooms->hints))->hint_due <= now)
    {
        rooms->hints_from = now + PUBLISH_ROOMS_HINT_GAP;
        publish_rooms_set_hint(rooms, room, 0);
        room->is_flooded = 0;
        publish_rooms_set_dirty(rooms, room);
    }
    while (!APR_RING_EMPTY(&rooms->resting, publish_room_t, resting) &&
           (room = APR_RING_FIRST(&rooms->resting))->rests_until <= now)
    {
        end_rest(room);
        if (room->first) {
            publish_rooms_enqueue(rooms, room);
        }
        else {
            publish_rooms_forget_if_idle(rooms, room, now);
        }
    }
}

gc_moment_t publish_rooms_next(const publish_rooms_t *rooms)
{
    gc_moment_t next = 0;
    gc_moment_t due;

    if (!APR_RING_EMPTY(&rooms->hints, publish_room_t, hints)) {
        due = APR_RING_FIRST(&rooms->hints)->hint_due;
        next = gc_clock_earlier(next, rooms->hints_from > due ? rooms->hints_from : due);
    }
    if (!APR_RING_EMPTY(&rooms->resting, publish_room_t, resting)) {
        next = gc_clock_earlier(next, APR_RING_FIRST(&rooms->resting)->rests_until);
    }
    return next;
}

int publish_rooms_may_miss(const publish_rooms_t *rooms, const publish_room_t *room,
                           gc_moment_t posted)
{
    gc_moment_t held = ipc_shared_last_hold(rooms->shared, ipc_shared_slot(room->tag));

    return room->is_flooded || (held && held + PUBLISH_ROOMS_HOLD_WINDOW >= posted) ||
           (rooms->flooded && rooms->flooded + PUBLISH_ROOMS_FLOOD_WINDOW >= posted);
}

apr_int64_t publish_rooms_reached(const publish_rooms_t *rooms, apr_int64_t newest_id)
{
    apr_hash_index_t *i;

    for (i = apr_hash_first(NULL, rooms->by_name); i; i = apr_hash_next(i)) {
        const publish_room_t *room = apr_hash_this_val(i);

        if (room->unpublished_id && room->unpublished_id <= newest_id) {
            newest_id = room->unpublished_id - 1;
        }
    }
    return newest_id;
}
