#include "room_view.h"

#include <apr_thread_mutex.h>

#include "chat_tags.h"
#include "gc_assert.h"
#include "gc_pool.h"

struct room_view_t {
    const ipc_site_t *site;
    ipc_client_t *keeper;
    ipc_shared_t *shared;
    chat_cache_t *cache;
    apr_size_t list_bytes;
    chat_tags_t *tags;
    apr_thread_mutex_t *mutex; /* guards db and own */
    chat_database_t *db;
    apr_pool_t *own;
    apr_thread_mutex_t
        *secret_mutex;         /* guards the next fields; not held while the database is read */
    const char *secret;        /* once it was read; of the reader's pool */
    apr_uint64_t secret_epoch; /* when it was read: a replaced database has another */
};

static apr_uint64_t epoch_now(const room_view_t *reader)
{
    return ipc_shared_version(reader->shared, reader->site->database_number, 0).epoch;
}

static int held_files(chat_database_files_t *held, void *baton)
{
    const room_view_t *reader = baton;

    return ipc_shared_files(reader->shared, reader->site->database_number, held);
}

apr_status_t room_view_create(room_view_t **out, const ipc_site_t *site, ipc_client_t *keeper,
                              ipc_shared_t *shared, chat_cache_t *cache, apr_size_t list_bytes,
                              apr_pool_t *pool)
{
    room_view_t *reader = apr_pcalloc(pool, sizeof(*reader));
    apr_status_t rv = gc_pool_create(&reader->own, pool, "grip_chat_reader");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    reader->site = site;
    reader->keeper = keeper;
    reader->shared = shared;
    reader->cache = cache;
    reader->list_bytes = list_bytes;
    reader->db = chat_database_create(&site->database, CHAT_DATABASE_READER, reader->own);
    chat_database_follow(reader->db, held_files, reader);
    rv = apr_thread_mutex_create(&reader->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&reader->secret_mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = chat_tags_create(&reader->tags, pool);
    }
    if (rv == APR_SUCCESS) {
        *out = reader;
    }
    return rv;
}

/* A read: its question, and the place for its answer. */
typedef struct reading_t {
    const char *room; /* NULL for the secret */
    int is_forward;   /* messages after the position, not those before it */
    apr_int64_t position;
    chat_bounds_t most;
    chat_page_t *page;
    const char **secret;
} reading_t;

/* Look up the secret, or keep one that was read: *secret is the one known at this epoch, or
 * NULL. */
static apr_status_t known_secret(room_view_t *reader, apr_uint64_t epoch, const char *fresh,
                                 const char **secret)
{
    apr_status_t rv = apr_thread_mutex_lock(reader->secret_mutex);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (fresh) {
        reader->secret = fresh;
        reader->secret_epoch = epoch;
    }
    *secret = reader->secret && reader->secret_epoch == epoch ? reader->secret : NULL;
    return apr_thread_mutex_unlock(reader->secret_mutex);
}

/* Read the secret, with the connection locked. */
static apr_status_t read_secret(room_view_t *reader, const char **secret, apr_pool_t *pool)
{
    apr_uint64_t epoch = epoch_now(reader);
    const char *fresh;
    apr_status_t rv =
        chat_store_meta_get(reader->db, reader->site->name, IPC_SITE_SECRET_NAME, &fresh, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* Only this thread changes it now, and a thread with an old one goes on with that. */
    if (!reader->secret || strcmp(reader->secret, fresh) != 0) {
        fresh = apr_pstrdup(reader->own, fresh);
    }
    else {
        fresh = reader->secret;
    }
    return known_secret(reader, epoch, fresh, secret);
}

static apr_status_t read_once(room_view_t *reader, const reading_t *reading, apr_pool_t *pool)
{
    apr_status_t rv = apr_thread_mutex_lock(reader->mutex);
    apr_status_t unlocked;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!reading->room) {
        GC_ASSERT(reading->secret);
        rv = read_secret(reader, reading->secret, pool);
    }
    else if (reading->is_forward) {
        rv = chat_store_read_after(reader->db, reader->site->name, reading->room, reading->position,
                                   reading->most, reading->page, pool);
    }
    else {
        rv = chat_store_read_before(reader->db, reader->site->name, reading->room,
                                    reading->position, reading->most, reading->page, pool);
    }
    unlocked = apr_thread_mutex_unlock(reader->mutex);
    return rv == APR_SUCCESS ? unlocked : rv;
}

/* Right after the start the keeper may still be making the tables: wait for it, and read again. */
static apr_status_t read_when_ready(room_view_t *reader, const reading_t *reading, apr_pool_t *pool)
{
    ipc_job_t ready = ipc_frame_job(IPC_JOB_READY, reader->site->identity);
    ipc_reply_t reply;
    apr_status_t rv = read_once(reader, reading, pool);

    if (rv == APR_SUCCESS) {
        return rv;
    }
    if (ipc_client_call(reader->keeper, &ready, &reply, IPC_CLIENT_TIMEOUT, pool) != APR_SUCCESS ||
        reply.status != IPC_DONE)
    {
        return rv;
    }
    return read_once(reader, reading, pool);
}

/* A room, as one request asks the cache for it. */
typedef struct asking_t {
    room_view_t *reader;
    const char *room;
    unsigned slot;
    apr_status_t (*read)(room_view_t *reader, const reading_t *reading, apr_pool_t *pool);
} asking_t;

