#include "chat_retention.h"

/* Rooms in one step: if a look at their rows may tell that there is nothing to do, and if their
 * first messages are looked at too. Then the number of rooms that a statement names. */
#define ROOMS_STEP  5000
#define FRONTS_STEP 500
#define ROOMS_MAX   200

/* Messages that a statement reads. Few, because their texts may be large. */
#define CHUNK 20

/* Bytes of text of the messages that one step deletes, and about as many as it reads. */
#define STEP_BYTES (1024 * 1024)

/* How often a sweep also looks where the dates alone would not lead it. */
#define FULL_PERIOD_MS (APR_INT64_C(60) * 60 * 1000)

/* The parts of a sweep, in their order. */
enum { BEGIN, BY_COUNT, BY_AGE, BY_ROOM, KEYS, EMPTY, DONE };

/* A room whose front is to be deleted. */
typedef struct cut_t {
    apr_int64_t room_id;
    const char *room;
    apr_int64_t first_kept; /* the position from which it is kept */
} cut_t;

typedef struct message_t {
    apr_int64_t id;
    apr_int64_t room_id;
    apr_int64_t event_id;
    apr_int64_t created_ms;
    apr_int64_t bytes;
    int is_ours;
    const char *room;
    apr_int64_t first_kept; /* in its room */
} message_t;

/* A step: its limits, and the work that it has found. No list can grow beyond the messages or
 * rooms of a step. */
typedef struct step_t {
    const char *site;
    apr_int64_t young_ms; /* messages dated from here up to now are too young */
    apr_int64_t now_ms;
    cut_t cuts[CHAT_RETENTION_STEP + 1]; /* one more, which is looked at and then not counted */
    int cut_count;
    chat_leftovers_t left;
    int count;              /* messages that it has taken */
    apr_int64_t bytes;      /* of their texts */
    apr_int64_t bytes_read; /* of all texts that were looked at */
    int is_full;            /* there was one more, which was not taken */
} step_t;

/* A date ahead of the clock is no sign of youth. */
static int is_young(const step_t *step, apr_int64_t created_ms)
{
    return created_ms >= step->young_ms && created_ms <= step->now_ms;
}

/* Take one message more, if the step is not full. */
static int take(step_t *step, apr_int64_t bytes)
{
    step->is_full =
        step->count == CHAT_RETENTION_STEP || (step->count > 0 && step->bytes + bytes > STEP_BYTES);
    if (step->is_full) {
        return 0;
    }
    step->count++;
    step->bytes += bytes;
    return 1;
}

/* Draw a cut forward, up to a position, until a message is too young or the step is full. A
 * message that is dated ahead of the clock goes along if the message at that position, or another
 * one before that, shows its age. */
static apr_status_t draw_cut(chat_database_t *db, step_t *step, cut_t *cut, apr_int64_t up_to,
                             int is_shown, apr_pool_t *pool)
{
    apr_int64_t from = cut->first_kept;
    const void *params[] = {&cut->room_id, &from, &up_to};
    apr_status_t rv = APR_SUCCESS;
    int must_end = 0;
    int count = CHUNK;

    while (rv == APR_SUCCESS && !must_end && count == CHUNK) {
        chat_rows_t *rows;

        rv = chat_database_read(db, CHAT_SQL_FRONT, params, &rows, pool);
        for (count = 0; rv == APR_SUCCESS && chat_rows_next(rows); count++) {
            apr_int64_t created_ms = chat_rows_int64(rows, 1);
            apr_int64_t bytes = chat_rows_int64(rows, 2);

            step->bytes_read += bytes;
            must_end = must_end || is_young(step, created_ms) || !take(step, bytes);
            if (!must_end) {
                from = chat_rows_int64(rows, 0) + 1;
                cut->first_kept = is_shown || created_ms <= step->now_ms ? from : cut->first_kept;
            }
        }
    }
    if (rv == APR_SUCCESS && !must_end && is_shown) {
        cut->first_kept = up_to; /* also if messages before it were deleted by hand */
    }
    return rv;
}

/* Cut the rooms that a statement names, until the step is full: those that have too many, or by age
 * where max_count is 0. */
