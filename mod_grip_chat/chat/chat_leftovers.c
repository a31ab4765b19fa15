#include "chat_leftovers.h"

/* Keys that KEYS_FROM names, and rooms of which ROOMS_EMPTY looks at the rows. */
#define KEYS_STEP  1000
#define ROOMS_STEP 5000

apr_status_t chat_leftovers_find_keys(chat_leftovers_t *left, chat_database_t *db, const char *site,
                                      apr_int64_t now_ms, chat_leftovers_keys_t *keys, int *is_over,
                                      apr_pool_t *pool)
{
    apr_int64_t old_ms = now_ms - CHAT_KEY_KEPT_MS;
    const void *params[] = {&keys->seen_id};
    chat_rows_t *rows;
    int count = 0;
    int young = 0;
    int all_are_done = keys->seen_id == keys->done_id;
    apr_status_t rv = chat_database_read(db, CHAT_SQL_KEYS_FROM, params, &rows, pool);

    while (rv == APR_SUCCESS && left->key_count < CHAT_LEFTOVERS_MAX && chat_rows_next(rows)) {
        apr_int64_t created_ms = chat_rows_int64(rows, 1);
        const char *owner = chat_rows_text(rows, 3);

        count++;
        keys->seen_id = chat_rows_int64(rows, 0);
        all_are_done = all_are_done && created_ms < old_ms;
        keys->done_id = all_are_done ? keys->seen_id : keys->done_id;
        /* A date ahead of the clock is no sign of youth. */
        young += created_ms >= old_ms && created_ms <= now_ms;
        if (created_ms < old_ms && chat_rows_int64(rows, 2) && strcmp(owner, site) == 0) {
            left->keys[left->key_count++] = keys->seen_id;
        }
    }
    if (rv == APR_SUCCESS) {
        *is_over = left->key_count < CHAT_LEFTOVERS_MAX && (count < KEYS_STEP || young == count);
    }
    return rv;
}

/* The end of the next stretch of rooms, and how many these are. */
static apr_status_t find_stretch(chat_database_t *db, apr_int64_t above, apr_int64_t *up_to,
                                 apr_int64_t *count, apr_pool_t *pool)
{
    apr_int64_t wanted = ROOMS_STEP;
    const void *params[] = {&above, &wanted};
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, CHAT_SQL_ROOMS_END, params, &rows, pool);

    if (rv == APR_SUCCESS && chat_rows_next(rows)) {
        *up_to = chat_rows_int64(rows, 0);
        *count = chat_rows_int64(rows, 1);
    }
    return rv;
}

apr_status_t chat_leftovers_find_rooms(chat_leftovers_t *left, chat_database_t *db,
                                       const char *site, apr_int64_t now_ms, apr_int64_t *room_id,
                                       int *is_over, apr_pool_t *pool)
{
    apr_int64_t old_ms = now_ms - CHAT_LEFTOVERS_ROOM_KEPT_MS;
    apr_int64_t up_to = 0;
    apr_int64_t count = 0;
    const void *params[] = {room_id, &up_to, site, &old_ms, &now_ms};
    chat_rows_t *rows;
    apr_status_t rv = find_stretch(db, *room_id, &up_to, &count, pool);

    if (rv == APR_SUCCESS && count > 0) {
        rv = chat_database_read(db, CHAT_SQL_ROOMS_EMPTY, params, &rows, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    while (count > 0 && left->room_count < CHAT_LEFTOVERS_MAX && chat_rows_next(rows)) {
        apr_int64_t last = chat_rows_int64(rows, 2);

        left->rooms[left->room_count] = chat_rows_int64(rows, 0);
        left->names[left->room_count++] = chat_rows_text(rows, 1);
        left->floor = last > left->floor ? last : left->floor;
    }
    if (left->room_count == CHAT_LEFTOVERS_MAX) {
        *room_id = left->rooms[left->room_count - 1];
        *is_over = 0;
    }
    else {
        *room_id = up_to;
        *is_over = count < ROOMS_STEP;
    }
    return rv;
}

static apr_status_t run(chat_database_t *db, chat_sql_statement_e statement, const void **params,
                        apr_pool_t *pool)
{
    chat_rows_t *rows;

    return chat_database_select(db, statement, params, &rows, pool);
}

apr_status_t chat_leftovers_delete(const chat_leftovers_t *left, chat_database_t *db,
                                   const char *site, apr_pool_t *pool)
{
    const void *floor[] = {site, &left->floor};
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < left->key_count; i++) {
        const void *key[] = {&left->keys[i]};

        rv = run(db, CHAT_SQL_DELETE_KEY, key, pool);
    }
    for (i = 0; rv == APR_SUCCESS && i < left->room_count; i++) {
        const void *room[] = {&left->rooms[i]};

        rv = run(db, CHAT_SQL_DELETE_ROOM, room, pool);
    }
    return rv == APR_SUCCESS && left->room_count > 0 ? run(db, CHAT_SQL_RAISE_FLOOR, floor, pool)
                                                     : rv;
}
