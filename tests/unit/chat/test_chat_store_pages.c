/* Pages where rows were deleted by hand, and where texts are long. */
#include <stdio.h>
#include <unistd.h>

#include "store_fixture.h"

/* Whole in one, two and several selects. */
static void reads_pages_of_any_number(void **state)
{
    chat_database_t *db = open_as(*state, CHAT_DATABASE_WRITER);
    int limit;

    fill(db, "a", 130, *state);
    for (limit = 1; limit <= 140; limit += limit < 20 ? 1 : 20) {
        int count = limit < 130 ? limit : 130;
        chat_page_t page = after(db, "a", 0, limit, *state);

        assert_events(page, 1, count);
        assert_int_equal(page.has_more, limit <= 130);
        assert_int_equal(page.last_event_id, 130);
        page = newest(db, "", "a", limit, *state);
        assert_events(page, 130, 130 - count + 1);
        assert_int_equal(page.has_more, limit <= 130);
    }
}

static void goes_over_gaps_of_any_length(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    chat_page_t page;

    if (!unit_sqlite_is_there()) {
        skip();
    }
    fill(db, "a", 400, temp);
    unit_sqlite(temp->path,
                "DELETE FROM grip_chat_message WHERE event_id BETWEEN 51 AND 200 OR event_id > 390",
                temp->pool);
    page = after(db, "a", 48, 4, temp);
    assert_int_equal(page.count, 4);
    assert_int_equal(page.events[1].position, 50);
    assert_int_equal(page.events[2].position, 201);
    assert_events(after(db, "a", 50, 2, temp), 201, 202);
    assert_events(after(db, "a", 120, 2, temp), 201, 202);
    page = after(db, "a", 385, 100, temp);
    assert_events(page, 386, 390);
    assert_int_equal(page.has_more, 0);
    assert_int_equal(page.last_event_id, 400);
    page = after(db, "a", 390, 100, temp);
    assert_int_equal(page.count, 0);
    assert_int_equal(page.has_more, 0);
    assert_int_equal(page.last_event_id, 400);
    page = newest(db, "", "a", 3, temp);
    assert_events(page, 390, 388);
    assert_int_equal(page.last_event_id, 400);
}

static void stops_where_the_texts_have_enough_bytes(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    char *text = apr_palloc(temp->pool, 60001);
    chat_bounds_t most = {100, 100000};
    chat_page_t page;
    int i;

    memset(text, 'x', 60000);
    text[60000] = '\0';
    for (i = 0; i < 60; i++) {
        chat_append_t append = job("a", text, apr_psprintf(temp->pool, "k%d", i));

        append_ok(db, &append, 1, temp);
    }
    assert_int_equal(chat_store_read_after(db, "", "a", 10, most, &page, temp->pool), APR_SUCCESS);
    assert_events(page, 11, 12);
    assert_int_equal(page.has_more, 1);
    assert_int_equal(chat_store_read_before(db, "", "a", 10, most, &page, temp->pool), APR_SUCCESS);
    assert_events(page, 9, 8);
    most.bytes = 1;
    assert_int_equal(chat_store_read_after(db, "", "a", 58, most, &page, temp->pool), APR_SUCCESS);
    assert_events(page, 59, 59);
    assert_int_equal(page.has_more, 1);
    assert_int_equal(chat_store_read_after(db, "", "a", 59, most, &page, temp->pool), APR_SUCCESS);
    assert_events(page, 60, 60);
    assert_int_equal(page.has_more, 0);
}

#ifndef __SANITIZE_ADDRESS__ /* which maps memory of its own */

/* The memory that this process has mapped for data, in bytes. */
static long bytes_of_data(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long pages = 0;

    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%*d %*d %*d %*d %*d %ld", &pages), 1);
    fclose(statm);
    return pages * sysconf(_SC_PAGESIZE);
}

/* The memory of a page, in a pool of its own. */
static long bytes_of_page(chat_database_t *db, chat_bounds_t most)
{
    long before = bytes_of_data();
    long after;
    apr_allocator_t *allocator;
    apr_pool_t *pool;
    chat_page_t page;

    assert_int_equal(apr_allocator_create(&allocator), APR_SUCCESS);
    assert_int_equal(apr_pool_create_ex(&pool, NULL, NULL, allocator), APR_SUCCESS);
    apr_allocator_owner_set(allocator, pool);
    assert_int_equal(chat_store_read_after(db, "", "a", 10, most, &page, pool), APR_SUCCESS);
    assert_true(page.count > 0);
    after = bytes_of_data();
    apr_pool_destroy(pool);
    return after - before;
}

static void reads_few_rows_where_texts_are_long(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_as(temp, CHAT_DATABASE_WRITER);
    char *text = apr_palloc(temp->pool, 64001);
    int i;

    memset(text, 'x', 64000);
    text[64000] = '\0';
    for (i = 0; i < 40; i++) {
        chat_append_t append = job("a", text, apr_psprintf(temp->pool, "k%d", i));

        append_ok(db, &append, 1, temp);
    }
    (void)bytes_of_page(db, (chat_bounds_t){100, 1}); /* SQLite's own memory has grown */
    assert_true(bytes_of_page(db, (chat_bounds_t){100, 64000}) < 4 * 64000);
    assert_true(bytes_of_page(db, (chat_bounds_t){100, 256000}) < 10 * 64000);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(reads_pages_of_any_number),
        TEMP_TEST(goes_over_gaps_of_any_length),
        TEMP_TEST(stops_where_the_texts_have_enough_bytes),
#ifndef __SANITIZE_ADDRESS__
        TEMP_TEST(reads_few_rows_where_texts_are_long),
#endif
    };

    return UNIT_RUN(tests);
}
