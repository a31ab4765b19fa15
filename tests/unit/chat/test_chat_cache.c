#include "chat_cache.h"

#include "cache_fixture.h"

#define LARGE (1024 * 1024)

static chat_cache_t *open_cache(apr_size_t limit, apr_pool_t *pool)
{
    chat_cache_t *cache = NULL;

    assert_int_equal(chat_cache_create(&cache, limit, pool), APR_SUCCESS);
    assert_int_equal(chat_cache_is_on(cache), limit > 0);
    return cache;
}

static chat_snapshot_t *get_ok(chat_cache_t *cache, const char *name, stored_t *stored)
{
    chat_snapshot_t *snapshot = NULL;

    assert_int_equal(get_from(cache, "site", name, stored, &snapshot), APR_SUCCESS);
    return snapshot;
}

/* Get a room, and let go of it; where it stood. */
static apr_int64_t last_of(chat_cache_t *cache, const char *name, stored_t *stored)
{
    chat_snapshot_t *snapshot = get_ok(cache, name, stored);
    apr_int64_t last = chat_snapshot_standing(snapshot)->last_event_id;

    chat_snapshot_release(snapshot);
    return last;
}

/* Fail unless what the cache gives is what is stored. */
static void assert_whole(chat_cache_t *cache, const char *name, stored_t *stored, apr_int64_t first,
                         apr_pool_t *pool)
{
    chat_snapshot_t *snapshot = get_ok(cache, name, stored);

    assert_same(chat_block_text(chat_snapshot_events(snapshot)),
                events_of(name, first, stored->last, stored->bytes, pool));
    assert_same(chat_block_text(chat_snapshot_list(snapshot)),
                list_of(name,
                        newest_of(stored->last, stored->first_kept, HISTORY, stored->bytes, pool),
                        pool));
    chat_snapshot_release(snapshot);
}

static void reads_a_room_once_while_it_does_not_change(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);
    int i;

    for (i = 0; i < 10; i++) {
        assert_whole(cache, "a", stored, 1, *state);
    }
    assert_int_equal(stored->newest_reads, 1);
    assert_int_equal(stored->after_reads, 0);
    assert_int_equal(chat_cache_stats(cache).hits, 9);
    assert_int_equal(chat_cache_stats(cache).loads, 1);
    assert_int_equal(chat_cache_stats(cache).rooms, 1);
}

static void reads_only_what_came_after(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);
    int i;

    assert_whole(cache, "a", stored, 1, *state);
    for (i = 1; i <= 10; i++) {
        append(stored, i);
        assert_whole(cache, "a", stored, 1, *state);
        assert_whole(cache, "a", stored, 1, *state);
        assert_int_equal(stored->after_reads, i);
    }
    assert_int_equal(stored->newest_reads, 1);
}

static void reads_everything_where_too_much_came(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);

    assert_whole(cache, "a", stored, 1, *state);
    append(stored, CHAT_PAGE_MAX_EVENTS);
    assert_whole(cache, "a", stored, 30 + 1, *state);
    assert_int_equal(stored->newest_reads, 2);
}

static void keeps_a_room_whose_neighbour_moved(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);
    chat_snapshot_t *before = get_ok(cache, "a", stored);
    chat_snapshot_t *after;

    append(stored, 0);
    after = get_ok(cache, "a", stored);
    assert_ptr_equal(before, after);
    chat_snapshot_release(before);
    chat_snapshot_release(after);
    (void)last_of(cache, "a", stored);
    assert_int_equal(stored->newest_reads + stored->after_reads, 2);
}

static void follows_what_is_kept_in_the_front(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);

    assert_whole(cache, "a", stored, 1, *state);
    stored->first_kept = 7;
    append(stored, 0);
    assert_whole(cache, "a", stored, 7, *state);
    assert_int_equal(stored->newest_reads, 1);
    stored->first_kept = 31;
    append(stored, 0);
    assert_whole(cache, "a", stored, 31, *state); /* a room without messages is kept as well */
    assert_whole(cache, "a", stored, 31, *state);
    assert_int_equal(stored->newest_reads, 2);
    append(stored, 3);
    assert_whole(cache, "a", stored, 31, *state);
    assert_int_equal(stored->newest_reads, 3);
}

static void reads_everything_in_another_epoch(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);

    assert_whole(cache, "a", stored, 1, *state);
    stored->bytes = 7; /* the same positions, ids and dates, and other texts */
    stored->version.epoch++;
    assert_whole(cache, "a", stored, 1, *state);
    assert_int_equal(stored->newest_reads, 2);
    assert_int_equal(stored->after_reads, 0);
}

