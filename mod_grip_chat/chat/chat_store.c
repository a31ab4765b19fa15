#include "chat_store.h"

/* Collect at most limit messages from the rows of READ_NEWEST or READ_AFTER. */
static void collect_page(chat_rows_t *rows, int limit, chat_page_t *page, apr_pool_t *pool)
{
    page->count = 0;
    page->messages = apr_palloc(pool, sizeof(*page->messages) * (apr_size_t)limit);
    while (chat_rows_next(rows)) {
        chat_message_t *message = &page->messages[page->count];

        page->base_event_id = chat_rows_int64(rows, 2);
        page->last_event_id = page->base_event_id + chat_rows_int64(rows, 0);
        page->first_kept_event_id = page->base_event_id + chat_rows_int64(rows, 1);
        if (!chat_rows_text(rows, 3) || page->count == limit) {
            continue; /* a room of which no message was joined */
        }
        message->id = chat_rows_int64(rows, 3);
        message->event_id = page->base_event_id + chat_rows_int64(rows, 4);
        message->created_ms = chat_rows_int64(rows, 5);
        message->from = gc_slice_of(chat_rows_text(rows, 6));
        message->text = gc_slice_of(chat_rows_text(rows, 7));
        message->key = gc_slice_of(chat_rows_text(rows, 8));
        page->count++;
    }
}

/* Run READ_NEWEST or READ_AFTER. A room that was never written to, or is deleted, costs one read more:
 * a join that answers a row for it, too, would have to sort. */
static apr_status_t read_page(chat_database_t *db, chat_sql_statement_e statement, const char *site,
                              const void **params, int limit, chat_page_t *page, apr_pool_t *pool)
{
    const void *absent[] = {site};
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, statement, params, &rows, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    page->base_event_id = -1;
    collect_page(rows, limit, page, pool);
    if (page->base_event_id < 0) {
        rv = chat_store_read_number(db, CHAT_SQL_ABSENT, absent, &page->base_event_id, pool);
        page->last_event_id = page->base_event_id;
        page->first_kept_event_id = page->base_event_id + 1;
    }
    return rv;
}

apr_status_t chat_store_read_newest(chat_database_t *db, const char *site, const char *room,
                                    int limit, chat_page_t *page, apr_pool_t *pool)
{
    apr_int64_t wanted = limit;
    const void *params[] = {&wanted, site, room};

    return read_page(db, CHAT_SQL_READ_NEWEST, site, params, limit, page, pool);
}

apr_status_t chat_store_read_after(chat_database_t *db, const char *site, const char *room,
                                   apr_int64_t after, int limit, chat_page_t *page,
                                   apr_pool_t *pool)
{
    apr_int64_t up_to = after > APR_INT64_MAX - limit ? APR_INT64_MAX : after + limit;
    const void *params[] = {&after, &up_to, site, room};

    return read_page(db, CHAT_SQL_READ_AFTER, site, params, limit, page, pool);
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
