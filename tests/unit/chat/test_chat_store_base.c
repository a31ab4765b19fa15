/* Positions that are shown higher than they are stored. */
#include "store_fixture.h"

#define BASE 1000

static void adds_it_to_all_that_is_read(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_page_t page;

    fill(db, "a", 5, temp);
    assert_int_equal(chat_store_set_base(db, BASE, temp->pool), APR_SUCCESS);
    page = newest(db, "", "a", 3, temp);
    assert_events(page, BASE + 5, BASE + 3);
    assert_int_equal(page.base_event_id, BASE);
    assert_int_equal(page.last_event_id, BASE + 5);
    assert_int_equal(page.first_kept_event_id, BASE + 1);
    assert_string_equal(page.events[0].payload.data, "a5");
}

static void takes_it_from_what_is_asked_for(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);

    fill(db, "a", 5, temp);
    assert_int_equal(chat_store_set_base(db, BASE, temp->pool), APR_SUCCESS);
    assert_events(after(db, "a", BASE + 2, 2, temp), BASE + 3, BASE + 4);
    assert_events(after(db, "a", BASE + 4, 10, temp), BASE + 5, BASE + 5);
    assert_int_equal(after(db, "a", BASE + 5, 10, temp).count, 0);
    assert_events(after(db, "a", 2, 10, temp), BASE + 1, BASE + 5);
    assert_int_equal(after(db, "a", APR_INT64_MAX, 10, temp).count, 0);
}

static void is_where_a_room_stands_that_was_never_written_to(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_append_t first = job("new", "hello", "1");
    chat_page_t page;

    assert_int_equal(chat_store_set_base(db, BASE, temp->pool), APR_SUCCESS);
    page = newest(db, "", "new", 3, temp);
    assert_int_equal(page.count, 0);
    assert_int_equal(page.last_event_id, BASE);
    assert_int_equal(page.first_kept_event_id, BASE + 1);
    append_ok(db, &first, 1, temp);
    assert_int_equal(first.event.position, BASE + 1);
    assert_events(newest(db, "", "new", 3, temp), BASE + 1, BASE + 1);
}

static void is_in_the_answers_to_posts_new_and_repeated(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_append_t keyed = job("a", "once", "job-1");
    chat_append_t repeated = job("a", "again", "job-0");
    chat_append_t known = job("a", "once", "job-2");

    append_ok(db, &repeated, 1, temp);
    assert_int_equal(chat_store_set_base(db, BASE, temp->pool), APR_SUCCESS);
    keyed.event.key = known.event.key = gc_slice_of("key");
    keyed.digest = known.digest = "digest";
    append_ok(db, &keyed, 1, temp);
    assert_int_equal(keyed.event.position, BASE + 2);
    append_ok(db, &known, 1, temp);
    assert_int_equal(known.outcome, CHAT_APPEND_KNOWN);
    assert_int_equal(known.event.position, BASE + 2);
    repeated.is_repeat = 1;
    append_ok(db, &repeated, 1, temp);
    assert_int_equal(repeated.outcome, CHAT_APPEND_REPEATED);
    assert_int_equal(repeated.event.position, BASE + 1);
}

static void counts_in_the_highest_position(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    apr_int64_t highest;

    assert_int_equal(chat_store_highest(db, &highest, temp->pool), APR_SUCCESS);
    assert_int_equal(highest, 0);
    assert_int_equal(chat_store_set_base(db, BASE, temp->pool), APR_SUCCESS);
    assert_int_equal(chat_store_highest(db, &highest, temp->pool), APR_SUCCESS);
    assert_int_equal(highest, BASE);
    fill(db, "a", 2, temp);
    fill(db, "b", 4, temp);
    assert_int_equal(chat_store_highest(db, &highest, temp->pool), APR_SUCCESS);
    assert_int_equal(highest, BASE + 4);
}

static void knows_the_last_id_of_an_emptied_database(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    apr_int64_t id = -1;

    assert_int_equal(chat_store_last_id(db, &id, temp->pool), APR_SUCCESS);
    assert_int_equal(id, 0);
    fill(db, "a", 3, temp);
    assert_int_equal(chat_database_run(db, "DELETE FROM grip_chat_message"), APR_SUCCESS);
    assert_int_equal(chat_store_last_id(db, &id, temp->pool), APR_SUCCESS);
    assert_int_equal(id, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(adds_it_to_all_that_is_read),
        TEMP_TEST(takes_it_from_what_is_asked_for),
        TEMP_TEST(is_where_a_room_stands_that_was_never_written_to),
        TEMP_TEST(is_in_the_answers_to_posts_new_and_repeated),
        TEMP_TEST(counts_in_the_highest_position),
        TEMP_TEST(knows_the_last_id_of_an_emptied_database),
    };

    return UNIT_RUN(tests);
}
