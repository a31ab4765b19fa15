#include "store_fixture.h"
#include "unit_events.h"

static void stores_a_message_as_it_was_given(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t append =
        job("caf\xc3\xa9 '\"%s", "a\r\n\t'; DROP TABLE x; -- %lld \xe2\x98\x83", "k");
    chat_page_t page;

    append.event.author = gc_slice_of("o'neil \xf0\x9f\x98\x80");
    append_ok(db, &append, 1, *state);
    assert_int_equal(append.event.id, 1);
    assert_int_equal(append.event.position, 1);
    assert_true(append.event.created_ms == NOW / 1000);
    assert_int_equal(append.outcome, CHAT_APPEND_NEW);
    page = newest(db, "", append.room, 10, *state);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.last_event_id, 1);
    assert_int_equal(page.first_kept_event_id, 1);
    assert_int_equal(page.events[0].id, 1);
    assert_true(page.events[0].created_ms == NOW / 1000);
    assert_slice_equal(page.events[0].author, append.event.author.data);
    assert_slice_equal(page.events[0].payload, append.event.payload.data);
}

static void counts_positions_in_each_room_and_ids_across_rooms(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t jobs[] = {job("a", "1", "k1"), job("b", "2", "k2"), job("a", "3", "k3"),
                            job("b", "4", "k4"), job("a", "5", "k5")};
    static const int events[] = {1, 1, 2, 2, 3};
    int i;

    append_ok(db, jobs, COUNT_OF(jobs), *state);
    for (i = 0; i < COUNT_OF(jobs); i++) {
        assert_int_equal(jobs[i].event.id, i + 1);
        assert_int_equal(jobs[i].event.position, events[i]);
    }
    assert_events(newest(db, "", "a", 10, *state), 3, 1);
    assert_events(newest(db, "", "b", 10, *state), 2, 1);
}

/* More of them than a transaction holds, so that each is met again after it was let go. */
static void counts_positions_of_many_rooms_in_one_batch_and_the_next(void **state)
{
    enum { ROOMS = 40, ROUNDS = 3 };
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_append_t jobs[ROOMS * ROUNDS];
    int batch;
    int i;

    for (batch = 0; batch < 2; batch++) {
        for (i = 0; i < ROOMS * ROUNDS; i++) {
            jobs[i] = job(apr_psprintf(temp->pool, "r%d", i % ROOMS), "x",
                          apr_psprintf(temp->pool, "%d-%d", batch, i));
            jobs[i].site = i % 2 ? "" : "other";
        }
        append_ok(db, jobs, ROOMS * ROUNDS, temp);
        for (i = 0; i < ROOMS * ROUNDS; i++) {
            assert_int_equal(jobs[i].event.position, batch * ROUNDS + i / ROOMS + 1);
        }
    }
    assert_events(newest(db, "", "r1", 10, temp), 2 * ROUNDS, 1);
    assert_events(newest(db, "other", "r38", 10, temp), 2 * ROUNDS, 1);
}

static void answers_a_repeated_key_as_the_first_time(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t first = job("a", "hello", "key");
    chat_append_t again = job("a", "hello", "key");

    append_ok(db, &first, 1, *state);
    fill(db, "a", 2, *state);
    again.is_repeat = 1;
    assert_int_equal(unit_store(chat_store_append, db, &again, 1, NOW + apr_time_from_sec(9),
                                ((unit_temp_t *)*state)->pool),
                     APR_SUCCESS);
    assert_int_equal(again.outcome, CHAT_APPEND_REPEATED);
    assert_int_equal(again.event.id, first.event.id);
    assert_int_equal(again.event.position, first.event.position);
    assert_true(again.event.created_ms == first.event.created_ms);
    assert_events(newest(db, "", "a", 10, *state), 3, 1);
}

static void stores_a_job_that_was_sent_again_but_never_arrived(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t again = job("a", "hello", "key");

    again.is_repeat = 1;
    append_ok(db, &again, 1, *state);
    assert_int_equal(again.outcome, CHAT_APPEND_NEW);
    assert_int_equal(again.event.position, 1);
}

