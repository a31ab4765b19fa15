#include "chat_store.h"

#include "chat_kind.h"

/* Rows of a page's first select. Each later select has as many as fit by the lengths so far, and
 * at most so many times the one before, since long texts may follow short ones. */
#define FIRST_PORTION  2
#define PORTION_GROWTH 8

/* A page while it is read. */
typedef struct reading_t {
    chat_page_t *page;
    chat_bounds_t most;
    apr_size_t bytes; /* of the texts that it has */
    int is_forward;   /* READ_AFTER, not READ_BEFORE */
} reading_t;

/* Take over where the room stands. 0 if the rows before and after are not of the same state:
 * something in between may have been deleted, or the database replaced. */
static int take_standing(const reading_t *reading, chat_rows_t *rows)
{
    chat_page_t *page = reading->page;
    apr_int64_t base = chat_rows_int64(rows, 2);
    apr_int64_t first_kept = base + chat_rows_int64(rows, 1);
    int is_first = page->base_event_id < 0;

    if (!is_first && (base != page->base_event_id || first_kept != page->first_kept_event_id)) {
        return 0;
    }
    page->base_event_id = base;
    page->first_kept_event_id = first_kept;
    if (is_first || reading->is_forward) {
        page->last_event_id = base + chat_rows_int64(rows, 0);
    }
    return 1;
}

static void take_event(reading_t *reading, chat_rows_t *rows)
{
    chat_page_t *page = reading->page;
    chat_event_t *event = &page->events[page->count++];

    event->kind = CHAT_KIND_MESSAGE;
    event->id = chat_rows_int64(rows, 3);
    event->position = page->base_event_id + chat_rows_int64(rows, 4);
    event->created_ms = chat_rows_int64(rows, 5);
    event->author = gc_slice_of(chat_rows_text(rows, 6));
    event->payload = gc_slice_of(chat_rows_text(rows, 7));
    event->key = gc_slice_of(chat_rows_text(rows, 8));
    reading->bytes += event->payload.len;
}

/* Take over the rows of one select, of which there may be so many; whether the page may go on. */
static int take_portion(reading_t *reading, chat_rows_t *rows, int portion)
{
    chat_page_t *page = reading->page;
    int taken = 0;

    page->has_more = 1;
    while (chat_rows_next(rows)) {
        if (!take_standing(reading, rows)) {
            return 0;
        }
        if (!chat_rows_text(rows, 3)) {
            break; /* a room of which no message was joined */
        }
        if (page->count > 0 && reading->bytes >= reading->most.bytes) {
            return 0;
        }
        take_event(reading, rows);
        taken++;
    }
    page->has_more = taken == portion;
    return page->has_more && page->count < reading->most.count &&
           reading->bytes < reading->most.bytes;
}

/* How many rows the next select is to have; one select has answered all rows that it was to have. */
static int next_portion(const reading_t *reading, int portion)
{
    const chat_page_t *page = reading->page;
    apr_size_t of_one = reading->bytes / (apr_size_t)page->count + 1;
    apr_size_t fitting = (reading->most.bytes - reading->bytes) / of_one + 1;
    int left = reading->most.count - page->count;
    int next = portion * PORTION_GROWTH < left ? portion * PORTION_GROWTH : left;

    return fitting < (apr_size_t)next ? (int)fitting : next;
}

/* Read a page in portions. APR's driver keeps all rows of a select in memory. So a select of a
 * hundred rows would read a hundred long texts for a page that one of them fills. A room that was
 * never written to, or is deleted, costs one read more: a join that answers a row for it, too,
 * would have to sort. */
static apr_status_t read_page(chat_database_t *db, const char *site, const char *room,
                              apr_int64_t from, reading_t *reading, apr_pool_t *pool)
{
    chat_page_t *page = reading->page;
    const void *absent[] = {site};
    int portion = reading->most.count < FIRST_PORTION ? reading->most.count : FIRST_PORTION;
    int goes_on = 1;

    page->count = 0;
    page->base_event_id = -1;
    page->has_more = 0;
    page->events = apr_palloc(pool, sizeof(*page->events) * (apr_size_t)reading->most.count);
    while (goes_on) {
        apr_int64_t wanted = portion;
        const void *params[] = {&from, site, room, &wanted};
        chat_rows_t *rows;
        apr_status_t rv =
            chat_database_read(db, reading->is_forward ? CHAT_SQL_READ_AFTER : CHAT_SQL_READ_BEFORE,
                               params, &rows, pool);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        goes_on = take_portion(reading, rows, portion);
        if (goes_on) {
            from = page->events[page->count - 1].position;
            portion = next_portion(reading, portion);
        }
    }
    if (page->base_event_id < 0) {
        apr_status_t rv =
            chat_store_read_number(db, CHAT_SQL_ABSENT, absent, &page->base_event_id, pool);

        page->has_more = 0;
        page->last_event_id = page->base_event_id;
        page->first_kept_event_id = page->base_event_id + 1;
        return rv;
    }
    return APR_SUCCESS;
}

