#include "unit.h"

#include "publish_rooms.h"

#define NOW      apr_time_from_sec(1000)
#define INTERVAL apr_time_from_msec(200)
#define BURST    3

static ipc_site_t site = {.identity = "s",
                          .name = "",
                          .channel_prefix = "",
                          .publish_interval = INTERVAL,
                          .hint_interval = IPC_SITE_HINT_INTERVAL,
                          .publish_burst = BURST};

static ipc_shared_t *shared;

static publish_rooms_t *make(apr_pool_t *pool)
{
    publish_rooms_t *rooms = apr_pcalloc(pool, sizeof(*rooms));

    shared = ipc_shared_init(apr_pcalloc(pool, ipc_shared_size()));

    publish_rooms_init(rooms, &site, shared, pool);
    return rooms;
}

static publish_room_t *get(publish_rooms_t *rooms, const char *name)
{
    return publish_rooms_get(rooms, name, NOW);
}

static publish_room_t *room_with_event(publish_rooms_t *rooms, const char *name)
{
    publish_room_t *room = get(rooms, name);

    assert_int_equal(publish_room_add(room, 1, 1, gc_slice_of("x"), 100), APR_SUCCESS);
    return room;
}

/* Send what is in the room, as a POST that is taken at once does. */
static void publish(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now)
{
    assert_true(room->is_queued);
    publish_rooms_dequeue(room);
    publish_rooms_mark_sending(rooms, room, 1, now);
    publish_room_send_first(room);
    assert_ptr_equal(publish_rooms_pop_sending(rooms), room);
    (void)publish_room_drop_sent(room);
}

static void add_and_schedule(publish_rooms_t *rooms, publish_room_t *room, gc_moment_t now)
{
    assert_int_equal(publish_room_add(room, 1, 1, gc_slice_of("x"), 100), APR_SUCCESS);
    publish_rooms_schedule(rooms, room, now);
}

/* A room is in no ring when it is freed. */
static void free_room(publish_rooms_t *rooms, publish_room_t *room)
{
    if (room->is_queued) {
        publish_rooms_dequeue(room);
    }
    if (room->rests_until) {
        APR_RING_REMOVE(room, resting);
        room->rests_until = 0;
    }
    if (room->is_dirty) {
        publish_rooms_spend_hint(rooms, room, NOW);
    }
    publish_rooms_set_hint(rooms, room, 0);
    publish_room_free(room);
}

static void sends_a_burst_at_once_and_then_at_its_pace(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *room = get(rooms, "a");
    int i;

    for (i = 0; i < BURST; i++) {
        add_and_schedule(rooms, room, NOW);
        publish(rooms, room, NOW);
    }
    assert_false(room->is_flooded);
    add_and_schedule(rooms, room, NOW);
    assert_false(room->is_queued);
    assert_true(room->is_flooded);
    assert_true(publish_rooms_next(rooms) == NOW + INTERVAL);
    publish_rooms_wake(rooms, NOW + INTERVAL - 1);
    assert_false(room->is_queued);
    publish_rooms_wake(rooms, NOW + INTERVAL);
    publish(rooms, room, NOW + INTERVAL);
    add_and_schedule(rooms, room, NOW + INTERVAL);
    assert_true(publish_rooms_next(rooms) == NOW + 2 * INTERVAL);
    free_room(rooms, room);
}

/* The posts of a crowd in one moment are two publishes, though the burst would allow more. */
static void leaves_a_gap_between_two_publishes(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *room = get(rooms, "a");

    site.publish_gap = INTERVAL / 5;
    add_and_schedule(rooms, room, NOW);
    publish(rooms, room, NOW);
    add_and_schedule(rooms, room, NOW + 1);
    assert_false(room->is_queued);
    assert_false(room->is_flooded);
    assert_true(publish_rooms_next(rooms) == NOW + INTERVAL / 5);
    publish_rooms_wake(rooms, NOW + INTERVAL / 5);
    publish(rooms, room, NOW + INTERVAL / 5);
    add_and_schedule(rooms, room, NOW + INTERVAL);
    assert_true(room->is_queued);
    site.publish_gap = 0;
    free_room(rooms, room);
}