/* The child lost its connection, not the keeper its database: both jobs may meet in one batch. */
static void stores_a_key_once_that_comes_twice_in_one_batch(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t jobs[] = {job("a", "1", "k1"), job("a", "2", "k2"), job("a", "1", "k1"),
                            job("a", "3", "k3")};

    jobs[2].is_repeat = 1;
    append_ok(db, jobs, COUNT_OF(jobs), *state);
    assert_int_equal(jobs[0].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[2].outcome, CHAT_APPEND_REPEATED);
    assert_int_equal(jobs[2].event.id, jobs[0].event.id);
    assert_int_equal(jobs[2].event.position, 1);
    assert_int_equal(jobs[3].event.position, 3);
    assert_events(newest(db, "", "a", 10, *state), 3, 1);
}

/* Even if it is not marked as a repetition, and without harm to the others of the batch. */
static void stores_a_key_once_that_is_not_marked_as_repeated(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t first = job("a", "1", "k1");
    chat_append_t jobs[] = {job("a", "2", "k2"), job("a", "1", "k1"), job("b", "3", "k3")};

    append_ok(db, &first, 1, *state);
    assert_int_equal(unit_store(chat_store_append, db, jobs, COUNT_OF(jobs),
                                NOW + apr_time_from_sec(1), ((unit_temp_t *)*state)->pool),
                     APR_SUCCESS);
    assert_int_equal(jobs[0].outcome, CHAT_APPEND_NEW);
    assert_int_equal(jobs[0].event.position, 2);
    assert_int_equal(jobs[1].outcome, CHAT_APPEND_REPEATED);
    assert_int_equal(jobs[1].event.id, first.event.id);
    assert_int_equal(jobs[2].event.position, 1);
    assert_events(newest(db, "", "a", 10, *state), 2, 1);
}

static void leaves_nothing_of_a_batch_that_fails(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t jobs[] = {job("a", "1", "k1"), job("new", "2", "k2"), job("a", NULL, "k3"),
                            job("a", "4", "k4")};
    chat_append_t next = job("a", "5", "k5");

    fill(db, "a", 1, *state);
    assert_int_equal(
        unit_store(chat_store_append, db, jobs, COUNT_OF(jobs), NOW, ((unit_temp_t *)*state)->pool),
        APR_EGENERAL);
    assert_int_equal(newest(db, "", "a", 10, *state).last_event_id, 1);
    assert_int_equal(newest(db, "", "new", 10, *state).last_event_id, 0);
    append_ok(db, &next, 1, *state);
    assert_int_equal(next.event.position, 2);
    assert_events(newest(db, "", "a", 10, *state), 2, 1);
}

static void reads_a_room_never_written_to_as_empty_and_does_not_make_it(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_page_t page = newest(db, "", "nowhere", 10, temp);

    assert_int_equal(page.count, 0);
    assert_int_equal(page.last_event_id, 0);
    assert_int_equal(page.first_kept_event_id, 1);
    assert_int_equal(after(db, "nowhere", 5, 10, temp).count, 0);
    if (unit_sqlite_is_there()) {
        assert_string_equal(
            unit_sqlite(temp->path, "SELECT count(*) FROM grip_chat_room", temp->pool), "0");
    }
}

static void reads_the_newest_first_and_no_more_than_wanted(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);

    fill(db, "a", 7, *state);
    fill(db, "b", 2, *state);
    assert_events(newest(db, "", "a", 3, *state), 7, 5);
    assert_events(newest(db, "", "a", 7, *state), 7, 1);
    assert_events(newest(db, "", "a", CHAT_HISTORY_MAX, *state), 7, 1);
    assert_events(newest(db, "", "a", 1, *state), 7, 7);
    assert_int_equal(newest(db, "", "a", 1, *state).last_event_id, 7);
}

static void reads_what_follows_a_position_oldest_first(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_page_t page;

    fill(db, "a", 7, *state);
    assert_events(after(db, "a", 0, 100, *state), 1, 7);
    assert_events(after(db, "a", 4, 100, *state), 5, 7);
    assert_events(after(db, "a", 2, 3, *state), 3, 5);
    page = after(db, "a", 2, 3, *state);
    assert_int_equal(page.last_event_id, 7);
    assert_slice_equal(page.events[0].payload, "a3");
}

