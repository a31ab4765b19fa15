#include "chat_retention.h"

/* Rooms whose messages are counted in one step, and how many of them CHAT_SQL_ROOMS_OVER names. */
#define ROOMS_STEP     5000
#define ROOMS_OVER_MAX 200

/* The parts of a sweep, in their order. */
enum { BY_COUNT, BY_AGE, KEYS, DONE };

/* A room whose front is to be deleted. */
typedef struct cut_t {
    apr_int64_t room_id;
    const char *room;
    apr_int64_t first_kept; /* the position from which it is kept */
} cut_t;

/* What a step has found to do. A message is deleted by at most one cut, so neither list can grow beyond
 * the messages, or keys, of a step. */
typedef struct step_t {
    cut_t cuts[CHAT_RETENTION_STEP];
    int cut_count;
    apr_int64_t keys[CHAT_RETENTION_STEP];
    int key_count;
} step_t;

static apr_status_t read_number(chat_database_t *db, chat_sql_statement_e statement,
                                apr_int64_t *number, apr_pool_t *pool)
{
    const void *params[] = {NULL};
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, statement, params, &rows, pool);

    if (rv == APR_SUCCESS) {
        *number = chat_rows_next(rows) ? chat_rows_int64(rows, 0) : 0;
    }
    return rv;
}

/* Draw a cut back to before the first message that is too young. A date ahead of the clock is no sign of
 * youth. */
static apr_status_t spare_the_young(chat_database_t *db, cut_t *cut, apr_int64_t now_ms,
                                    apr_pool_t *pool)
{
    apr_int64_t young_ms = now_ms - CHAT_RETENTION_MIN_AGE_MS;
    const void *params[] = {&cut->room_id, &cut->first_kept, &young_ms, &now_ms};
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, CHAT_SQL_FIRST_YOUNG, params, &rows, pool);

    if (rv == APR_SUCCESS && chat_rows_next(rows) && chat_rows_text(rows, 0)) {
        cut->first_kept = chat_rows_int64(rows, 0);
    }
    return rv;
}

/* Cut the rooms that have too many, until the step is full. */
static apr_status_t find_by_count(chat_database_t *db, const char *site,
                                  const chat_retention_t *retention, chat_sweep_t *sweep,
                                  apr_int64_t now_ms, step_t *step, apr_pool_t *pool)
{
    apr_int64_t up_to = sweep->room_id + ROOMS_STEP;
    const void *params[] = {&sweep->room_id, &up_to, site, &retention->max_count};
    apr_int64_t left = CHAT_RETENTION_STEP;
    apr_int64_t last_id = 0;
    int count = 0;
    chat_rows_t *rows;
    apr_status_t rv = read_number(db, CHAT_SQL_MAX_ROOM_ID, &last_id, pool);

    if (rv == APR_SUCCESS) {
        rv = chat_database_read(db, CHAT_SQL_ROOMS_OVER, params, &rows, pool);
    }
    while (rv == APR_SUCCESS && left > 0 && chat_rows_next(rows)) {
        cut_t *cut = &step->cuts[step->cut_count];
        apr_int64_t first = chat_rows_int64(rows, 2);
        apr_int64_t excess = chat_rows_int64(rows, 3) - first + 1 - retention->max_count;

        cut->room_id = chat_rows_int64(rows, 0);
        cut->room = chat_rows_text(rows, 1);
        cut->first_kept = first + (excess < left ? excess : left);
        /* Not done with the room where the step alone is what ends it. */
        sweep->room_id = excess <= left ? cut->room_id : cut->room_id - 1;
        rv = spare_the_young(db, cut, now_ms, pool);
        if (cut->first_kept < first + left) {
            sweep->room_id = cut->room_id;
        }
        if (cut->first_kept > first) {
            step->cut_count++;
            left -= cut->first_kept - first;
        }
        count++;
    }
    if (rv == APR_SUCCESS && left > 0 && count < ROOMS_OVER_MAX) {
        sweep->room_id = up_to;
        if (up_to >= last_id) {
            sweep->room_id = 0;
            sweep->phase = BY_AGE;
        }
    }
    return rv;
}

/* The message at this position is to go, with all before it. */
static void cut_behind(step_t *step, apr_int64_t room_id, const char *room, apr_int64_t event_id)
{
    cut_t *cut = step->cuts;

    while (cut < step->cuts + step->cut_count && cut->room_id != room_id) {
        cut++;
    }
    if (cut == step->cuts + step->cut_count) {
        step->cut_count++;
        cut->room_id = room_id;
        cut->room = room;
    }
    cut->first_kept = event_id + 1;
}

