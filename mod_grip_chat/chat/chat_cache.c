#include "chat_cache.h"

#include <stdlib.h>

#include <apr_allocator.h>
#include <apr_general.h>

#include "gc_lock.h"
#include "gc_pool.h"

/* How many rooms share a chain when the cache is full, about: a small room takes this many bytes. */
#define BYTES_PER_CHAIN 4096
#define CHAINS_MIN      64
#define CHAINS_MAX      65536

/* The part of a load's memory that is kept for the next one. */
#define SCRATCH_BYTES (1024 * 1024)

/* A room that is kept. */
typedef struct entry_t {
    struct entry_t *chain; /* the next with a hash like this, or the next that goes */
    struct entry_t *newer; /* used later */
    struct entry_t *older;
    apr_uint64_t hash;
    const void *site;
    chat_snapshot_t *snapshot;
    chat_version_t version; /* from before it was read */
    apr_size_t bytes;
    char name[];
} entry_t;

/* A room that is being read by one thread while others may wait for it. */
typedef struct load_t {
    struct load_t *next;
    apr_uint64_t hash;
    const chat_cache_room_t *room; /* the reading thread's */
    chat_version_t version;
    apr_uint64_t number;
    int waiting;
    int is_done;
    apr_status_t status;
    chat_snapshot_t *snapshot; /* held for the threads that wait */
    apr_thread_cond_t *done;
} load_t;

struct chat_cache_t {
    apr_size_t limit;
    apr_uint64_t seed;
    apr_size_t chain_mask;
    chat_account_t *account;
    apr_pool_t *scratch;       /* atomic: of no load now; NULL while there is none */
    apr_pool_t *pool;          /* for loads; guarded by the mutex too */
    apr_thread_mutex_t *mutex; /* guards all below; nothing blocks while it is held */
    entry_t **chains;
    entry_t *newest;
    entry_t *oldest;
    load_t *loads;      /* under way */
    load_t *idle_loads; /* to be used again, so that there are no more than threads */
    apr_uint64_t load_count;
    chat_cache_stats_t stats;
};

/* Let go of entries that are in no list any more. Outside the mutex: to free large blocks takes time. */
static void free_entries(entry_t *entry)
{
    while (entry) {
        entry_t *next = entry->chain;

        chat_snapshot_release(entry->snapshot);
        free(entry);
        entry = next;
    }
}

static apr_status_t destroy(void *data)
{
    chat_cache_t *cache = data;
    apr_size_t i;

    for (i = 0; i <= cache->chain_mask; i++) {
        free_entries(cache->chains[i]);
    }
    free(cache->chains);
    chat_account_release(cache->account);
    if (cache->scratch) {
        apr_pool_destroy(cache->scratch);
    }
    return APR_SUCCESS;
}

