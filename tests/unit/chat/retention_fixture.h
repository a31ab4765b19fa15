/* Messages of any date, and sweeps through them, for the tests of retention. */
#ifndef RETENTION_FIXTURE_H
#define RETENTION_FIXTURE_H

#include "chat_retention.h"
#include "store_fixture.h"
#include "unit_events.h"

/* When what fill() stored is old enough to be deleted. */
#define LATER (NOW / 1000 + CHAT_RETENTION_MIN_AGE_MS)

#define HOUR_MS (APR_INT64_C(60) * 60 * 1000)
#define DAY_MS  (24 * HOUR_MS)

/* The rooms that a sweep has told. */
typedef struct told_t {
    char rooms[512];
    int steps;
} told_t;

static inline void collect(const char *room, void *baton)
{
    told_t *told = baton;
    apr_size_t len = strlen(told->rooms);

    apr_snprintf(told->rooms + len, sizeof(told->rooms) - len, "%s;", room);
}

/* Take one step, which must succeed. @return whether it was the sweep's last */
static inline int step_once(chat_database_t *db, const char *site,
                            const chat_retention_t *retention, chat_sweep_t *sweep,
                            apr_int64_t now_ms, told_t *told, const unit_temp_t *temp)
{
    int is_done = 0;

    if (chat_retention_step(db, site, retention, sweep, &is_done, now_ms, collect, told,
                            temp->pool) != APR_SUCCESS)
    {
        fail_msg("step %d: %s", told->steps, chat_database_last_error(db));
    }
    told->steps++;
    return is_done;
}

/* Sweep a site once, from wherever the sweep stands. */
static inline told_t sweep_site(chat_database_t *db, const char *site,
                                const chat_retention_t *retention, chat_sweep_t *sweep,
                                apr_int64_t now_ms, const unit_temp_t *temp)
{
    told_t told = {"", 0};
    int is_done = 0;

    while (!is_done && told.steps < 1000) {
        is_done = step_once(db, site, retention, sweep, now_ms, &told, temp);
    }
    assert_true(is_done);
    return told;
}

/* A text unlike all others: what the pool gives out is not given out twice. */
static inline const char *unique(const unit_temp_t *temp)
{
    return apr_psprintf(temp->pool, "%pp", apr_palloc(temp->pool, 1));
}

static inline void store_text_at(chat_database_t *db, const char *site, const char *room,
                                 const char *key, const char *text, int count,
                                 apr_int64_t created_ms, const unit_temp_t *temp)
{
    chat_append_t *appends = apr_palloc(temp->pool, sizeof(*appends) * (apr_size_t)count);
    int i;

    for (i = 0; i < count; i++) {
        appends[i] = job(room, text, unique(temp));
        appends[i].site = site;
        appends[i].event.key = gc_slice_of(key);
        appends[i].digest = *key ? "d" : "";
    }
    assert_int_equal(
        unit_store(chat_store_append, db, appends, count, created_ms * 1000, temp->pool),
        APR_SUCCESS);
}

static inline void store_at(chat_database_t *db, const char *site, const char *room,
                            const char *key, apr_int64_t created_ms, const unit_temp_t *temp)
{
    store_text_at(db, site, room, key, "x", 1, created_ms, temp);
}

static inline void store_many_at(chat_database_t *db, const char *site, const char *room, int count,
                                 apr_int64_t created_ms, const unit_temp_t *temp)
{
    store_text_at(db, site, room, "", "x", count, created_ms, temp);
}

/* How many rows a table has. */
static inline int count_rows(const char *table, const unit_temp_t *temp)
{
    return (int)apr_atoi64(unit_sqlite(
        temp->path, apr_pstrcat(temp->pool, "SELECT count(*) FROM ", table, NULL), temp->pool));
}

/* Fail unless a room keeps exactly the positions first .. last. */
static inline void assert_kept(chat_database_t *db, const char *site, const char *room,
                               apr_int64_t first, apr_int64_t last, const unit_temp_t *temp)
{
    chat_page_t page = newest(db, site, room, 1000, temp);

    assert_int_equal(page.first_kept_event_id, first);
    assert_int_equal(page.last_event_id, last);
    assert_int_equal(page.count, last - first + 1);
    if (page.count > 0) {
        assert_int_equal(page.events[page.count - 1].position, first);
    }
}

/* Post under a key that may be known. */
static inline chat_append_outcome_e post_again(chat_database_t *db, const char *room,
                                               const char *key, const unit_temp_t *temp)
{
    chat_append_t append = job(room, "x", unique(temp));

    append.event.key = gc_slice_of(key);
    append.digest = "d";
    append_ok(db, &append, 1, temp);
    return append.outcome;
}

#endif