static apr_status_t cut_rooms(chat_database_t *db, chat_sql_statement_e statement,
                              const void **params, apr_int64_t max_count, chat_sweep_t *sweep,
                              step_t *step, int *is_through, apr_pool_t *pool)
{
    struct {
        cut_t cut;
        apr_int64_t up_to;
    } rooms[ROOMS_MAX];
    int count = 0;
    int i;
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, statement, params, &rows, pool);

    for (; rv == APR_SUCCESS && count < ROOMS_MAX && chat_rows_next(rows); count++) {
        rooms[count].cut.room_id = chat_rows_int64(rows, 0);
        rooms[count].cut.room = chat_rows_text(rows, 1);
        rooms[count].cut.first_kept = chat_rows_int64(rows, 2);
        rooms[count].up_to = chat_rows_int64(rows, 3) + 1 - max_count;
    }
    for (i = 0;
         rv == APR_SUCCESS && i < count && !step->is_full && step->bytes_read < 2 * STEP_BYTES; i++)
    {
        cut_t *cut = &step->cuts[step->cut_count];

        *cut = rooms[i].cut;
        rv = draw_cut(db, step, cut, rooms[i].up_to, max_count > 0, pool);
        step->cut_count += cut->first_kept > rooms[i].cut.first_kept;
        /* Not done with the room where the step alone is what ends it. */
        sweep->room_id = step->is_full && step->cut_count > 0 ? cut->room_id - 1 : cut->room_id;
    }
    *is_through = i == count && count < ROOMS_MAX && !step->is_full;
    return rv;
}

/* Find rooms that have too many messages, or whose first one is too old, in a stretch of rooms. */
static apr_status_t find_in_rooms(chat_database_t *db, const chat_retention_t *retention,
                                  chat_sweep_t *sweep, step_t *step, apr_pool_t *pool)
{
    int is_by_count = sweep->phase == BY_COUNT;
    apr_int64_t wanted = is_by_count ? ROOMS_STEP : FRONTS_STEP;
    apr_int64_t up_to = 0;
    const void *stretch[] = {&sweep->room_id, &wanted};
    const void *over[] = {&sweep->room_id, &up_to, step->site, &retention->max_count};
    const void *old[] = {&sweep->room_id, &up_to, step->site, &step->young_ms, &step->now_ms};
    int is_through = 0;
    apr_status_t rv = chat_store_read_number(db, CHAT_SQL_ROOMS_END, stretch, &up_to, pool);

    if (rv == APR_SUCCESS && !up_to) {
        sweep->room_id = 0;
        sweep->phase++;
    }
    else if (rv == APR_SUCCESS) {
        rv = cut_rooms(db, is_by_count ? CHAT_SQL_ROOMS_OVER : CHAT_SQL_ROOMS_OLD,
                       is_by_count ? over : old, is_by_count ? retention->max_count : 0, sweep,
                       step, &is_through, pool);
    }
    if (rv == APR_SUCCESS && is_through) {
        sweep->room_id = up_to;
    }
    return rv;
}

/* Read the messages that follow an id, of all sites. */
static apr_status_t read_messages(chat_database_t *db, apr_int64_t above, message_t *messages,
                                  int *count, step_t *step, apr_pool_t *pool)
{
    const void *params[] = {&above};
    chat_rows_t *rows;
    apr_status_t rv = chat_database_read(db, CHAT_SQL_MESSAGES_FROM, params, &rows, pool);

    for (*count = 0; rv == APR_SUCCESS && *count < CHUNK && chat_rows_next(rows); ++*count) {
        message_t *message = &messages[*count];

        message->id = chat_rows_int64(rows, 0);
        message->room_id = chat_rows_int64(rows, 1);
        message->event_id = chat_rows_int64(rows, 2);
        message->created_ms = chat_rows_int64(rows, 3);
        message->bytes = chat_rows_int64(rows, 4);
        message->is_ours = strcmp(chat_rows_text(rows, 5), step->site) == 0;
        message->room = chat_rows_text(rows, 6);
        message->first_kept = chat_rows_int64(rows, 7);
        step->bytes_read += message->bytes;
    }
    return rv;
}

/* An old message is to go, with all before it in its room. */
static apr_status_t cut_behind(chat_database_t *db, step_t *step, const message_t *message,
                               apr_pool_t *pool)
{
    cut_t *cut = step->cuts;
    apr_int64_t before;
    apr_status_t rv = APR_SUCCESS;

    while (cut < step->cuts + step->cut_count && cut->room_id != message->room_id) {
        cut++;
    }
    if (cut == step->cuts + step->cut_count) {
        cut->room_id = message->room_id;
        cut->room = message->room;
        cut->first_kept = message->first_kept;
    }
    before = cut->first_kept;
    if (message->event_id == before) {
        cut->first_kept += take(step, message->bytes);
    }
    else if (message->event_id > before) {
        rv = draw_cut(db, step, cut, message->event_id + 1, 1, pool);
    }
    if (cut == step->cuts + step->cut_count && cut->first_kept > before) {
        step->cut_count++;
    }
    return rv;
}

/* Cut messages that are too old, from the front of all messages: they have their ids in the order
 * in which they came. */