/* Cut what is too old. Messages have their ids in the order in which they came, in every room. */
static apr_status_t find_by_age(chat_database_t *db, const char *site,
                                const chat_retention_t *retention, chat_sweep_t *sweep,
                                apr_int64_t now_ms, step_t *step, apr_pool_t *pool)
{
    const void *params[] = {&sweep->seen_id};
    apr_int64_t max_age_ms = retention->max_age_ms > CHAT_RETENTION_MIN_AGE_MS
                                 ? retention->max_age_ms
                                 : CHAT_RETENTION_MIN_AGE_MS;
    int count = 0;
    int is_young = 0;
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, CHAT_SQL_MESSAGES_FROM, params, &rows, pool);

    while (rv == APR_SUCCESS && !is_young && chat_rows_next(rows)) {
        apr_int64_t created_ms = chat_rows_int64(rows, 3);
        int is_ours = strcmp(chat_rows_text(rows, 4), site) == 0;
        int is_old = is_ours && created_ms < now_ms - max_age_ms;

        count++;
        is_young = is_ours && !is_old && created_ms <= now_ms;
        if (is_old) {
            cut_behind(step, chat_rows_int64(rows, 1), chat_rows_text(rows, 5),
                       chat_rows_int64(rows, 2));
        }
        sweep->has_kept |= is_ours && !is_old;
        if (!is_young) {
            sweep->seen_id = chat_rows_int64(rows, 0);
        }
        if (!sweep->has_kept) {
            sweep->gone_id = sweep->seen_id;
        }
    }
    if (rv == APR_SUCCESS && (is_young || count < CHAT_RETENTION_STEP)) {
        sweep->seen_id = sweep->gone_id;
        sweep->has_kept = 0;
        sweep->phase = KEYS;
    }
    return rv;
}

/* Find the keys that outlived their messages and are a day old. A message that is deleted later takes
 * its key along, for then that is a day old too. */
static apr_status_t find_keys(chat_database_t *db, const char *site, chat_sweep_t *sweep,
                              apr_int64_t now_ms, step_t *step, apr_pool_t *pool)
{
    const void *params[] = {&sweep->key_id};
    int count = 0;
    int is_young = 0;
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, CHAT_SQL_KEYS_FROM, params, &rows, pool);

    while (rv == APR_SUCCESS && chat_rows_next(rows)) {
        apr_int64_t created_ms = chat_rows_int64(rows, 1);
        int is_ours = strcmp(chat_rows_text(rows, 3), site) == 0;

        count++;
        if (is_ours && created_ms >= now_ms - CHAT_KEY_KEPT_MS) {
            is_young = 1;
            break;
        }
        sweep->key_id = chat_rows_int64(rows, 0);
        if (is_ours && chat_rows_int64(rows, 2)) {
            step->keys[step->key_count++] = sweep->key_id;
        }
    }
    if (rv == APR_SUCCESS && (is_young || count < CHAT_RETENTION_STEP)) {
        sweep->phase = DONE;
    }
    return rv;
}

static apr_status_t run(chat_database_t *db, chat_sql_statement_e statement, const void **params,
                        apr_pool_t *pool)
{
    chat_rows_t *rows;

    return chat_database_select(db, statement, params, &rows, pool);
}

static apr_status_t cut_room(chat_database_t *db, const cut_t *cut, apr_int64_t now_ms,
                             apr_pool_t *pool)
{
    apr_int64_t key_age = now_ms - CHAT_KEY_KEPT_MS;
    const void *kept[] = {&cut->first_kept, &cut->room_id};
    const void *keys[] = {&cut->room_id, &cut->first_kept, &key_age};
    apr_status_t rv = run(db, CHAT_SQL_KEEP_FROM, kept, pool);

    if (rv == APR_SUCCESS) {
        rv = run(db, CHAT_SQL_DELETE_KEYS, keys, pool);
    }
    return rv == APR_SUCCESS ? run(db, CHAT_SQL_DELETE_MESSAGES, keys, pool) : rv;
}

/* Do all that was found, or nothing. */
static apr_status_t delete_found(chat_database_t *db, const step_t *step, apr_int64_t now_ms,
                                 apr_pool_t *pool)
{
    apr_status_t rv = chat_database_begin(db, pool);
    int i;

    if (rv == APR_EAGAIN || rv == APR_ENOENT) {
        return rv;
    }
    for (i = 0; rv == APR_SUCCESS && i < step->cut_count; i++) {
        rv = cut_room(db, &step->cuts[i], now_ms, pool);
    }
    for (i = 0; rv == APR_SUCCESS && i < step->key_count; i++) {
        const void *params[] = {&step->keys[i]};

        rv = run(db, CHAT_SQL_DELETE_KEY, params, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = chat_database_run(db, "COMMIT");
    }
    if (rv != APR_SUCCESS) {
        chat_database_close(db);
    }
    return rv;
}

apr_status_t chat_retention_step(chat_database_t *db, const char *site,
                                 const chat_retention_t *retention, chat_sweep_t *sweep,
                                 int *is_done, apr_int64_t now_ms, chat_store_room_fn *fn,
                                 void *baton, apr_pool_t *scratch_pool)
{
    step_t *step = apr_pcalloc(scratch_pool, sizeof(*step));
    chat_sweep_t next = *sweep;
    apr_status_t rv = APR_SUCCESS;
    int i;

    if (next.phase == BY_COUNT) {
        if (retention->max_count) {
            rv = find_by_count(db, site, retention, &next, now_ms, step, scratch_pool);
        }
        else {
            next.phase = BY_AGE;
        }
    }
    else if (next.phase == BY_AGE) {
        if (retention->max_age_ms) {
            rv = find_by_age(db, site, retention, &next, now_ms, step, scratch_pool);
        }
        else {
            next.phase = KEYS;
        }
    }
    else {
        rv = find_keys(db, site, &next, now_ms, step, scratch_pool);
    }
    if (rv == APR_SUCCESS && step->cut_count + step->key_count > 0) {
        rv = delete_found(db, step, now_ms, scratch_pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *is_done = next.phase == DONE;
    if (*is_done) {
        next.phase = BY_COUNT;
    }
    *sweep = next;
    for (i = 0; i < step->cut_count; i++) {
        fn(step->cuts[i].room, baton);
    }
    return rv;
}
