/* The positions that were given out, and a database that replaces another. */
#include "store_fixture.h"
#include "write_positions.h"

static write_lock_t locked(const unit_temp_t *temp)
{
    write_lock_t lock;

    assert_int_equal(write_lock_try(&lock, temp->path, temp->pool), APR_SUCCESS);
    return lock;
}

/* The numbers that the next keeper finds; the lock's holder may read them, too. */
static write_positions_t found(const write_lock_t *lock)
{
    write_positions_t positions = {0, 0, 0, 0};

    assert_int_equal(write_positions_read(&positions, lock), APR_SUCCESS);
    return positions;
}

static int settle(write_positions_t *positions, chat_database_t *db, int is_other_file,
                  const unit_temp_t *temp)
{
    int was_moved = -1;

    assert_int_equal(write_positions_settle(positions, db, is_other_file, &was_moved, temp->pool),
                     APR_SUCCESS);
    return was_moved;
}

/* A database beside the one of the test, of a number of messages in a room. */
static chat_database_t *database_of(const char *name, int count, const unit_temp_t *temp)
{
    unit_temp_t other = *temp;
    chat_database_t *db;

    other.path = apr_pstrcat(temp->pool, temp->path, name, NULL);
    db = open_as(&other, CHAT_DATABASE_WRITER);
    fill(db, "a", count, temp);
    return db;
}

static void are_unknown_at_first(void **state)
{
    write_lock_t lock = locked(*state);

    assert_false(found(&lock).is_known);
}

static void are_kept_for_the_next_keeper(void **state)
{
    write_lock_t lock = locked(*state);
    write_positions_t positions = {1, 7, 3, 0};

    assert_int_equal(write_positions_keep(&positions, &lock), APR_SUCCESS);
    positions.last_id = APR_INT64_C(1000000000001);
    positions.highest = APR_INT64_C(1000000000002);
    positions.base = APR_INT64_C(1000000000000);
    assert_int_equal(write_positions_keep(&positions, &lock), APR_SUCCESS);
    positions = found(&lock);
    assert_true(positions.is_known);
    assert_int_equal(positions.last_id, APR_INT64_C(1000000000001));
    assert_int_equal(positions.highest, APR_INT64_C(1000000000002));
    assert_int_equal(positions.base, APR_INT64_C(1000000000000));
}

static void are_unknown_where_something_else_is_written(void **state)
{
    static const char *const texts[] = {
        "x",
        "highest message id 1, highest position 2, base 0\n",
        "highest message id 0000000000000000001, highest position 000000000000000000x, "
        "base 0000000000000000000\n",
        "highest message id 0000000000000000001, highest position -000000000000000002, "
        "base 0000000000000000000\n",
        "highest message id 0000000000000000001, highest position 9223372036854775807, "
        "base 0000000000000000000\n",
    };
    write_lock_t lock = locked(*state);
    int i;

    for (i = 0; i < COUNT_OF(texts); i++) {
        assert_int_equal(write_lock_write(&lock, 0, texts[i], strlen(texts[i])), APR_SUCCESS);
        assert_false(found(&lock).is_known);
    }
}

/* A database that was changed by hand may hold any number. */
static void are_unknown_after_numbers_that_cannot_be_counted_to(void **state)
{
    static const write_positions_t wrong[] = {{1, APR_INT64_MAX, 3, 0},
                                              {1, 7, APR_INT64_MAX - 1, 0},
                                              {1, -7, 3, 0},
                                              {1, 7, APR_INT64_MIN, 0}};
    write_lock_t lock = locked(*state);
    write_positions_t well = {1, 7, 3, 0};
    unsigned i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(write_positions_keep(&wrong[i], &lock), APR_SUCCESS);
        assert_false(found(&lock).is_known);
        assert_int_equal(write_positions_keep(&well, &lock), APR_SUCCESS);
        assert_true(found(&lock).is_known);
    }
}