static void tells_rooms_and_sites_apart(void **state)
{
    static const char sites[2][8] = {"site", "site"};
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored[] = {store(3, *state), store(5, *state), store(7, *state)};
    chat_snapshot_t *snapshot;
    int i;

    for (i = 0; i < 2; i++) {
        assert_int_equal(last_of(cache, "b", stored[2]), 7);
        assert_int_equal(get_from(cache, sites[0], "a", stored[0], &snapshot), APR_SUCCESS);
        assert_int_equal(chat_snapshot_standing(snapshot)->last_event_id, 3);
        chat_snapshot_release(snapshot);
        assert_int_equal(get_from(cache, sites[1], "a", stored[1], &snapshot), APR_SUCCESS);
        assert_int_equal(chat_snapshot_standing(snapshot)->last_event_id, 5);
        chat_snapshot_release(snapshot);
    }
    assert_int_equal(chat_cache_stats(cache).rooms, 3);
    assert_int_equal(chat_cache_stats(cache).hits, 3);
}

/* Anybody can make up names. */
static void keeps_no_room_that_does_not_exist(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(0, *state);
    int i;

    for (i = 0; i < 1000; i++) {
        assert_int_equal(last_of(cache, apr_psprintf(*state, "%d", i), stored), 0);
    }
    assert_int_equal(chat_cache_stats(cache).rooms, 0);
    assert_int_equal(chat_cache_stats(cache).bytes_alive, 0);
    append(stored, 1);
    assert_int_equal(last_of(cache, "1", stored), 1);
    assert_int_equal(chat_cache_stats(cache).rooms, 1);
}

static void lets_go_of_what_was_used_longest_ago(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);
    apr_size_t each;
    int reads;

    (void)last_of(cache, "0", stored);
    each = chat_cache_stats(cache).bytes;
    cache = open_cache(each * 3 + 100, *state);
    (void)last_of(cache, "1", stored);
    (void)last_of(cache, "2", stored);
    (void)last_of(cache, "3", stored);
    (void)last_of(cache, "1", stored); /* a hit */
    (void)last_of(cache, "4", stored); /* pushes out 2 */
    assert_int_equal(chat_cache_stats(cache).rooms, 3);
    assert_int_equal(chat_cache_stats(cache).bytes, each * 3);
    reads = stored->newest_reads;
    (void)last_of(cache, "1", stored);
    (void)last_of(cache, "3", stored);
    (void)last_of(cache, "4", stored);
    assert_int_equal(stored->newest_reads, reads);
    (void)last_of(cache, "2", stored);
    assert_int_equal(stored->newest_reads, reads + 1);
    assert_int_equal(chat_cache_stats(cache).bytes, each * 3);
}

static void never_keeps_more_than_its_limit(void **state)
{
    chat_cache_t *cache = open_cache(100 * 1024, *state);
    int i;

    for (i = 0; i < 500; i++) {
        stored_t *stored = store(i % 37, *state);

        stored->bytes = 1 + (i % 11) * 300;
        (void)last_of(cache, apr_psprintf(*state, "%d", i % 50), stored);
        append(stored, 3);
        (void)last_of(cache, apr_psprintf(*state, "%d", i % 50), stored);
        assert_true(chat_cache_stats(cache).bytes <= 100 * 1024);
        assert_true(chat_cache_stats(cache).bytes_alive <= 100 * 1024);
    }
    assert_true(chat_cache_stats(cache).rooms > 0);
}

/* Else one room would push out all others, each time that it is asked for. */
static void does_not_keep_a_room_that_is_larger_than_all(void **state)
{
    chat_cache_t *cache = open_cache(64 * 1024, *state);
    stored_t *small = store(3, *state);
    stored_t *large = store(30, *state);

    large->bytes = 60000;
    (void)last_of(cache, "small", small);
    assert_whole(cache, "large", large, 21, *state);
    (void)last_of(cache, "small", small);
    assert_int_equal(small->newest_reads, 1);
    assert_int_equal(chat_cache_stats(cache).rooms, 1);
}

static void keeps_nothing_where_it_is_off(void **state)
{
    chat_cache_t *cache = open_cache(0, *state);
    stored_t *stored = store(30, *state);

    assert_whole(cache, "a", stored, 1, *state);
    assert_whole(cache, "a", stored, 1, *state);
    assert_int_equal(stored->newest_reads, 2);
    assert_int_equal(chat_cache_stats(cache).bytes_alive, 0);
}

