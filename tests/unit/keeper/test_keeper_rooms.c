#include "unit.h"

#include "keeper_rooms.h"

#define NOW      apr_time_from_sec(1000)
#define INTERVAL apr_time_from_msec(200)
#define BURST    3

static keeper_site_t site = {.identity = "s",
                             .name = "",
                             .channel_prefix = "",
                             .publish_interval = INTERVAL,
                             .publish_burst = BURST};

static keeper_rooms_t *make(apr_pool_t *pool)
{
    keeper_rooms_t *rooms = apr_pcalloc(pool, sizeof(*rooms));

    keeper_rooms_init(rooms, &site, pool);
    return rooms;
}

static keeper_room_t *room_with_event(keeper_rooms_t *rooms, const char *name)
{
    keeper_room_t *room = keeper_rooms_get(rooms, name);

    assert_int_equal(keeper_room_add(room, 1, 1, gc_slice_of("x"), 100), APR_SUCCESS);
    return room;
}

/* Send what is in the room, as a POST that is taken at once does. */
static void publish(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t now)
{
    assert_true(room->is_queued);
    keeper_rooms_dequeue(room);
    keeper_rooms_mark_sending(rooms, room, 1, now);
    keeper_room_send_first(room);
    assert_ptr_equal(keeper_rooms_pop_sending(rooms), room);
    (void)keeper_room_drop_sent(room);
}

static void add_and_schedule(keeper_rooms_t *rooms, keeper_room_t *room, gc_moment_t now)
{
    assert_int_equal(keeper_room_add(room, 1, 1, gc_slice_of("x"), 100), APR_SUCCESS);
    keeper_rooms_schedule(rooms, room, now);
}

static void sends_a_burst_at_once_and_then_at_its_pace(void **state)
{
    keeper_rooms_t *rooms = make(*state);
    keeper_room_t *room = keeper_rooms_get(rooms, "a");
    int i;

    for (i = 0; i < BURST; i++) {
        add_and_schedule(rooms, room, NOW);
        publish(rooms, room, NOW);
    }
    assert_false(room->is_flooded);
    add_and_schedule(rooms, room, NOW);
    assert_false(room->is_queued);
    assert_true(room->is_flooded);
    assert_true(keeper_rooms_next(rooms) == NOW + INTERVAL);
    keeper_rooms_wake(rooms, NOW + INTERVAL - 1);
    assert_false(room->is_queued);
    keeper_rooms_wake(rooms, NOW + INTERVAL);
    publish(rooms, room, NOW + INTERVAL);
    add_and_schedule(rooms, room, NOW + INTERVAL);
    assert_true(keeper_rooms_next(rooms) == NOW + 2 * INTERVAL);
    keeper_room_free(room);
}

/* What a crowd says in one moment is two publishes, though the burst would allow for more. */
static void leaves_a_gap_between_two_publishes(void **state)
{
    keeper_rooms_t *rooms = make(*state);
    keeper_room_t *room = keeper_rooms_get(rooms, "a");

    site.publish_gap = INTERVAL / 5;
    add_and_schedule(rooms, room, NOW);
    publish(rooms, room, NOW);
    add_and_schedule(rooms, room, NOW + 1);
    assert_false(room->is_queued);
    assert_false(room->is_flooded);
    assert_true(keeper_rooms_next(rooms) == NOW + INTERVAL / 5);
    keeper_rooms_wake(rooms, NOW + INTERVAL / 5);
    publish(rooms, room, NOW + INTERVAL / 5);
    add_and_schedule(rooms, room, NOW + INTERVAL);
    assert_true(room->is_queued);
    site.publish_gap = 0;
    keeper_room_free(room);
}

static void has_its_burst_again_after_a_pause(void **state)
{
    keeper_rooms_t *rooms = make(*state);
    keeper_room_t *room = keeper_rooms_get(rooms, "a");
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
    keeper_room_free(room);
}

/* Else a flood could begin anew after each publish. */
static void remembers_a_room_until_its_pace_is_whole(void **state)
{
    keeper_rooms_t *rooms = make(*state);
    keeper_room_t *room = room_with_event(rooms, "a");

    keeper_rooms_schedule(rooms, room, NOW);
    publish(rooms, room, NOW);
    keeper_rooms_forget_if_idle(rooms, room, NOW);
    assert_ptr_equal(keeper_rooms_get(rooms, "a"), room);
    keeper_rooms_wake(rooms, NOW + INTERVAL - 1);
    assert_int_equal(apr_hash_count(rooms->by_name), 1);
    keeper_rooms_wake(rooms, NOW + INTERVAL);
    assert_int_equal(apr_hash_count(rooms->by_name), 0);
    assert_true(keeper_rooms_next(rooms) == 0);
}

static void wakes_rooms_in_the_order_of_their_times(void **state)
{
    keeper_rooms_t *rooms = make(*state);
    keeper_room_t *late = room_with_event(rooms, "late");
    keeper_room_t *soon = room_with_event(rooms, "soon");

    late->paced_until = NOW + 10 * INTERVAL;
    soon->paced_until = NOW + 5 * INTERVAL;
    keeper_rooms_schedule(rooms, late, NOW);
    keeper_rooms_schedule(rooms, soon, NOW);
    assert_true(keeper_rooms_next(rooms) == NOW + 3 * INTERVAL);
    keeper_rooms_wake(rooms, NOW + 3 * INTERVAL);
    assert_true(soon->is_queued);
    assert_false(late->is_queued);
    assert_true(keeper_rooms_next(rooms) == NOW + 8 * INTERVAL);
    keeper_rooms_wake(rooms, NOW + 8 * INTERVAL);
    assert_true(late->is_queued);
    keeper_room_free(late);
    keeper_room_free(soon);
}

static void spaces_trailing_hints(void **state)
{
    keeper_rooms_t *rooms = make(*state);
    keeper_room_t *a = keeper_rooms_get(rooms, "a");
    keeper_room_t *b = keeper_rooms_get(rooms, "b");

    keeper_rooms_set_hint(rooms, a, NOW);
    keeper_rooms_set_hint(rooms, b, NOW + 1);
    keeper_rooms_wake(rooms, NOW + 2);
    assert_true(a->is_dirty);
    assert_false(b->is_dirty);
    assert_true(keeper_rooms_next(rooms) == NOW + 2 + KEEPER_ROOMS_HINT_GAP);
    keeper_rooms_wake(rooms, NOW + 2 + KEEPER_ROOMS_HINT_GAP);
    assert_true(b->is_dirty);
    assert_true(keeper_rooms_next(rooms) == 0);
    keeper_room_free(a);
    keeper_room_free(b);
}

static void a_due_hint_makes_the_room_dirty_and_ends_its_flood(void **state)
{
    keeper_rooms_t *rooms = make(*state);
    keeper_room_t *room = keeper_rooms_get(rooms, "a");

    room->is_flooded = 1;
    keeper_rooms_set_hint(rooms, room, NOW + 5);
    assert_true(keeper_rooms_next(rooms) == NOW + 5);
    keeper_rooms_wake(rooms, NOW + 5);
    assert_true(room->is_dirty && room->is_queued);
    assert_false(room->is_flooded);
    assert_true(keeper_rooms_next(rooms) == 0);
    keeper_room_free(room);
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
    };

    return UNIT_RUN(tests);
}
