/* A database in a temporary directory and messages to put into it, for the tests of the store. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "chat_store.h"
#include "held_fixture.h"
#include "unit_events.h"

/* Some time in 2026, in microseconds. */
#define NOW APR_INT64_C(1795492997336123)

static inline chat_database_t *open_as(const unit_temp_t *temp, chat_database_role_e role)
{
    chat_database_t *db = make(temp, role);

    if (chat_database_ready(db) != APR_SUCCESS) {
        fail_msg("%s", chat_database_last_error(db));
    }
    return db;
}

static inline chat_append_t job(const char *room, const char *text, const char *key)
{
    chat_append_t append = unit_append("", room, "al", text, key);

    return append;
}

static inline void append_ok(chat_database_t *db, chat_append_t *jobs, int count,
                             const unit_temp_t *temp)
{
    if (unit_store(chat_store_append, db, jobs, count, NOW, temp->pool) != APR_SUCCESS) {
        fail_msg("%s", chat_database_last_error(db));
    }
}

/* Append count messages to a room, with the texts and keys "{room}1", "{room}2"… */
static inline void fill(chat_database_t *db, const char *room, int count, const unit_temp_t *temp)
{
    int i;

    for (i = 1; i <= count; i++) {
        const char *text = apr_psprintf(temp->pool, "%s%d", room, i);
        chat_append_t append = job(room, text, text);

        append_ok(db, &append, 1, temp);
    }
}

/* So many messages, whatever their length. */
static inline chat_bounds_t most_of(int count)
{
    return (chat_bounds_t){count, CHAT_LIST_MAX_BYTES};
}

static inline chat_page_t newest(chat_database_t *db, const char *site, const char *room, int limit,
                                 const unit_temp_t *temp)
{
    chat_page_t page;

    memset(&page, 0xff, sizeof(page));
    assert_int_equal(
        chat_store_read_before(db, site, room, APR_INT64_MAX, most_of(limit), &page, temp->pool),
        APR_SUCCESS);
    return page;
}

static inline chat_page_t after(chat_database_t *db, const char *room, apr_int64_t position,
                                int limit, const unit_temp_t *temp)
{
    chat_page_t page;

    memset(&page, 0xff, sizeof(page));
    assert_int_equal(
        chat_store_read_after(db, "", room, position, most_of(limit), &page, temp->pool),
        APR_SUCCESS);
    return page;
}

/* Fail unless a page holds the events first .. last, in that direction. */
static inline void assert_events(chat_page_t page, apr_int64_t first, apr_int64_t last)
{
    int step = first <= last ? 1 : -1;
    int i;

    assert_int_equal(page.count, (last - first) * step + 1);
    for (i = 0; i < page.count; i++) {
        assert_int_equal(page.events[i].position, first + i * step);
    }
}

#endif