static apr_status_t find_by_age(chat_database_t *db, chat_sweep_t *sweep, step_t *step,
                                apr_pool_t *pool)
{
    message_t messages[CHUNK];
    int looked = 0;
    int is_over = 0;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && !is_over && !step->is_full && looked < CHAT_RETENTION_STEP &&
           step->bytes_read < 2 * STEP_BYTES)
    {
        int count;
        int i;

        rv = read_messages(db, sweep->seen_id, messages, &count, step, pool);
        for (i = 0; rv == APR_SUCCESS && i < count && !is_over && !step->is_full; i++) {
            is_over = messages[i].is_ours && is_young(step, messages[i].created_ms);
            if (messages[i].is_ours && messages[i].created_ms < step->young_ms) {
                rv = cut_behind(db, step, &messages[i], pool);
            }
            if (!is_over && !step->is_full) {
                sweep->seen_id = messages[i].id;
            }
        }
        looked += count;
        is_over = is_over || (count < CHUNK && !step->is_full);
    }
    if (rv == APR_SUCCESS && is_over) {
        sweep->phase++;
    }
    return rv;
}

/* Find the leftovers of deleted messages. */
static apr_status_t find_leftovers(chat_database_t *db, chat_sweep_t *sweep, step_t *step,
                                   apr_pool_t *pool)
{
    int is_over = 0;
    apr_status_t rv = sweep->phase == KEYS
                          ? chat_leftovers_find_keys(&step->left, db, step->site, step->now_ms,
                                                     &sweep->keys, &is_over, pool)
                          : chat_leftovers_find_rooms(&step->left, db, step->site, step->now_ms,
                                                      &sweep->room_id, &is_over, pool);

    if (rv == APR_SUCCESS && is_over) {
        sweep->room_id = 0;
        sweep->phase++;
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
    if (rv == APR_SUCCESS) {
        rv = chat_leftovers_delete(&step->left, db, step->site, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = chat_database_run(db, "COMMIT");
    }
    if (rv != APR_SUCCESS) {
        chat_database_abandon(db, rv);
    }
    if (rv == APR_ENOSPC) {
        (void)chat_database_make_space(db, pool); /* for the next step */
    }
    return rv;
}

/* The part of a sweep that is next, without parts that the site does not want or that are not
 * due. */
static void begin_part(chat_sweep_t *sweep, const chat_retention_t *retention, apr_int64_t now_ms)
{
    if (sweep->phase == BEGIN) {
        /* A clock that was set, in whichever direction, is a reason too. */
        int was_set_back = now_ms < sweep->full_due_ms - FULL_PERIOD_MS;

        sweep->is_full = now_ms >= sweep->full_due_ms || was_set_back;
        sweep->keys.seen_id = was_set_back ? 0 : sweep->keys.done_id; /* some were old by mistake */
        sweep->keys.done_id = sweep->keys.seen_id;
        sweep->full_due_ms = sweep->is_full ? now_ms + FULL_PERIOD_MS : sweep->full_due_ms;
        sweep->phase = BY_COUNT;
    }
    if (sweep->phase == BY_COUNT && !retention->max_count) {
        sweep->phase = BY_AGE;
    }
    if (sweep->phase == BY_AGE && !retention->max_age_ms) {
        sweep->phase = KEYS;
    }
    if (sweep->phase >= BY_ROOM && !sweep->is_full) {
        sweep->phase = DONE;
    }
}

/* The oldest date that is too young for the part of a sweep that is next. */
static apr_int64_t young_from(const chat_sweep_t *sweep, const chat_retention_t *retention,
                              apr_int64_t now_ms)
{
    apr_int64_t max_age_ms = retention->max_age_ms;

    if (sweep->phase == BY_COUNT) {
        return now_ms - CHAT_RETENTION_MIN_AGE_MS + 1;
    }
    return now_ms -
           (max_age_ms > CHAT_RETENTION_MIN_AGE_MS ? max_age_ms : CHAT_RETENTION_MIN_AGE_MS);
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

    begin_part(&next, retention, now_ms);
    step->site = site;
    step->now_ms = now_ms;
    step->young_ms = young_from(&next, retention, now_ms);
    if (next.phase == BY_COUNT || next.phase == BY_ROOM) {
        rv = find_in_rooms(db, retention, &next, step, scratch_pool);
    }
    else if (next.phase == BY_AGE) {
        rv = find_by_age(db, &next, step, scratch_pool);
    }
    else if (next.phase == KEYS || next.phase == EMPTY) {
        rv = find_leftovers(db, &next, step, scratch_pool);
    }
    if (rv == APR_SUCCESS && step->cut_count + step->left.key_count + step->left.room_count > 0) {
        rv = delete_found(db, step, now_ms, scratch_pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    begin_part(&next, retention, now_ms);
    *is_done = next.phase == DONE;
    if (*is_done) {
        next.phase = BEGIN;
    }
    *sweep = next;
    for (i = 0; i < step->cut_count; i++) {
        fn(step->cuts[i].room, baton);
    }
    for (i = 0; i < step->left.room_count; i++) {
        fn(step->left.names[i], baton);
    }
    return rv;
}