static chat_version_t version_now(void *baton)
{
    const asking_t *asking = baton;
    ipc_version_t now = ipc_shared_version(asking->reader->shared,
                                           asking->reader->site->database_number, asking->slot);
    chat_version_t version = {now.epoch, now.generation};

    return version;
}

static apr_status_t read_newest(void *baton, chat_bounds_t most, chat_page_t *page,
                                apr_pool_t *pool)
{
    const asking_t *asking = baton;
    reading_t reading = {asking->room, 0, APR_INT64_MAX, most, page, NULL};

    return asking->read(asking->reader, &reading, pool);
}

static apr_status_t read_after(void *baton, apr_int64_t after, chat_bounds_t most,
                               chat_page_t *page, apr_pool_t *pool)
{
    const asking_t *asking = baton;
    reading_t reading = {asking->room, 1, after, most, page, NULL};

    return asking->read(asking->reader, &reading, pool);
}

static const chat_cache_source_t source = {version_now, read_newest, read_after};

static apr_status_t release(void *data)
{
    chat_snapshot_release(data);
    return APR_SUCCESS;
}

int room_view_keeps_rooms(const room_view_t *reader)
{
    return chat_cache_is_on(reader->cache);
}

apr_status_t room_view_room(room_view_t *reader, const char *room, unsigned slot, int history,
                            chat_snapshot_t **snapshot, apr_pool_t *pool)
{
    asking_t asking = {reader, room, slot, read_when_ready};
    chat_cache_room_t wanted = {reader->site, room, history, reader->list_bytes, &source, &asking};
    apr_status_t rv = chat_cache_get(reader->cache, &wanted, snapshot);

    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(pool, *snapshot, release, apr_pool_cleanup_null);
    }
    return rv;
}

void room_view_let_go(chat_snapshot_t *snapshot, apr_pool_t *pool)
{
    (void)apr_pool_cleanup_run(pool, snapshot, release); /* which never fails */
}

static apr_status_t release_block(void *data)
{
    chat_block_release(data);
    return APR_SUCCESS;
}

int room_view_knows_before(room_view_t *reader, const char *room, unsigned slot, apr_int64_t before,
                           chat_standing_t *standing)
{
    asking_t asking = {reader, room, slot, read_when_ready};

    return chat_tags_find(reader->tags, room, before, version_now(&asking), standing);
}

apr_status_t room_view_before(room_view_t *reader, const char *room, unsigned slot,
                              apr_int64_t before, int history, room_view_older_t *older,
                              apr_pool_t *pool)
{
    asking_t asking = {reader, room, slot, read_when_ready};
    chat_version_t version = version_now(&asking);
    chat_snapshot_spec_t spec = {gc_slice_of(room), history, reader->list_bytes,
                                 chat_cache_account(reader->cache)};
    chat_page_t page = {0, 0, 0, NULL, 0};
    reading_t reading = {room, 0, before, {history, reader->list_bytes}, &page, NULL};
    apr_pool_t *scratch;
    apr_status_t rv = gc_pool_create(&scratch, NULL, "room_view_before");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = read_when_ready(reader, &reading, scratch);
    if (rv == APR_SUCCESS) {
        /* A reader with only this list knows all events up to there. */
        if (before <= page.last_event_id) {
            page.last_event_id = before > page.base_event_id ? before - 1 : page.base_event_id;
        }
        rv = chat_list_make(&older->list, &older->standing, &spec, &page, scratch);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(pool, older->list, release_block, apr_pool_cleanup_null);
        if (older->list && room_view_keeps_rooms(reader)) {
            chat_tags_keep(reader->tags, room, before, version, &older->standing);
        }
    }
    apr_pool_destroy(scratch);
    return rv;
}

apr_status_t room_view_look(room_view_t *reader, const char *room, int history,
                            chat_snapshot_t **snapshot)
{
    asking_t asking = {reader, room, ipc_site_slot(reader->site, gc_slice_of(room)), read_once};
    chat_cache_room_t wanted = {reader->site, room, history, reader->list_bytes, &source, &asking};

    return chat_cache_get(reader->cache, &wanted, snapshot);
}

apr_status_t room_view_look_after(room_view_t *reader, const char *room, apr_int64_t after,
                                  int limit, chat_page_t *page, apr_pool_t *pool)
{
    reading_t reading = {room, 1, after, {limit, CHAT_PAGE_MAX_BYTES}, page, NULL};

    return read_once(reader, &reading, pool);
}

apr_status_t room_view_after(room_view_t *reader, const char *room, apr_int64_t after, int limit,
                             chat_page_t *page, apr_pool_t *pool)
{
    reading_t reading = {room, 1, after, {limit, CHAT_PAGE_MAX_BYTES}, page, NULL};

    return read_when_ready(reader, &reading, pool);
}

apr_status_t room_view_secret(room_view_t *reader, const char **secret, apr_pool_t *pool)
{
    reading_t reading = {NULL, 0, 0, {0, 0}, NULL, secret};
    const char *known = NULL;
    apr_status_t rv = known_secret(reader, epoch_now(reader), NULL, &known);

    if (rv != APR_SUCCESS || known) {
        *secret = known;
        return rv;
    }
    return read_when_ready(reader, &reading, pool);
}
