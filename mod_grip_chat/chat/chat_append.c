#include "chat_store.h"

#include "gc_assert.h"
#include "gc_clock.h"

/* How long jobs are tried one by one once one of them has failed. */
#define EACH_PATIENCE apr_time_from_sec(1)

/* Rooms whose last position a transaction holds in memory, as most of its messages are of few. */
#define HELD_ROOMS 16

/* The first row of what a statement in a transaction answers; APR_NOTFOUND where there is none. */
static apr_status_t first_row(chat_database_t *db, chat_sql_statement_e statement,
                              const void **params, chat_rows_t **rows, apr_pool_t *pool)
{
    apr_status_t rv = chat_database_select(db, statement, params, rows, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return chat_rows_next(*rows) ? APR_SUCCESS : APR_NOTFOUND;
}

/* Take over where a message stands that was stored before. */
static void take_position(chat_append_t *job, chat_rows_t *rows)
{
    job->event.id = chat_rows_int64(rows, 0);
    job->event.position = chat_rows_int64(rows, 1);
    job->event.created_ms = chat_rows_int64(rows, 2);
}

/* Look for the job itself; APR_NOTFOUND where it was never stored. */
static apr_status_t find_job(chat_database_t *db, chat_append_t *job, apr_pool_t *pool)
{
    const void *params[] = {job->job_key};
    chat_rows_t *rows;
    apr_status_t rv = first_row(db, CHAT_SQL_FIND_JOB, params, &rows, pool);

    if (rv == APR_SUCCESS) {
        take_position(job, rows);
        job->outcome = CHAT_APPEND_REPEATED;
    }
    return rv;
}

/* Look for the idempotency key; APR_NOTFOUND where it is new in the room. */
static apr_status_t find_key(chat_database_t *db, chat_append_t *job, apr_pool_t *pool)
{
    const void *params[] = {job->site, job->room, job->event.key.data};
    chat_rows_t *rows;
    apr_status_t rv = first_row(db, CHAT_SQL_FIND_KEY, params, &rows, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (strcmp(chat_rows_text(rows, 3), job->digest) == 0) {
        take_position(job, rows);
        job->outcome = CHAT_APPEND_KNOWN;
    }
    else {
        job->outcome = CHAT_APPEND_CONFLICT;
    }
    return APR_SUCCESS;
}

/* A room of which a transaction has messages. */
typedef struct held_room_t {
    const char *site;
    const char *name;
    apr_int64_t id;
    apr_int64_t last_event_id; /* as it is to be stored */
    apr_int64_t base;
} held_room_t;

/* The rooms that a transaction has met last: their rows are written when it has no more for them. */
typedef struct held_rooms_t {
    held_room_t rooms[HELD_ROOMS];
    int count;
    int oldest; /* once there are HELD_ROOMS */
} held_rooms_t;

/* Write the row of a room. */
static apr_status_t let_go(chat_database_t *db, const held_room_t *room, apr_int64_t now_ms,
                           apr_pool_t *pool)
{
    const void *params[] = {&room->last_event_id, &now_ms, &room->id};
    chat_rows_t *rows;

    return chat_database_select(db, CHAT_SQL_ROOM_LAST, params, &rows, pool);
}

static apr_status_t let_all_go(chat_database_t *db, const held_rooms_t *held, apr_int64_t now_ms,
                               apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < held->count; i++) {
        rv = let_go(db, &held->rooms[i], now_ms, pool);
    }
    return rv;
}

/* Hold one more, in the place of the oldest where there are many. */
static apr_status_t hold(chat_database_t *db, held_rooms_t *held, const held_room_t *room,
                         apr_int64_t now_ms, held_room_t **out, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;

    if (held->count < HELD_ROOMS) {
        *out = &held->rooms[held->count++];
    }
    else {
        *out = &held->rooms[held->oldest];
        held->oldest = (held->oldest + 1) % HELD_ROOMS;
        rv = let_go(db, *out, now_ms, pool);
    }
    **out = *room;
    return rv;
}

/* Find a room's row and its next position, or make the row. */
static apr_status_t find_room(chat_database_t *db, const chat_append_t *job, apr_int64_t now_ms,
                              held_room_t *room, apr_pool_t *pool)
{
    const void *find[] = {job->site, job->room};
    const void *make[] = {job->site, job->room, &now_ms, job->site};
    chat_rows_t *rows;
    apr_status_t rv = first_row(db, CHAT_SQL_ROOM_NEXT, find, &rows, pool);

    if (rv == APR_NOTFOUND) {
        rv = chat_database_select(db, CHAT_SQL_ROOM_MAKE, make, &rows, pool);
        if (rv == APR_SUCCESS) {
            rv = first_row(db, CHAT_SQL_ROOM_NEXT, find, &rows, pool);
        }
    }
    if (rv == APR_SUCCESS) {
        *room = (held_room_t){job->site, job->room, chat_rows_int64(rows, 0),
                              chat_rows_int64(rows, 1), chat_rows_int64(rows, 2)};
    }
    return rv;
}

/* The room of a job, with the job's position as its last. */
static apr_status_t advance_room(chat_database_t *db, held_rooms_t *held, const chat_append_t *job,
                                 apr_int64_t now_ms, held_room_t **out, apr_pool_t *pool)
{
    held_room_t found;
    apr_status_t rv;
    int i;

    for (i = 0; i < held->count; i++) {
        held_room_t *room = &held->rooms[i];

        if (strcmp(room->name, job->room) == 0 && strcmp(room->site, job->site) == 0) {
            room->last_event_id++;
            *out = room;
            return APR_SUCCESS;
        }
    }
    rv = find_room(db, job, now_ms, &found, pool);
    return rv == APR_SUCCESS ? hold(db, held, &found, now_ms, out, pool) : rv;
}

static apr_status_t insert_key(chat_database_t *db, const held_room_t *room,
                               const chat_append_t *job, apr_pool_t *pool)
{
    const chat_event_t *event = &job->event;
    const void *key[] = {&event->id,           &room->id,          event->key.data,
                         &room->last_event_id, &event->created_ms, job->digest};
    chat_rows_t *rows;

    return chat_database_select(db, CHAT_SQL_INSERT_KEY, key, &rows, pool);
}

static apr_status_t insert(chat_database_t *db, held_rooms_t *held, chat_append_t *job,
                           apr_int64_t now_ms, apr_pool_t *pool)
{
    chat_event_t *event = &job->event;
    held_room_t *room;
    chat_rows_t *rows;
    apr_status_t rv = advance_room(db, held, job, now_ms, &room, pool);

    if (rv == APR_SUCCESS) {
        const void *row[] = {&room->id,
                             &room->last_event_id,
                             event->author.data,
                             event->payload.data,
                             &event->created_ms,
                             job->job_key,
                             event->key.len ? event->key.data : NULL};

        event->position = room->last_event_id + room->base;
        event->created_ms = now_ms;
        rv = chat_database_select(db, CHAT_SQL_INSERT, row, &rows, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = first_row(db, CHAT_SQL_INSERTED, NULL, &rows, pool);
    }
    if (rv == APR_SUCCESS) {
        event->id = chat_rows_int64(rows, 0);
        job->outcome = CHAT_APPEND_NEW;
        rv = event->key.len ? insert_key(db, room, job, pool) : APR_SUCCESS;
    }
    return rv == APR_NOTFOUND ? APR_EGENERAL : rv;
}

static apr_status_t append_one(chat_database_t *db, held_rooms_t *held, chat_append_t *job,
                               apr_int64_t now_ms, apr_pool_t *pool)
{
    apr_status_t rv = APR_NOTFOUND;

    if (job->is_repeat) {
        rv = find_job(db, job, pool);
    }
    if (rv == APR_NOTFOUND && job->event.key.len) {
        rv = find_key(db, job, pool);
    }
    return rv == APR_NOTFOUND ? insert(db, held, job, now_ms, pool) : rv;
}

/* End a transaction in which all went well so far, or not. */
static apr_status_t commit(chat_database_t *db, apr_status_t rv, apr_pool_t *pool)
{
    if (rv == APR_SUCCESS) {
        rv = chat_database_run(db, "COMMIT");
    }
    if (rv == APR_SUCCESS) {
        rv = chat_database_check(db, pool); /* replaced in between: kept where no process looks */
        if (rv == APR_EAGAIN) {
            return rv; /* a deleted log is yet to be saved, which needs the connection */
        }
    }
    if (rv == APR_SUCCESS) {
        chat_database_keep_space(db, pool);
    }
    if (rv != APR_SUCCESS) {
        chat_database_abandon(db, rv);
    }
    return rv;
}

/* The job before this one that got a position in the same room; NULL where none did. */
static inline const chat_append_t *before_it(chat_append_t *const *jobs, int i)
{
    const chat_append_t *job = jobs[i];

    while (i-- > 0) {
        if (jobs[i]->outcome == CHAT_APPEND_NEW && strcmp(jobs[i]->room, job->room) == 0 &&
            strcmp(jobs[i]->site, job->site) == 0)
        {
            return jobs[i];
        }
    }
    return NULL;
}

/* Whether the positions of each room grow, as do all ids. */
static inline int do_positions_grow(chat_append_t *const *jobs, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        const chat_append_t *before = before_it(jobs, i);

        if (jobs[i]->outcome == CHAT_APPEND_NEW && before &&
            (jobs[i]->event.position <= before->event.position ||
             jobs[i]->event.id <= before->event.id))
        {
            return 0;
        }
    }
    return 1;
}

static apr_status_t append_all(chat_database_t *db, chat_append_t *const *jobs, int count,
                               apr_time_t now, apr_pool_t *pool)
{
    held_rooms_t held = {.count = 0};
    apr_status_t rv = chat_database_begin(db, pool);
    int i;

    if (rv == APR_EAGAIN || rv == APR_ENOENT) {
        return rv;
    }
    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        rv = append_one(db, &held, jobs[i], now / 1000, pool);
    }
    if (rv == APR_SUCCESS) {
        GC_ASSERT(do_positions_grow(jobs, count));
        rv = let_all_go(db, &held, now / 1000, pool);
    }
    return commit(db, rv, pool);
}