static void reads_nothing_behind_the_end_of_a_room(void **state)
{
    static const apr_int64_t beyond[] = {7, 8, 1000, APR_INT64_MAX - 1, APR_INT64_MAX};
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    int i;

    fill(db, "a", 7, *state);
    for (i = 0; i < COUNT_OF(beyond); i++) {
        chat_page_t page = after(db, "a", beyond[i], 100, *state);

        assert_int_equal(page.count, 0);
        assert_int_equal(page.last_event_id, 7);
    }
}

/* An operator who cleans up by hand leaves a room whose last position counts on. */
static void goes_on_counting_after_messages_were_deleted(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_append_t next = job("a", "next", "next");
    chat_page_t page;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    fill(db, "a", 3, temp);
    (void)unit_sqlite(temp->path, "DELETE FROM grip_chat_message", temp->pool);
    page = newest(db, "", "a", 10, temp);
    assert_int_equal(page.count, 0);
    assert_int_equal(page.last_event_id, 3);
    append_ok(db, &next, 1, temp);
    assert_int_equal(next.event.id, 4);
    assert_int_equal(next.event.position, 4);
}

static void hands_out_the_first_position_that_is_kept(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);

    if (!unit_sqlite_is_there()) {
        skip();
    }
    fill(db, "a", 5, temp);
    (void)unit_sqlite(temp->path,
                      "BEGIN; DELETE FROM grip_chat_message WHERE event_id < 3;"
                      "UPDATE grip_chat_room SET first_kept_event_id = 3; COMMIT",
                      temp->pool);
    assert_int_equal(newest(db, "", "a", 2, temp).first_kept_event_id, 3);
    assert_int_equal(after(db, "a", 5, 2, temp).first_kept_event_id, 3);
    assert_events(after(db, "a", 0, 10, temp), 3, 5);
}

static void keeps_sites_apart(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    chat_append_t jobs[] = {job("a", "of none", "k1"), job("a", "of one", "k2"),
                            job("a", "of two", "k3"), job("a", "of one too", "k4")};

    jobs[1].site = jobs[3].site = "one";
    jobs[2].site = "two";
    append_ok(db, jobs, COUNT_OF(jobs), *state);
    assert_int_equal(jobs[3].event.position, 2);
    assert_events(newest(db, "", "a", 10, *state), 1, 1);
    assert_events(newest(db, "one", "a", 10, *state), 2, 1);
    assert_slice_equal(newest(db, "two", "a", 10, *state).events[0].payload, "of two");
    assert_int_equal(newest(db, "three", "a", 10, *state).last_event_id, 0);
}

/* Rooms "ab" and "AB", and "a" with an accent in two forms, are different rooms. */
static void compares_rooms_byte_by_byte(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);

    fill(db, "ab", 1, *state);
    assert_int_equal(newest(db, "", "AB", 10, *state).count, 0);
    assert_int_equal(newest(db, "", "ab ", 10, *state).count, 0);
    fill(db, "\xc3\xa1", 1, *state);
    assert_int_equal(newest(db, "", "a\xcc\x81", 10, *state).count, 0);
}

static void collect_room(const char *room, void *baton)
{
    char *rooms = baton;
    apr_size_t len = strlen(rooms);

    apr_snprintf(rooms + len, 64 - len, "%s;", room);
}

static void names_rooms_above_a_watermark_once(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_append_t other = job("elsewhere", "x", "x");
    char rooms[64] = "";

    fill(db, "a", 2, temp); /* ids 1 and 2 */
    fill(db, "b", 2, temp); /* ids 3 and 4 */
    other.site = "other";
    append_ok(db, &other, 1, temp); /* id 5 */
    assert_int_equal(chat_store_rooms_above(db, "", 3, 100, collect_room, rooms, temp->pool), 0);
    assert_string_equal(rooms, "b;");
    rooms[0] = '\0';
    assert_int_equal(chat_store_rooms_above(db, "", 0, 100, collect_room, rooms, temp->pool), 0);
    assert_int_equal(strlen(rooms), 4);
    assert_non_null(strstr(rooms, "a;"));
    assert_non_null(strstr(rooms, "b;"));
    rooms[0] = '\0';
    assert_int_equal(chat_store_rooms_above(db, "", 4, 100, collect_room, rooms, temp->pool), 0);
    assert_string_equal(rooms, "");
    assert_int_equal(chat_store_rooms_above(db, "other", 4, 100, collect_room, rooms, temp->pool),
                     0);
    assert_string_equal(rooms, "elsewhere;");
    /* Only the newest two are looked at, ids 4 and 5. */
    rooms[0] = '\0';
    assert_int_equal(chat_store_rooms_above(db, "", 0, 2, collect_room, rooms, temp->pool), 0);
    assert_string_equal(rooms, "b;");
}

