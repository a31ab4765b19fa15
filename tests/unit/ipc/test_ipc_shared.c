#include "ipc_shared.h"

#include "gc_clock.h"
#include "unit.h"

#define ROOMS 10000

static ipc_shared_t *fresh(apr_pool_t *pool)
{
    return ipc_shared_init(apr_pcalloc(pool, ipc_shared_size()));
}

static int is_same(ipc_version_t a, ipc_version_t b)
{
    return a.epoch == b.epoch && a.generation == b.generation;
}

static unsigned slot_of(const char *site, const char *room)
{
    return ipc_shared_slot(ipc_shared_tag(gc_slice_of(site), gc_slice_of(room)));
}

static void gives_a_room_the_same_slot_each_time(void **state)
{
    assert_int_equal(slot_of("s", "default"), slot_of("s", "default"));
    assert_true(slot_of("s", "default") < IPC_SHARED_SLOTS);
}

/* Names that differ in a digit, as rooms of a program do, must not gather in a few slots. */
static void spreads_rooms_over_the_slots(void **state)
{
    unsigned char *used = apr_pcalloc(*state, IPC_SHARED_SLOTS);
    int most = 0;
    int distinct = 0;
    int i;

    for (i = 0; i < ROOMS; i++) {
        unsigned slot = slot_of("sqlite3:/var/lib/chat.db:", apr_psprintf(*state, "room-%d", i));

        assert_true(slot < IPC_SHARED_SLOTS);
        distinct += used[slot] == 0;
        used[slot]++;
        most = used[slot] > most ? used[slot] : most;
    }
    /* Chance alone gives some 7,480 slots, and no more than 8 rooms in one. */
    assert_true(distinct > 6800);
    assert_true(most < 12);
}

static void tells_sites_apart(void **state)
{
    int same = 0;
    int i;

    for (i = 0; i < 100; i++) {
        const char *room = apr_psprintf(*state, "room-%d", i);

        same += slot_of("one", room) == slot_of("two", room);
    }
    assert_true(same < 5);
    assert_int_not_equal(slot_of("ab", "c"), slot_of("a", "bc"));
}

static void starts_with_no_bump_and_no_hold(void **state)
{
    ipc_shared_t *shared = fresh(*state);
    ipc_version_t version = ipc_shared_version(shared, 0, 5);

    assert_true(version.epoch == 0 && version.generation == 0);
    assert_true(ipc_shared_last_hold(shared, 5) == 0);
}

static void moves_a_version_only_by_bumps(void **state)
{
    ipc_shared_t *shared = fresh(*state);
    ipc_version_t before = ipc_shared_version(shared, 0, 5);
    ipc_version_t after;

    ipc_shared_note_hold(shared, 5, 99);
    assert_true(is_same(before, ipc_shared_version(shared, 0, 5)));
    ipc_shared_bump(shared, 4);
    ipc_shared_bump(shared, 6);
    assert_true(is_same(before, ipc_shared_version(shared, 0, 5)));
    ipc_shared_bump(shared, 5);
    after = ipc_shared_version(shared, 0, 5);
    assert_false(is_same(before, after));
    assert_true(is_same(after, ipc_shared_version(shared, 0, 5)));
}

static void moves_all_versions_of_a_database_at_once(void **state)
{
    ipc_shared_t *shared = fresh(*state);
    ipc_version_t first = ipc_shared_version(shared, 0, 0);
    ipc_version_t last = ipc_shared_version(shared, 0, IPC_SHARED_SLOTS - 1);

    ipc_shared_bump_database(shared, 0);
    assert_false(is_same(first, ipc_shared_version(shared, 0, 0)));
    assert_false(is_same(last, ipc_shared_version(shared, 0, IPC_SHARED_SLOTS - 1)));
}

/* A database with a full disk must not cost the sites of the others what they have in memory. */
static void leaves_the_versions_of_other_databases_alone(void **state)
{
    ipc_shared_t *shared = fresh(*state);
    ipc_version_t before = ipc_shared_version(shared, 1, 5);
    apr_uint64_t epochs = ipc_shared_epochs(shared);

    ipc_shared_bump_database(shared, 0);
    assert_true(is_same(before, ipc_shared_version(shared, 1, 5)));
    assert_true(ipc_shared_epochs(shared) != epochs);
}

static void says_which_files_a_keeper_has_open(void **state)
{
    ipc_shared_t *shared = fresh(*state);
    chat_database_files_t files = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    chat_database_files_t found;

    assert_false(ipc_shared_files(shared, 3, &found));
    ipc_shared_set_files(shared, 3, &files);
    assert_true(ipc_shared_files(shared, 3, &found));
    assert_true(chat_database_files_are_same(&files, &found));
    assert_false(ipc_shared_files(shared, 4, &found));
    assert_ptr_equal(ipc_shared_attach(shared, ipc_shared_size()), shared);
    assert_true(ipc_shared_files(shared, 3, &found));
    ipc_shared_set_files(shared, 3, NULL);
    assert_false(ipc_shared_files(shared, 3, &found));
}