static void has_its_burst_again_after_a_pause(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *room = get(rooms, "a");
    gc_moment_t later = NOW + BURST * INTERVAL;
    int i;

    for (i = 0; i < BURST; i++) {
        add_and_schedule(rooms, room, NOW);
        publish(rooms, room, NOW);
    }
    for (i = 0; i < BURST; i++) {
        add_and_schedule(rooms, room, later);
        publish(rooms, room, later);
    }
    add_and_schedule(rooms, room, later);
    assert_false(room->is_queued);
    free_room(rooms, room);
}

/* Else a flood could begin anew after each publish. */
static void remembers_a_room_until_its_pace_is_whole(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *room = room_with_event(rooms, "a");

    publish_rooms_schedule(rooms, room, NOW);
    publish(rooms, room, NOW);
    publish_rooms_forget_if_idle(rooms, room, NOW);
    assert_ptr_equal(get(rooms, "a"), room);
    publish_rooms_wake(rooms, NOW + INTERVAL - 1);
    assert_int_equal(apr_hash_count(rooms->by_name), 1);
    publish_rooms_wake(rooms, NOW + INTERVAL);
    assert_int_equal(apr_hash_count(rooms->by_name), 0);
    assert_true(publish_rooms_next(rooms) == 0);
}

static void wakes_rooms_in_the_order_of_their_times(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *late = room_with_event(rooms, "late");
    publish_room_t *soon = room_with_event(rooms, "soon");

    late->paced_until = NOW + 10 * INTERVAL;
    soon->paced_until = NOW + 5 * INTERVAL;
    publish_rooms_schedule(rooms, late, NOW);
    publish_rooms_schedule(rooms, soon, NOW);
    assert_true(publish_rooms_next(rooms) == NOW + 3 * INTERVAL);
    publish_rooms_wake(rooms, NOW + 3 * INTERVAL);
    assert_true(soon->is_queued);
    assert_false(late->is_queued);
    assert_true(publish_rooms_next(rooms) == NOW + 8 * INTERVAL);
    publish_rooms_wake(rooms, NOW + 8 * INTERVAL);
    assert_true(late->is_queued);
    free_room(rooms, late);
    free_room(rooms, soon);
}

static void spaces_trailing_hints(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *a = get(rooms, "a");
    publish_room_t *b = get(rooms, "b");

    publish_rooms_set_hint(rooms, a, NOW);
    publish_rooms_set_hint(rooms, b, NOW + 1);
    publish_rooms_wake(rooms, NOW + 2);
    assert_true(a->is_dirty);
    assert_false(b->is_dirty);
    assert_true(publish_rooms_next(rooms) == NOW + 2 + PUBLISH_ROOMS_HINT_GAP);
    publish_rooms_wake(rooms, NOW + 2 + PUBLISH_ROOMS_HINT_GAP);
    assert_true(b->is_dirty);
    assert_true(publish_rooms_next(rooms) == 0);
    free_room(rooms, a);
    free_room(rooms, b);
}

static void a_due_hint_makes_the_room_dirty_and_ends_its_flood(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *room = get(rooms, "a");

    room->is_flooded = 1;
    publish_rooms_set_hint(rooms, room, NOW + 5);
    assert_true(publish_rooms_next(rooms) == NOW + 5);
    publish_rooms_wake(rooms, NOW + 5);
    assert_true(room->is_dirty);
    assert_false(room->is_flooded);
    assert_true(publish_rooms_next(rooms) == 0);
    free_room(rooms, room);
}

static void paces_all_hints_after_a_burst(void **state)
{
    publish_rooms_t *rooms = make(*state);
    int sent = 0;
    int i;

    for (i = 0; i < PUBLISH_ROOMS_HINT_BURST * 2; i++) {
        publish_rooms_set_dirty(rooms, get(rooms, apr_psprintf(*state, "room%d", i)));
    }
    while (publish_rooms_next_hint(rooms, NOW)) {
        publish_rooms_spend_hint(rooms, publish_rooms_next_hint(rooms, NOW), NOW);
        sent++;
    }
    assert_int_equal(sent, PUBLISH_ROOMS_HINT_BURST);
    assert_true(publish_rooms_hint_due(rooms) == NOW + IPC_SITE_HINT_INTERVAL);
    assert_non_null(publish_rooms_next_hint(rooms, NOW + IPC_SITE_HINT_INTERVAL));
}