/* Whether jobs were repeats, before they were all taken for such. */
static int *take_for_repeats(chat_append_t *const *jobs, int count, apr_pool_t *pool)
{
    int *were_repeats = apr_palloc(pool, sizeof(*were_repeats) * (apr_size_t)count);
    int i;

    for (i = 0; i < count; i++) {
        were_repeats[i] = jobs[i]->is_repeat;
        jobs[i]->is_repeat = 1;
    }
    return were_repeats;
}

static void take_back(chat_append_t *const *jobs, int count, const int *were_repeats,
                      apr_time_t now)
{
    int i;

    for (i = 0; i < count; i++) {
        jobs[i]->is_repeat = were_repeats[i];
        if (!were_repeats[i] && jobs[i]->outcome == CHAT_APPEND_REPEATED &&
            jobs[i]->event.created_ms == now / 1000)
        {
            jobs[i]->outcome = CHAT_APPEND_NEW; /* by the COMMIT before, which is not known yet */
        }
    }
}

apr_status_t chat_store_append(chat_database_t *db, chat_append_t *const *jobs, int count,
                               apr_time_t now, apr_pool_t *scratch_pool)
{
    apr_status_t rv = append_all(db, jobs, count, now, scratch_pool);
    int *were_repeats;

    GC_ASSERT(count > 0);
    if (rv != APR_EGENERAL && !(rv == APR_ENOSPC && chat_database_make_space(db, scratch_pool))) {
        return rv;
    }
    /* Another connection's DDL or VACUUM kills prepared statements: a new connection heals that.
     * Whether a failed COMMIT took effect is not known, so each job is looked for. */
    were_repeats = take_for_repeats(jobs, count, scratch_pool);
    rv = append_all(db, jobs, count, now, scratch_pool);
    take_back(jobs, count, were_repeats, now);
    return rv;
}