static void tells_the_newest_id(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    apr_int64_t id = -1;

    assert_int_equal(chat_store_newest_id(db, &id, temp->pool), APR_SUCCESS);
    assert_int_equal(id, 0);
    fill(db, "a", 3, temp);
    assert_int_equal(chat_store_newest_id(db, &id, temp->pool), APR_SUCCESS);
    assert_int_equal(id, 3);
}

static void keeps_values_for_each_site(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    const char *value = "untouched";

    assert_int_equal(chat_store_meta_get(db, "", "secret", &value, temp->pool), APR_NOTFOUND);
    assert_string_equal(value, "untouched");
    assert_int_equal(chat_store_meta_set(db, "", "secret", "one", temp->pool), APR_SUCCESS);
    assert_int_equal(chat_store_meta_set(db, "site", "secret", "two", temp->pool), APR_SUCCESS);
    assert_int_equal(chat_store_meta_set(db, "", "secret", "three", temp->pool), APR_SUCCESS);
    chat_database_close(db);
    assert_int_equal(chat_store_meta_get(db, "", "secret", &value, temp->pool), APR_SUCCESS);
    assert_string_equal(value, "three");
    assert_int_equal(chat_store_meta_get(db, "site", "secret", &value, temp->pool), APR_SUCCESS);
    assert_string_equal(value, "two");
    assert_int_equal(chat_store_meta_get(db, "other", "secret", &value, temp->pool), APR_NOTFOUND);
}

static void lets_a_reader_see_what_was_committed(void **state)
{
    chat_database_t *writer = open_as(*state, CHAT_DATABASE_WRITER);
    chat_database_t *reader = open_as(*state, CHAT_DATABASE_READER);

    fill(writer, "a", 1, *state);
    assert_events(newest(reader, "", "a", 10, *state), 1, 1);
    fill(writer, "a2", 3, *state);
    assert_events(after(reader, "a2", 1, 10, *state), 2, 3);
}

static void keeps_a_reader_from_writing(void **state)
{
    chat_database_t *writer = open_as(*state, CHAT_DATABASE_WRITER);
    chat_database_t *reader = open_as(*state, CHAT_DATABASE_READER);
    chat_append_t append = job("a", "x", "k");

    assert_int_equal(
        unit_store(chat_store_append, reader, &append, 1, NOW, ((unit_temp_t *)*state)->pool),
        APR_EGENERAL);
    assert_int_equal(newest(writer, "", "a", 10, *state).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(stores_a_message_as_it_was_given),
        TEMP_TEST(counts_positions_in_each_room_and_ids_across_rooms),
        TEMP_TEST(counts_positions_of_many_rooms_in_one_batch_and_the_next),
        TEMP_TEST(answers_a_repeated_key_as_the_first_time),
        TEMP_TEST(stores_a_job_that_was_sent_again_but_never_arrived),
        TEMP_TEST(stores_a_key_once_that_comes_twice_in_one_batch),
        TEMP_TEST(stores_a_key_once_that_is_not_marked_as_repeated),
        TEMP_TEST(leaves_nothing_of_a_batch_that_fails),
        TEMP_TEST(reads_a_room_never_written_to_as_empty_and_does_not_make_it),
        TEMP_TEST(reads_the_newest_first_and_no_more_than_wanted),
        TEMP_TEST(reads_what_follows_a_position_oldest_first),
        TEMP_TEST(reads_nothing_behind_the_end_of_a_room),
        TEMP_TEST(goes_on_counting_after_messages_were_deleted),
        TEMP_TEST(hands_out_the_first_position_that_is_kept),
        TEMP_TEST(keeps_sites_apart),
        TEMP_TEST(compares_rooms_byte_by_byte),
        TEMP_TEST(names_rooms_above_a_watermark_once),
        TEMP_TEST(tells_the_newest_id),
        TEMP_TEST(keeps_values_for_each_site),
        TEMP_TEST(lets_a_reader_see_what_was_committed),
        TEMP_TEST(keeps_a_reader_from_writing),
    };

    return UNIT_RUN(tests);
}