static unsigned number_of(ipc_shared_t *shared, const char *name)
{
    gc_slice_t slice = gc_slice_of(name);
    unsigned number = IPC_SHARED_DATABASES;

    assert_int_equal(ipc_shared_number(shared, &slice, 1, &number), APR_SUCCESS);
    assert_true(number < IPC_SHARED_DATABASES);
    return number;
}

static void gives_each_database_a_number_that_it_keeps(void **state)
{
    ipc_shared_t *shared = fresh(*state);
    gc_slice_t names[] = {gc_slice_of("a"), gc_slice_of("b"), gc_slice_of("a")};
    unsigned numbers[3];

    assert_int_equal(ipc_shared_number(shared, names, 3, numbers), APR_SUCCESS);
    assert_int_equal(numbers[0], numbers[2]);
    assert_int_not_equal(numbers[0], numbers[1]);
    assert_int_not_equal(number_of(shared, "c"), numbers[0]); /* a restart without the others */
    assert_int_equal(number_of(shared, "b"), numbers[1]);
}

/* A number that is given again tells nothing of the database that had it. */
static void gives_numbers_again_once_all_were_given_out(void **state)
{
    ipc_shared_t *shared = fresh(*state);
    gc_slice_t *names = apr_palloc(*state, sizeof(*names) * (IPC_SHARED_DATABASES + 1));
    unsigned *numbers = apr_palloc(*state, sizeof(*numbers) * (IPC_SHARED_DATABASES + 1));
    chat_database_files_t files = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    ipc_version_t before;
    unsigned i;

    for (i = 0; i <= IPC_SHARED_DATABASES; i++) {
        names[i] = gc_slice_of(apr_psprintf(*state, "database-%u", i));
    }
    assert_int_equal(ipc_shared_number(shared, names, IPC_SHARED_DATABASES, numbers), APR_SUCCESS);
    ipc_shared_set_files(shared, numbers[0], &files);
    before = ipc_shared_version(shared, numbers[0], 0);
    assert_int_equal(ipc_shared_number(shared, names, IPC_SHARED_DATABASES + 1, numbers),
                     APR_ENOSPC);
    assert_int_equal(ipc_shared_number(shared, names + 1, IPC_SHARED_DATABASES, numbers + 1),
                     APR_SUCCESS);
    assert_int_equal(numbers[IPC_SHARED_DATABASES], numbers[0]);
    assert_false(ipc_shared_files(shared, numbers[0], &files));
    assert_false(is_same(before, ipc_shared_version(shared, numbers[0], 0)));
}

static void notes_the_last_hold_of_a_slot(void **state)
{
    ipc_shared_t *shared = fresh(*state);
    gc_moment_t now = gc_clock_now();

    ipc_shared_note_hold(shared, 5, now);
    assert_true(ipc_shared_last_hold(shared, 5) == now);
    assert_true(ipc_shared_last_hold(shared, 6) == 0);
}

/* Older children go on after a restart, comparing versions with those in their cache. */
static void keeps_what_is_there_at_a_restart(void **state)
{
    ipc_shared_t *shared = fresh(*state);
    ipc_version_t before;

    ipc_shared_bump(shared, 5);
    ipc_shared_bump_database(shared, 0);
    ipc_shared_note_hold(shared, 5, 99);
    before = ipc_shared_version(shared, 0, 5);
    assert_ptr_equal(ipc_shared_attach(shared, ipc_shared_size()), shared);
    assert_true(is_same(before, ipc_shared_version(shared, 0, 5)));
    assert_true(ipc_shared_last_hold(shared, 5) == 99);
}

/* Its children may still use it. */
static void leaves_memory_of_another_layout_alone(void **state)
{
    apr_size_t size = ipc_shared_size();
    char *memory = apr_palloc(*state, size);
    apr_size_t i;

    memset(memory, 0xa5, size);
    assert_null(ipc_shared_attach(memory, size));
    for (i = 0; i < size; i++) {
        assert_int_equal((unsigned char)memory[i], 0xa5);
    }
    assert_null(ipc_shared_attach(fresh(*state), size - 1));
}

static void begins_with_nothing(void **state)
{
    char *memory = apr_palloc(*state, ipc_shared_size());
    ipc_shared_t *shared;
    unsigned i;

    memset(memory, 0xa5, ipc_shared_size());
    shared = ipc_shared_init(memory);
    for (i = 0; i < IPC_SHARED_SLOTS; i++) {
        ipc_version_t version = ipc_shared_version(shared, 0, i);

        assert_true(version.epoch == 0 && version.generation == 0);
        assert_true(ipc_shared_last_hold(shared, i) == 0);
    }
}

static void a_late_hold_does_not_move_the_time_back(void **state)
{
    ipc_shared_t *shared = fresh(*state);

    ipc_shared_note_hold(shared, 5, 99);
    ipc_shared_note_hold(shared, 5, 98);
    assert_true(ipc_shared_last_hold(shared, 5) == 99);
}