apr_status_t chat_store_read_before(chat_database_t *db, const char *site, const char *room,
                                    apr_int64_t before, chat_bounds_t most, chat_page_t *page,
                                    apr_pool_t *pool)
{
    reading_t reading = {page, most, 0, 0};

    return read_page(db, site, room, before, &reading, pool);
}

apr_status_t chat_store_read_after(chat_database_t *db, const char *site, const char *room,
                                   apr_int64_t after, chat_bounds_t most, chat_page_t *page,
                                   apr_pool_t *pool)
{
    reading_t reading = {page, most, 0, 1};

    return read_page(db, site, room, after, &reading, pool);
}

apr_status_t chat_store_rooms_above(chat_database_t *db, const char *site, apr_int64_t watermark,
                                    apr_int64_t limit, chat_store_room_fn *fn, void *baton,
                                    apr_pool_t *scratch_pool)
{
    const void *params[] = {&watermark, &limit, site};
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, CHAT_SQL_ROOMS_ABOVE, params, &rows, scratch_pool);

    while (rv == APR_SUCCESS && chat_rows_next(rows)) {
        fn(chat_rows_text(rows, 0), baton);
    }
    return rv;
}

apr_status_t chat_store_read_number(chat_database_t *db, chat_sql_statement_e statement,
                                    const void **params, apr_int64_t *number,
                                    apr_pool_t *scratch_pool)
{
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, statement, params, &rows, scratch_pool);

    if (rv == APR_SUCCESS) {
        *number = chat_rows_next(rows) ? chat_rows_int64(rows, 0) : 0;
    }
    return rv;
}

apr_status_t chat_store_newest_id(chat_database_t *db, apr_int64_t *id, apr_pool_t *scratch_pool)
{
    const void *params[] = {NULL};

    return chat_store_read_number(db, CHAT_SQL_MAX_ID, params, id, scratch_pool);
}

apr_status_t chat_store_last_id(chat_database_t *db, apr_int64_t *id, apr_pool_t *scratch_pool)
{
    const void *params[] = {NULL};

    return chat_store_read_number(db, CHAT_SQL_LAST_ID, params, id, scratch_pool);
}

apr_status_t chat_store_set_last_id(chat_database_t *db, apr_int64_t id, apr_pool_t *scratch_pool)
{
    const void *params[] = {&id};
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, CHAT_SQL_FIRST_ID_ABOVE, params, &rows, scratch_pool);

    return rv == APR_SUCCESS
               ? chat_database_read(db, CHAT_SQL_NEXT_ID_ABOVE, params, &rows, scratch_pool)
               : rv;
}

apr_status_t chat_store_base(chat_database_t *db, apr_int64_t *base, apr_pool_t *scratch_pool)
{
    const void *params[] = {NULL};

    return chat_store_read_number(db, CHAT_SQL_BASE, params, base, scratch_pool);
}

apr_status_t chat_store_highest(chat_database_t *db, apr_int64_t *position,
                                apr_pool_t *scratch_pool)
{
    const void *params[] = {NULL};

    return chat_store_read_number(db, CHAT_SQL_HIGHEST, params, position, scratch_pool);
}

apr_status_t chat_store_set_base(chat_database_t *db, apr_int64_t base, apr_pool_t *scratch_pool)
{
    return chat_store_meta_set(db, "", CHAT_SQL_BASE_NAME,
                               apr_psprintf(scratch_pool, "%" APR_INT64_T_FMT, base), scratch_pool);
}

apr_status_t chat_store_meta_get(chat_database_t *db, const char *site, const char *name,
                                 const char **value, apr_pool_t *pool)
{
    const void *params[] = {site, name};
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, CHAT_SQL_META_GET, params, &rows, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!chat_rows_next(rows)) {
        return APR_NOTFOUND;
    }
    *value = chat_rows_text(rows, 0);
    return APR_SUCCESS;
}

apr_status_t chat_store_meta_set(chat_database_t *db, const char *site, const char *name,
                                 const char *value, apr_pool_t *scratch_pool)
{
    const void *params[] = {site, name, value};
    chat_rows_t *rows;

    return chat_database_read(db, CHAT_SQL_META_SET, params, &rows, scratch_pool);
}