/* Append one job so that it leaves nothing behind where it fails: then its outcome says so. */
static apr_status_t try_one(chat_database_t *db, chat_append_t *job, apr_int64_t now_ms,
                            apr_pool_t *pool)
{
    held_rooms_t held = {.count = 0};
    apr_status_t rv = chat_database_run(db, "SAVEPOINT one");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = append_one(db, &held, job, now_ms, pool);
    if (rv == APR_SUCCESS) {
        rv = let_all_go(db, &held, now_ms, pool);
    }
    if (rv == APR_EGENERAL) {
        job->outcome = CHAT_APPEND_FAILED;
        /* Fails in its turn where SQLite has rolled back the whole transaction, as on an error of
         * the disk. */
        rv = chat_database_run(db, "ROLLBACK TO one");
    }
    return rv == APR_SUCCESS ? chat_database_run(db, "RELEASE one") : rv;
}

/* Whether anything can be written where no job could: then it is the jobs. */
static apr_status_t try_writing(chat_database_t *db, apr_pool_t *pool)
{
    const void *params[] = {"", "try", ""};
    chat_rows_t *rows;

    return chat_database_select(db, CHAT_SQL_META_SET, params, &rows, pool);
}

static apr_status_t try_each(chat_database_t *db, chat_append_t *const *jobs, int count,
                             apr_time_t now, apr_pool_t *pool)
{
    gc_moment_t end = gc_clock_now() + EACH_PATIENCE;
    apr_status_t rv = chat_database_begin(db, pool);
    int failed = 0;
    int i;

    if (rv == APR_EAGAIN || rv == APR_ENOENT) {
        return rv;
    }
    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        rv = try_one(db, jobs[i], now / 1000, pool);
        failed += rv == APR_SUCCESS && jobs[i]->outcome == CHAT_APPEND_FAILED;
        if (failed > 0 && gc_clock_now() > end) {
            rv = APR_EGENERAL; /* a disk that fails slowly is not asked for each job */
        }
    }
    if (rv == APR_SUCCESS && failed == count) {
        rv = try_writing(db, pool);
        return rv == APR_SUCCESS ? chat_database_run(db, "ROLLBACK") : commit(db, rv, pool);
    }
    return commit(db, rv, pool);
}

apr_status_t chat_store_append_each(chat_database_t *db, chat_append_t *const *jobs, int count,
                                    apr_time_t now, apr_pool_t *scratch_pool)
{
    int *were_repeats = take_for_repeats(jobs, count, scratch_pool);
    apr_status_t rv = try_each(db, jobs, count, now, scratch_pool);

    take_back(jobs, count, were_repeats, now);
    return rv;
}