static void hints_rooms_with_a_hold_within_the_link_s_timeout_first(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *empty = get(rooms, "empty");
    publish_room_t *held = get(rooms, "held");

    site.link_timeout = apr_time_from_sec(60);
    ipc_shared_note_hold(shared, ipc_shared_slot(empty->tag), NOW - apr_time_from_sec(61));
    ipc_shared_note_hold(shared, ipc_shared_slot(held->tag), NOW - apr_time_from_sec(59));
    publish_rooms_set_dirty(rooms, empty);
    publish_rooms_set_dirty(rooms, held);
    assert_ptr_equal(publish_rooms_next_hint(rooms, NOW), held);
    publish_rooms_spend_hint(rooms, held, NOW);
    assert_ptr_equal(publish_rooms_next_hint(rooms, NOW), empty);
    site.link_timeout = 0;
}

/* A client that posts to ever new rooms while the proxy is down must not fill the memory. */
static void remembers_no_more_rooms_than_it_may_and_those_with_readers_before_others(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *held = get(rooms, "held");
    char name[32];
    int i;

    site.link_timeout = apr_time_from_sec(60);
    ipc_shared_note_hold(shared, ipc_shared_slot(held->tag), NOW);
    publish_rooms_set_dirty(rooms, held);
    for (i = 0; i < 2 * PUBLISH_ROOMS_MAX; i++) {
        apr_snprintf(name, sizeof(name), "room%d", i);
        publish_rooms_set_dirty(rooms, get(rooms, name));
    }
    assert_int_equal(apr_hash_count(rooms->by_name), PUBLISH_ROOMS_MAX);
    assert_int_equal(rooms->forgotten, PUBLISH_ROOMS_MAX + 1);
    assert_ptr_equal(get(rooms, "held"), held);
    assert_ptr_equal(publish_rooms_next_hint(rooms, NOW), held);
    site.link_timeout = 0;
}

static void tries_a_refused_hint_again_until_readers_have_asked(void **state)
{
    publish_rooms_t *rooms = make(*state);
    publish_room_t *room = get(rooms, "a");
    gc_moment_t now = NOW;
    int tries = 0;

    site.link_timeout = apr_time_from_sec(120);
    room->unpublished_id = 7;
    publish_rooms_set_dirty(rooms, room);
    while (tries < 100) {
        publish_rooms_wake(rooms, now);
        if (!room->is_dirty) {
            break;
        }
        publish_rooms_spend_hint(rooms, room, now);
        publish_rooms_refuse_hint(rooms, room, now);
        tries++;
        assert_true(!room->hint_due || room->hint_due - now <= PUBLISH_ROOMS_REFUSED_MAX);
        now = room->hint_due ? room->hint_due : now;
    }
    assert_int_equal(tries, 8); /* after 0, 1, 3, 7, 15, 31, 63 and 123 s */
    assert_int_equal(room->unpublished_id, 0);
    site.link_timeout = 0;
    free_room(rooms, room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(sends_a_burst_at_once_and_then_at_its_pace),
        POOL_TEST(leaves_a_gap_between_two_publishes),
        POOL_TEST(has_its_burst_again_after_a_pause),
        POOL_TEST(remembers_a_room_until_its_pace_is_whole),
        POOL_TEST(wakes_rooms_in_the_order_of_their_times),
        POOL_TEST(spaces_trailing_hints),
        POOL_TEST(a_due_hint_makes_the_room_dirty_and_ends_its_flood),
        POOL_TEST(paces_all_hints_after_a_burst),
        POOL_TEST(hints_rooms_with_a_hold_within_the_link_s_timeout_first),
        POOL_TEST(remembers_no_more_rooms_than_it_may_and_those_with_readers_before_others),
        POOL_TEST(tries_a_refused_hint_again_until_readers_have_asked),
    };

    return UNIT_RUN(tests);
}