static ipc_shared_t *make(apr_pool_t *pool)
{
    return ipc_shared_init(apr_pcalloc(pool, ipc_shared_size()));
}

static void tells_what_waits_for_a_room_and_for_no_other(void **state)
{
    ipc_shared_t *shared = make(*state);
    apr_uint64_t tag = ipc_shared_tag(gc_slice_of("s"), gc_slice_of("a"));
    apr_uint64_t other = tag + IPC_SHARED_SLOTS * 2; /* in the same slot, as it happens */
    gc_moment_t now = gc_clock_now();

    while (ipc_shared_slot(other) != ipc_shared_slot(tag)) {
        other++;
    }
    assert_true(ipc_shared_waiting(shared, tag, 1, now) == IPC_SHARED_NOTHING);
    ipc_shared_set_waiting(shared, tag, 0, 0, now);
    assert_true(ipc_shared_waiting(shared, tag, 1, now) == 0);
    assert_true(ipc_shared_waiting(shared, other, 1, now) == IPC_SHARED_NOTHING);
    ipc_shared_set_waiting(shared, other, 0, IPC_SHARED_NOTHING, now);
    assert_true(ipc_shared_waiting(shared, tag, 1, now) == 0);
    ipc_shared_set_waiting(shared, other, 0, 5, now);
    assert_true(ipc_shared_waiting(shared, tag, 1, now) == IPC_SHARED_NOTHING);
    assert_true(ipc_shared_waiting(shared, other, 1, now) == 5);
}

/* One of them holds a reader, and it is not known which: the reader would miss events that this
 * one has published. */
static void tells_nothing_that_a_proxy_has_published_already(void **state)
{
    ipc_shared_t *shared = make(*state);
    apr_uint64_t tag = ipc_shared_tag(gc_slice_of("s"), gc_slice_of("a"));
    gc_moment_t now = gc_clock_now();

    ipc_shared_set_waiting(shared, tag, 0, 3, now);
    assert_true(ipc_shared_waiting(shared, tag, 2, now) == IPC_SHARED_NOTHING);
    ipc_shared_set_waiting(shared, tag, 1, 7, now);
    assert_true(ipc_shared_waiting(shared, tag, 2, now) == 7);
    ipc_shared_set_waiting(shared, tag, 0, IPC_SHARED_NOTHING, now);
    assert_true(ipc_shared_waiting(shared, tag, 2, now) == IPC_SHARED_NOTHING);
    ipc_shared_set_waiting(shared, tag, IPC_SHARED_PROXIES, 3, now); /* is not told */
    assert_true(ipc_shared_waiting(shared, tag, IPC_SHARED_PROXIES + 1, now) == IPC_SHARED_NOTHING);
}

static void forgets_what_a_keeper_left_waiting(void **state)
{
    ipc_shared_t *shared = make(*state);
    apr_uint64_t tag = ipc_shared_tag(gc_slice_of("s"), gc_slice_of("a"));
    gc_moment_t now = gc_clock_now();

    ipc_shared_set_waiting(shared, tag, 0, 4, now);
    assert_true(ipc_shared_waiting(shared, tag, 1, now + IPC_SHARED_WAITING_MAX - 1) == 4);
    assert_true(ipc_shared_waiting(shared, tag, 1, now + IPC_SHARED_WAITING_MAX) ==
                IPC_SHARED_NOTHING);
    ipc_shared_clear_waiting(shared);
    assert_true(ipc_shared_waiting(shared, tag, 1, now) == IPC_SHARED_NOTHING);
    ipc_shared_set_waiting(shared, tag, 0, 9, now);
    assert_true(ipc_shared_waiting(shared, tag, 1, now) == 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(gives_a_room_the_same_slot_each_time),
        POOL_TEST(spreads_rooms_over_the_slots),
        POOL_TEST(tells_sites_apart),
        POOL_TEST(starts_with_no_bump_and_no_hold),
        POOL_TEST(moves_a_version_only_by_bumps),
        POOL_TEST(moves_all_versions_of_a_database_at_once),
        POOL_TEST(leaves_the_versions_of_other_databases_alone),
        POOL_TEST(says_which_files_a_keeper_has_open),
        POOL_TEST(gives_each_database_a_number_that_it_keeps),
        POOL_TEST(gives_numbers_again_once_all_were_given_out),
        POOL_TEST(notes_the_last_hold_of_a_slot),
        POOL_TEST(keeps_what_is_there_at_a_restart),
        POOL_TEST(leaves_memory_of_another_layout_alone),
        POOL_TEST(begins_with_nothing),
        POOL_TEST(a_late_hold_does_not_move_the_time_back),
        POOL_TEST(tells_what_waits_for_a_room_and_for_no_other),
        POOL_TEST(tells_nothing_that_a_proxy_has_published_already),
        POOL_TEST(forgets_what_a_keeper_left_waiting),
    };

    return UNIT_RUN(tests);
}