static void grow_with_what_is_new(void **state)
{
    write_positions_t positions = {1, 7, 3, 0};
    chat_append_t appends[] = {job("a", "t", "1"), job("b", "t", "2"), job("c", "t", "3")};
    chat_append_t *const each[] = {&appends[0], &appends[1], &appends[2]};

    (void)state;
    appends[0].outcome = CHAT_APPEND_KNOWN;
    appends[0].event.id = appends[0].event.position = 100;
    assert_false(write_positions_note(&positions, each, 1));
    appends[1].outcome = appends[2].outcome = CHAT_APPEND_NEW;
    appends[1].event.id = 8;
    appends[1].event.position = 5;
    appends[2].event.id = 9;
    appends[2].event.position = 1;
    assert_true(write_positions_note(&positions, each, 3));
    assert_int_equal(positions.last_id, 9);
    assert_int_equal(positions.highest, 5);
}

static void are_learned_from_a_database_where_nothing_is_known(void **state)
{
    write_positions_t positions = {0, 0, 0, 0};

    assert_false(settle(&positions, database_of("", 4, *state), 0, *state));
    assert_true(positions.is_known);
    assert_int_equal(positions.last_id, 4);
    assert_int_equal(positions.highest, 4);
}

static void stay_with_the_same_database(void **state)
{
    chat_database_t *db = database_of("", 4, *state);
    write_positions_t positions = {1, 4, 4, 0};

    assert_false(settle(&positions, db, 0, *state));
    assert_false(settle(&positions, db, 1, *state)); /* compacted, and moved to where it was */
    assert_int_equal(newest(db, "", "a", 1, *state).last_event_id, 4);
}

static void are_caught_up_with_what_the_keeper_before_stored_last(void **state)
{
    chat_database_t *db = database_of("", 4, *state);
    write_positions_t positions = {1, 3, 3, 0};

    assert_false(settle(&positions, db, 0, *state));
    assert_int_equal(positions.last_id, 4);
    assert_int_equal(positions.highest, 4);
    assert_int_equal(newest(db, "", "a", 1, *state).last_event_id, 4);
}

static void are_moved_above_what_readers_may_have(void **state)
{
    chat_database_t *db = database_of("", 2, *state);
    write_positions_t positions = {1, 9, 6, 0};
    chat_page_t page;

    assert_true(settle(&positions, db, 0, *state));
    page = newest(db, "", "a", 5, *state);
    assert_events(page, 9, 8);
    assert_true(page.first_kept_event_id - 1 > 6); /* or who has the sixth would not be told */
    assert_int_equal(positions.highest, 9);
    assert_false(settle(&positions, db, 0, *state));
    assert_int_equal(newest(db, "", "a", 1, *state).last_event_id, 9);
}

/* An id is given once, whatever file a backup brings back. */
static void have_message_ids_go_on_above_those_that_were_given_out(void **state)
{
    int count;

    for (count = 0; count < 3; count++) { /* also where none was ever stored */
        const char *name = apr_psprintf(((unit_temp_t *)*state)->pool, "-%d", count);
        chat_database_t *db = database_of(name, count, *state);
        write_positions_t positions = {1, 9, 6, 0};
        chat_append_t next = job("a", "t", "next");

        assert_true(settle(&positions, db, 0, *state));
        assert_int_equal(positions.last_id, 9);
        assert_false(settle(&positions, db, 0, *state));
        append_ok(db, &next, 1, *state);
        assert_int_equal(next.event.id, 10);
    }
}

static void have_message_ids_go_on_where_a_keeper_died_before_it_had_seen_to_them(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = database_of("", 2, temp);
    write_positions_t positions = {1, 9, 6, 0};
    chat_append_t next = job("a", "t", "next");

    assert_int_equal(chat_store_set_base(db, 7, temp->pool), APR_SUCCESS);
    assert_false(settle(&positions, db, 0, temp));
    append_ok(db, &next, 1, temp);
    assert_int_equal(next.event.id, 10);
}