apr_status_t chat_cache_create(chat_cache_t **out, apr_size_t limit, apr_pool_t *pool)
{
    chat_cache_t *cache = apr_pcalloc(pool, sizeof(*cache));
    apr_size_t chains = CHAINS_MIN;
    apr_status_t rv;

    while (chains < CHAINS_MAX && chains < limit / BYTES_PER_CHAIN) {
        chains *= 2;
    }
    cache->limit = limit;
    cache->chain_mask = chains - 1;
    rv = apr_generate_random_bytes((unsigned char *)&cache->seed, sizeof(cache->seed));
    if (rv == APR_SUCCESS) {
        rv = gc_pool_create(&cache->pool, pool, "chat_cache");
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&cache->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    cache->chains = calloc(chains, sizeof(entry_t *));
    cache->account = chat_account_create();
    if (!cache->chains || !cache->account) {
        free(cache->chains);
        free(cache->account);
        return APR_ENOMEM;
    }
    apr_pool_cleanup_register(pool, cache, destroy, apr_pool_cleanup_null);
    *out = cache;
    return APR_SUCCESS;
}

int chat_cache_is_on(const chat_cache_t *cache)
{
    return cache->limit > 0;
}

chat_account_t *chat_cache_account(const chat_cache_t *cache)
{
    return cache->account;
}

/* FNV-1a with a seed of the process's own, so that a client cannot choose names that share a
 * chain. */
static apr_uint64_t hash_of(const chat_cache_t *cache, const chat_cache_room_t *room)
{
    apr_uint64_t hash = cache->seed ^ (apr_uint64_t)(apr_uintptr_t)room->site;
    const char *c;

    for (c = room->name; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * APR_UINT64_C(0x100000001b3);
    }
    hash ^= hash >> 32;
    hash *= APR_UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static int is_same_version(const chat_version_t *a, const chat_version_t *b)
{
    return a->epoch == b->epoch && a->generation == b->generation;
}

/* Where the entry of a room hangs; *result is NULL where there is none. */
static entry_t **find_entry(chat_cache_t *cache, const chat_cache_room_t *room, apr_uint64_t hash)
{
    entry_t **at = &cache->chains[hash & cache->chain_mask];

    GC_ASSERT_LOCKED(cache->mutex);
    while (*at && ((*at)->hash != hash || (*at)->site != room->site ||
                   strcmp((*at)->name, room->name) != 0))
    {
        at = &(*at)->chain;
    }
    return at;
}

static void unlink_used(chat_cache_t *cache, entry_t *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(chat_cache_t *cache, entry_t *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

/* Take an entry out, onto the list of those that go. */
static void drop_entry(chat_cache_t *cache, entry_t **at, entry_t **gone)
{
    entry_t *entry = *at;

    GC_ASSERT(cache->stats.bytes >= entry->bytes && cache->stats.rooms > 0);
    *at = entry->chain;
    unlink_used(cache, entry);
    cache->stats.bytes -= entry->bytes;
    cache->stats.rooms--;
    entry->chain = *gone;
    *gone = entry;
}

static void drop_oldest(chat_cache_t *cache, entry_t **gone)
{
    entry_t **at = &cache->chains[cache->oldest->hash & cache->chain_mask];

    GC_ASSERT(cache->oldest->older == NULL);
    while (*at != cache->oldest) {
        at = &(*at)->chain;
    }
    drop_entry(cache, at, gone);
}

/* An entry for a room that was read; NULL if it is not to be kept. A room that does not exist
 * would cost memory for each name that a client invents. */
static entry_t *make_entry(const chat_cache_t *cache, const load_t *load, chat_snapshot_t *snapshot)
{
    apr_size_t name_size = strlen(load->room->name) + 1;
    apr_size_t size = sizeof(entry_t) + name_size;
    apr_size_t bytes = size + chat_snapshot_bytes(snapshot);
    const chat_standing_t *standing = chat_snapshot_standing(snapshot);
    entry_t *entry;

    if (standing->last_event_id == standing->base_event_id || bytes > cache->limit) {
        return NULL;
    }
    entry = malloc(size);
    if (!entry) {
        return NULL;
    }
    chat_snapshot_pin(snapshot);
    entry->hash = load->hash;
    entry->site = load->room->site;
    entry->snapshot = snapshot;
    entry->version = load->version;
    entry->bytes = bytes;
    memcpy(entry->name, load->room->name, name_size);
    return entry;
}

/* Put an entry, or nothing, in the place of the one that is there; returns those that go. */
static entry_t *keep_entry(chat_cache_t *cache, const load_t *load, entry_t *entry)
{
    entry_t **at = find_entry(cache, load->room, load->hash);
    entry_t *gone = NULL;

    if (*at) {
        drop_entry(cache, at, &gone);
    }
    if (!entry) {
        return gone;
    }
    while (cache->stats.bytes + entry->bytes > cache->limit) {
        drop_oldest(cache, &gone);
    }
    at = &cache->chains[load->hash & cache->chain_mask];
    entry->chain = *at;
    *at = entry;
    link_newest(cache, entry);
    cache->stats.bytes += entry->bytes;
    cache->stats.rooms++;
    return gone;
}

/* Read the messages after an old snapshot, or all. */
static apr_status_t read_room(const chat_cache_t *cache, const chat_cache_room_t *room,
                              chat_snapshot_t *old, chat_snapshot_t **out, apr_pool_t *pool)
{
    chat_snapshot_spec_t spec = {gc_slice_of(room->name), room->history, room->list_bytes,
                                 cache->account};
    chat_bounds_t most = chat_snapshot_bounds(&spec);
    apr_status_t rv = APR_EINCOMPLETE;
    chat_page_t page;

    if (old && chat_snapshot_standing(old)->newest_id != 0) {
        rv = room->source->after(room->baton, chat_snapshot_standing(old)->newest_event_id - 1,
                                 most, &page, pool);
        if (rv == APR_SUCCESS) {
            rv = chat_snapshot_extend(out, old, &spec, &page, pool);
        }
    }
    if (rv == APR_EINCOMPLETE) {
        rv = room->source->newest(room->baton, most, &page, pool);
        if (rv == APR_SUCCESS) {
            rv = chat_snapshot_make(out, &spec, &page, pool);
        }
    }
    return rv;
}

/* Begin to read a room. The version was loaded under the mutex. So a thread that finds a load with
 * a number above the last one at its coming knows that the load began after it. */
static apr_status_t begin_load(chat_cache_t *cache, load_t **out, const chat_cache_room_t *room,
                               apr_uint64_t hash, chat_version_t version)
{
    load_t *load = cache->idle_loads;

    GC_ASSERT_LOCKED(cache->mutex);
    if (load) {
        cache->idle_loads = load->next;
    }
    else {
        apr_thread_cond_t *done;
        apr_status_t rv = apr_thread_cond_create(&done, cache->pool);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        load = apr_pcalloc(cache->pool, sizeof(*load));
        load->done = done;
    }
    *load = (load_t){cache->loads, hash, room, version, ++cache->load_count, .done = load->done};
    cache->loads = load;
    cache->stats.loads++;
    *out = load;
    return APR_SUCCESS;
}

static void end_load(chat_cache_t *cache, load_t *load, apr_status_t status,
                     chat_snapshot_t *snapshot)
{
    load_t **at = &cache->loads;

    GC_ASSERT_LOCKED(cache->mutex);
    while (*at != load) {
        at = &(*at)->next;
    }
    *at = load->next;
    if (load->waiting == 0) {
        load->next = cache->idle_loads;
        cache->idle_loads = load;
        return;
    }
    load->status = status;
    load->is_done = 1;
    if (status == APR_SUCCESS) {
        chat_snapshot_pin(snapshot);
        load->snapshot = snapshot;
    }
    gc_lock_wake_all(load->done);
}

/* A pool of the load's own: the request's may live as long as its reader is slow. One is kept for the next. */
static apr_status_t borrow_scratch(chat_cache_t *cache, apr_pool_t **scratch)
{
    *scratch = __atomic_exchange_n(&cache->scratch, NULL, __ATOMIC_ACQ_REL);
    return *scratch ? APR_SUCCESS : gc_pool_create(scratch, NULL, "chat_cache_load");
}

static void return_scratch(chat_cache_t *cache, apr_pool_t *scratch)
{
    apr_allocator_max_free_set(apr_pool_allocator_get(scratch), SCRATCH_BYTES);
    apr_pool_clear(scratch);
    scratch = __atomic_exchange_n(&cache->scratch, scratch, __ATOMIC_ACQ_REL);
    if (scratch) {
        apr_pool_destroy(scratch);
    }
}

/* Read a room, with the mutex held on entry and released on return. */
static apr_status_t load_room(chat_cache_t *cache, const chat_cache_room_t *room, apr_uint64_t hash,
                              chat_version_t version, chat_snapshot_t **out)
{
    entry_t *entry = *find_entry(cache, room, hash);
    chat_snapshot_t *old = entry && entry->version.epoch == version.epoch ? entry->snapshot : NULL;
    chat_snapshot_t *snapshot = NULL;
    apr_pool_t *scratch = NULL;
    load_t *load;
    entry_t *gone = NULL;
    apr_status_t rv = begin_load(cache, &load, room, hash, version);

    if (rv != APR_SUCCESS) {
        gc_lock_leave(cache->mutex);
        return rv;
    }
    if (old) {
        chat_snapshot_pin(old);
    }
    gc_lock_leave(cache->mutex);

    entry = NULL;
    rv = borrow_scratch(cache, &scratch);
    if (rv == APR_SUCCESS) {
        rv = read_room(cache, room, old, &snapshot, scratch);
        return_scratch(cache, scratch);
    }
    chat_snapshot_release(old);
    if (rv == APR_SUCCESS) {
        entry = make_entry(cache, load, snapshot);
        *out = snapshot;
    }

    gc_lock_enter(cache->mutex);
    if (rv == APR_SUCCESS) {
        gone = keep_entry(cache, load, entry);
    }
    end_load(cache, load, rv, snapshot);
    gc_lock_leave(cache->mutex);
    free_entries(gone);
    return rv;
}

/* Wait for another thread's load, with the mutex held. */
static apr_status_t wait_load(chat_cache_t *cache, load_t *load, chat_snapshot_t **snapshot)
{
    apr_status_t rv;

    load->waiting++;
    cache->stats.waits++;
    while (!load->is_done) {
        gc_lock_wait(load->done, cache->mutex);
    }
    rv = load->status;
    *snapshot = load->snapshot;
    if (*snapshot) {
        chat_snapshot_pin(*snapshot);
    }
    if (--load->waiting == 0) {
        chat_snapshot_release(load->snapshot); /* never the last: this thread has just pinned it */
        load->next = cache->idle_loads;
        cache->idle_loads = load;
    }
    return rv;
}

static load_t *find_load(const chat_cache_t *cache, const chat_cache_room_t *room,
                         apr_uint64_t hash)
{
    load_t *load = cache->loads;

    while (load && (load->hash != hash || load->room->site != room->site ||
                    strcmp(load->room->name, room->name) != 0))
    {
        load = load->next;
    }
    return load;
}

/* Pin the room's entry if it is as the room is now, with the mutex held. */
static int take_entry(chat_cache_t *cache, const chat_cache_room_t *room, apr_uint64_t hash,
                      const chat_version_t *version, chat_snapshot_t **out)
{
    entry_t *entry = *find_entry(cache, room, hash);

    if (!entry || !is_same_version(&entry->version, version)) {
        return 0;
    }
    if (entry != cache->newest) {
        unlink_used(cache, entry);
        link_newest(cache, entry);
    }
    chat_snapshot_pin(entry->snapshot);
    *out = entry->snapshot;
    cache->stats.hits++;
    return 1;
}

apr_status_t chat_cache_get(chat_cache_t *cache, const chat_cache_room_t *room,
                            chat_snapshot_t **out)
{
    apr_uint64_t hash = hash_of(cache, room);
    apr_uint64_t newest_load;
    chat_version_t version;
    load_t *load;

    gc_lock_enter(cache->mutex);
    newest_load = cache->load_count;
    for (;;) {
        chat_snapshot_t *snapshot;
        apr_status_t rv;
        int is_new_enough;

        version = room->source->version(room->baton);
        if (take_entry(cache, room, hash, &version, out)) {
            break;
        }
        load = find_load(cache, room, hash);
        if (!load) {
            return load_room(cache, room, hash, version, out);
        }
        /* One that began before this call may lack messages stored in between: then one more is
         * waited for. */
        is_new_enough = load->number > newest_load || is_same_version(&load->version, &version);
        rv = wait_load(cache, load, &snapshot);
        if (rv != APR_SUCCESS || is_new_enough) {
            gc_lock_leave(cache->mutex);
            if (rv == APR_SUCCESS) {
                *out = snapshot;
            }
            return rv;
        }
        chat_snapshot_release(snapshot);
    }
    gc_lock_leave(cache->mutex);
    return APR_SUCCESS;
}

chat_cache_stats_t chat_cache_stats(chat_cache_t *cache)
{
    chat_cache_stats_t stats;

    gc_lock_enter(cache->mutex);
    stats = cache->stats;
    gc_lock_leave(cache->mutex);
    stats.bytes_alive = chat_account_bytes(cache->account);
    return stats;
}
