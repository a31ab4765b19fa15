/* A site's rooms as the cache sees them, with faults, for its tests. */
#ifndef CACHE_FIXTURE_H
#define CACHE_FIXTURE_H

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

#include "chat_cache.h"
#include "snapshot_fixture.h"

#define HISTORY 10

/* A room as it is stored. All is guarded by the mutex but the version, which children load as they
 * load the keeper's. */
typedef struct stored_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *moved;
    chat_version_t version;
    apr_int64_t last;
    apr_int64_t first_kept;
    apr_int64_t acknowledged; /* up to where the version has moved; atomic */
    int bytes;                /* of a text */
    apr_status_t failure;
    int is_closed; /* reads wait until it is not */
    int reading;   /* how many wait */
    int newest_reads;
    int after_reads;
} stored_t;

static inline stored_t *store(apr_int64_t last, apr_pool_t *pool)
{
    stored_t *stored = apr_pcalloc(pool, sizeof(*stored));

    assert_int_equal(apr_thread_mutex_create(&stored->mutex, APR_THREAD_MUTEX_DEFAULT, pool), 0);
    assert_int_equal(apr_thread_cond_create(&stored->moved, pool), 0);
    stored->last = last;
    stored->first_kept = 1;
    stored->bytes = 1;
    return stored;
}

static inline chat_version_t stored_version(void *baton)
{
    stored_t *stored = baton;
    chat_version_t version;

    version.epoch = __atomic_load_n(&stored->version.epoch, __ATOMIC_SEQ_CST);
    version.generation = __atomic_load_n(&stored->version.generation, __ATOMIC_SEQ_CST);
    return version;
}

/* Wait at the door; what was stored by then is read. */
static inline apr_status_t enter(stored_t *stored)
{
    apr_thread_mutex_lock(stored->mutex);
    stored->reading++;
    apr_thread_cond_broadcast(stored->moved);
    while (stored->is_closed) {
        apr_thread_cond_wait(stored->moved, stored->mutex);
    }
    stored->reading--;
    return stored->failure;
}

static inline apr_status_t stored_newest(void *baton, chat_bounds_t most, chat_page_t *page,
                                         apr_pool_t *pool)
{
    stored_t *stored = baton;
    apr_status_t rv = enter(stored);

    stored->newest_reads++;
    if (rv == APR_SUCCESS) {
        *page = newest_of(stored->last, stored->first_kept, most.count, stored->bytes, pool);
    }
    apr_thread_mutex_unlock(stored->mutex);
    return rv;
}

static inline apr_status_t stored_after(void *baton, apr_int64_t after, chat_bounds_t most,
                                        chat_page_t *page, apr_pool_t *pool)
{
    stored_t *stored = baton;
    apr_status_t rv = enter(stored);

    stored->after_reads++;
    if (rv == APR_SUCCESS) {
        *page = after_of(after, most.count, stored->last, stored->first_kept, stored->bytes, pool);
    }
    apr_thread_mutex_unlock(stored->mutex);
    return rv;
}

static const chat_cache_source_t stored_source = {stored_version, stored_newest, stored_after};

/* Store more messages, as the keeper does: the version moves when they are stored. */
static inline void append(stored_t *stored, int count)
{
    apr_int64_t last;

    apr_thread_mutex_lock(stored->mutex);
    last = stored->last += count;
    apr_thread_mutex_unlock(stored->mutex);
    __atomic_add_fetch(&stored->version.generation, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&stored->acknowledged, last, __ATOMIC_SEQ_CST);
}

static inline void set_closed(stored_t *stored, int is_closed)
{
    apr_thread_mutex_lock(stored->mutex);
    stored->is_closed = is_closed;
    apr_thread_cond_broadcast(stored->moved);
    apr_thread_mutex_unlock(stored->mutex);
}

/* Wait until a thread waits at the door. */
static inline void wait_reading(stored_t *stored)
{
    apr_thread_mutex_lock(stored->mutex);
    while (stored->reading == 0) {
        apr_thread_cond_wait(stored->moved, stored->mutex);
    }
    apr_thread_mutex_unlock(stored->mutex);
}

/* Wait until threads have begun to wait for another's read so many times. */
static inline void wait_waits(chat_cache_t *cache, apr_uint64_t count)
{
    apr_time_t end = apr_time_now() + apr_time_from_sec(10);

    while (chat_cache_stats(cache).waits < count && apr_time_now() < end) {
        apr_sleep(apr_time_from_msec(1));
    }
    assert_int_equal(chat_cache_stats(cache).waits, count);
}

static inline apr_status_t get_from(chat_cache_t *cache, const void *site, const char *name,
                                    stored_t *stored, chat_snapshot_t **snapshot)
{
    chat_cache_room_t room = {site, name, HISTORY, CHAT_LIST_MAX_BYTES, &stored_source, stored};

    return chat_cache_get(cache, &room, snapshot);
}

/* A thread that gets a room once. */
typedef struct getter_t {
    chat_cache_t *cache;
    const char *name;
    stored_t *stored;
    apr_thread_t *thread;
    chat_snapshot_t *snapshot;
    apr_status_t status;
} getter_t;

static inline void *APR_THREAD_FUNC run_getter(apr_thread_t *thread, void *data)
{
    getter_t *getter = data;

    getter->status =
        get_from(getter->cache, "site", getter->name, getter->stored, &getter->snapshot);
    return NULL;
}

static inline getter_t *start_getter(chat_cache_t *cache, const char *name, stored_t *stored,
                                     apr_pool_t *pool)
{
    getter_t *getter = apr_pcalloc(pool, sizeof(*getter));

    getter->cache = cache;
    getter->name = name;
    getter->stored = stored;
    assert_int_equal(apr_thread_create(&getter->thread, NULL, run_getter, getter, pool), 0);
    return getter;
}

/* Join a getter; what it got, of which it lets go. */
static inline apr_int64_t join_getter(getter_t *getter, apr_status_t status)
{
    apr_status_t rv;
    apr_int64_t last = -1;

    assert_int_equal(apr_thread_join(&rv, getter->thread), APR_SUCCESS);
    assert_int_equal(getter->status, status);
    if (getter->status == APR_SUCCESS) {
        last = chat_snapshot_standing(getter->snapshot)->last_event_id;
        chat_snapshot_release(getter->snapshot);
    }
    return last;
}

#endif