/* A slow reader's answer outlives the room in the cache, and the cache. */
static void what_is_held_outlives_its_eviction(void **state)
{
    apr_pool_t *pool;
    chat_cache_t *cache;
    stored_t *stored = store(30, *state);
    chat_snapshot_t *held;
    gc_slice_t wanted = events_of("a", 1, 30, 1, *state);

    assert_int_equal(apr_pool_create(&pool, *state), APR_SUCCESS);
    cache = open_cache(LARGE, pool);
    held = get_ok(cache, "a", stored);
    append(stored, 5);
    (void)last_of(cache, "a", stored);
    assert_same(chat_block_text(chat_snapshot_events(held)), wanted);
    assert_true(chat_cache_stats(cache).bytes_alive > chat_cache_stats(cache).bytes);
    apr_pool_destroy(pool);
    assert_same(chat_block_text(chat_snapshot_events(held)), wanted);
    chat_snapshot_release(held);
}

static void reads_once_for_all_who_miss_together(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);
    stored_t *other = store(4, *state);
    getter_t *getters[8];
    int i;

    set_closed(stored, 1);
    for (i = 0; i < COUNT_OF(getters); i++) {
        getters[i] = start_getter(cache, "a", stored, *state);
    }
    wait_reading(stored);
    wait_waits(cache, COUNT_OF(getters) - 1);
    assert_int_equal(last_of(cache, "b", other), 4); /* meanwhile other rooms are read */
    set_closed(stored, 0);
    for (i = 0; i < COUNT_OF(getters); i++) {
        assert_int_equal(join_getter(getters[i], APR_SUCCESS), 30);
    }
    assert_int_equal(stored->newest_reads, 1);
}

/* A message stored before a call is in its answer, even if an older read was under way. */
static void does_not_share_a_read_that_may_lack_something(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);
    getter_t *early;
    getter_t *late;

    set_closed(stored, 1);
    early = start_getter(cache, "a", stored, *state);
    wait_reading(stored);
    append(stored, 1);
    late = start_getter(cache, "a", stored, *state);
    wait_waits(cache, 1);
    set_closed(stored, 0);
    (void)join_getter(early, APR_SUCCESS);
    assert_int_equal(join_getter(late, APR_SUCCESS), 31);
    assert_int_equal(stored->newest_reads + stored->after_reads, 2);
}

/* They would fail one after the other, each after a second and a half where a database is locked. */
static void fails_all_who_waited_for_a_read_that_failed(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);
    getter_t *getters[8];
    int i;

    stored->failure = APR_EAGAIN;
    set_closed(stored, 1);
    for (i = 0; i < COUNT_OF(getters); i++) {
        getters[i] = start_getter(cache, "a", stored, *state);
    }
    wait_reading(stored);
    wait_waits(cache, COUNT_OF(getters) - 1);
    set_closed(stored, 0);
    for (i = 0; i < COUNT_OF(getters); i++) {
        (void)join_getter(getters[i], APR_EAGAIN);
    }
    assert_int_equal(stored->newest_reads, 1);
    stored->failure = APR_SUCCESS;
    assert_whole(cache, "a", stored, 1, *state);
}

static void goes_on_from_what_it_has_after_a_failure(void **state)
{
    chat_cache_t *cache = open_cache(LARGE, *state);
    stored_t *stored = store(30, *state);
    chat_snapshot_t *snapshot = NULL;

    assert_whole(cache, "a", stored, 1, *state);
    append(stored, 2);
    stored->failure = APR_EGENERAL;
    assert_int_equal(get_from(cache, "site", "a", stored, &snapshot), APR_EGENERAL);
    assert_null(snapshot);
    stored->failure = APR_SUCCESS;
    assert_whole(cache, "a", stored, 1, *state);
    assert_int_equal(stored->newest_reads, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(reads_a_room_once_while_it_does_not_change),
        POOL_TEST(reads_only_what_came_after),
        POOL_TEST(reads_everything_where_too_much_came),
        POOL_TEST(keeps_a_room_whose_neighbour_moved),
        POOL_TEST(follows_what_is_kept_in_the_front),
        POOL_TEST(reads_everything_in_another_epoch),
        POOL_TEST(tells_rooms_and_sites_apart),
        POOL_TEST(keeps_no_room_that_does_not_exist),
        POOL_TEST(lets_go_of_what_was_used_longest_ago),
        POOL_TEST(never_keeps_more_than_its_limit),
        POOL_TEST(does_not_keep_a_room_that_is_larger_than_all),
        POOL_TEST(keeps_nothing_where_it_is_off),
        POOL_TEST(what_is_held_outlives_its_eviction),
        POOL_TEST(reads_once_for_all_who_miss_together),
        POOL_TEST(does_not_share_a_read_that_may_lack_something),
        POOL_TEST(fails_all_who_waited_for_a_read_that_failed),
        POOL_TEST(goes_on_from_what_it_has_after_a_failure),
    };

    return UNIT_RUN(tests);
}