static void are_moved_again_in_the_next_file(void **state)
{
    chat_database_t *empty = database_of("-empty", 0, *state);
    write_positions_t positions = {1, 9, 6, 0};

    assert_true(settle(&positions, database_of("", 2, *state), 0, *state));
    assert_true(settle(&positions, empty, 0, *state));
    assert_int_equal(newest(empty, "", "a", 1, *state).last_event_id, 10);
    fill(empty, "a", 1, *state);
    assert_events(newest(empty, "", "a", 5, *state), 11, 11);
}

static void are_moved_in_another_file_that_holds_more(void **state)
{
    chat_database_t *db = database_of("", 4, *state);
    write_positions_t positions = {1, 3, 3, 0};

    assert_true(settle(&positions, db, 1, *state));
    assert_events(newest(db, "", "a", 5, *state), 9, 6);
}

/* After an empty one was served for a while, the old file comes back. */
static void are_moved_when_a_backup_holds_more_than_what_came_between(void **state)
{
    chat_database_t *db = database_of("", 5, *state);
    write_positions_t positions = {1, 2, 12, 10};

    assert_true(settle(&positions, db, 0, *state));
    assert_events(newest(db, "", "a", 9, *state), 18, 14);
    assert_int_equal(positions.base, 13);
}

static void are_moved_when_an_empty_one_is_followed_by_an_empty_one(void **state)
{
    int is_other_file;

    for (is_other_file = 0; is_other_file < 2; is_other_file++) {
        chat_database_t *db = database_of(is_other_file ? "-1" : "-0", 0, *state);
        write_positions_t positions = {1, 0, 10, 10};

        assert_true(settle(&positions, db, is_other_file, *state));
        assert_int_equal(newest(db, "", "a", 1, *state).last_event_id, 11);
    }
}

/* Or a reader who has the last of that file would be where something else is. */
static void are_moved_above_what_the_other_file_has_shown(void **state)
{
    chat_database_t *db = database_of("", 9, *state);
    write_positions_t positions = {1, 3, 3, 0};

    assert_true(settle(&positions, db, 1, *state));
    assert_events(newest(db, "", "a", 1, *state), 19, 19);
}

static void are_not_moved_again_where_the_keeper_died_before_it_kept_that(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = database_of("", 2, temp);
    write_positions_t positions = {1, 9, 6, 0};

    assert_int_equal(chat_store_set_base(db, 7, temp->pool), APR_SUCCESS);
    assert_false(settle(&positions, db, 0, temp));
    assert_events(newest(db, "", "a", 5, temp), 9, 8);
    assert_int_equal(positions.highest, 9);
    assert_int_equal(positions.base, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(are_unknown_at_first),
        TEMP_TEST(are_kept_for_the_next_keeper),
        TEMP_TEST(are_unknown_where_something_else_is_written),
        TEMP_TEST(are_unknown_after_numbers_that_cannot_be_counted_to),
        TEMP_TEST(grow_with_what_is_new),
        TEMP_TEST(are_learned_from_a_database_where_nothing_is_known),
        TEMP_TEST(stay_with_the_same_database),
        TEMP_TEST(are_caught_up_with_what_the_keeper_before_stored_last),
        TEMP_TEST(are_moved_above_what_readers_may_have),
        TEMP_TEST(have_message_ids_go_on_above_those_that_were_given_out),
        TEMP_TEST(have_message_ids_go_on_where_a_keeper_died_before_it_had_seen_to_them),
        TEMP_TEST(are_moved_again_in_the_next_file),
        TEMP_TEST(are_moved_in_another_file_that_holds_more),
        TEMP_TEST(are_moved_when_a_backup_holds_more_than_what_came_between),
        TEMP_TEST(are_moved_when_an_empty_one_is_followed_by_an_empty_one),
        TEMP_TEST(are_moved_above_what_the_other_file_has_shown),
        TEMP_TEST(are_not_moved_again_where_the_keeper_died_before_it_kept_that),
    };

    return UNIT_RUN(tests);
}
