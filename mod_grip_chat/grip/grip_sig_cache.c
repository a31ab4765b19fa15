#include "grip_sig_cache.h"

#include <stdlib.h>

#include "gc_lock.h"

/* A token can lie in one set only; a look-up reads that set. */
#define WAYS 4
#define SETS (GRIP_SIG_CACHE_ENTRIES / WAYS)

/* A signature that one of the proxies made. */
typedef struct entry_t {
    apr_uint64_t hash;
    apr_uint64_t used;         /* the look-up that it was last found by; 0 for an empty entry */
    apr_time_t verified;       /* before that, its nbf may lie ahead */
    apr_time_t good_until;     /* from then on, its exp is past */
    const grip_proxy_t *proxy; /* the signer */
    apr_size_t len;
    char token[GRIP_SIG_CACHE_TOKEN_MAX];
} entry_t;

struct grip_sig_cache_t {
    const grip_proxy_t *const *proxies;
    apr_size_t count;
    apr_uint64_t seed;
    apr_thread_mutex_t *mutex; /* guards all below; nothing is verified while it is held */
    grip_sig_cache_stats_t stats;
    apr_uint64_t lookups;
    entry_t (
        *sets)[WAYS]; /* SETS of them, made when the first is needed: not every site has a proxy */
};

static apr_status_t free_sets(void *data)
{
    grip_sig_cache_t *cache = data;

    free(cache->sets);
    return APR_SUCCESS;
}

apr_status_t grip_sig_cache_create(grip_sig_cache_t **out, const grip_proxy_t *const *proxies,
                                   apr_size_t count, apr_pool_t *pool)
{
    grip_sig_cache_t *cache = apr_pcalloc(pool, sizeof(*cache));
    apr_status_t rv = grip_crypto_random(&cache->seed, sizeof(cache->seed));

    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&cache->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    cache->proxies = proxies;
    cache->count = count;
    apr_pool_cleanup_register(pool, cache, free_sets, apr_pool_cleanup_null);
    *out = cache;
    return APR_SUCCESS;
}

/* Eight bytes a step, because a byte a step would cost as much as a short HMAC saves. The hash only
 * says where to look: an entry that is found is compared in full. */
static apr_uint64_t hash_of(const grip_sig_cache_t *cache, gc_slice_t token)
{
    apr_uint64_t hash = cache->seed ^ token.len;

    while (token.len > 0) {
        apr_uint64_t word = 0;
        apr_size_t len = token.len < sizeof(word) ? token.len : sizeof(word);

        memcpy(&word, token.data, len);
        hash = (hash ^ word) * APR_UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
        token.data += len;
        token.len -= len;
    }
    return hash;
}

/* In constant time: a guessed signature is worth a hold, and must not be found byte by byte. Eight
 * bytes a step, as a comparison byte by byte would take a third of the look-up. */
static int is_same(const char *a, const char *b, apr_size_t len)
{
    apr_uint64_t difference = 0;

    while (len > 0) {
        apr_uint64_t x = 0;
        apr_uint64_t y = 0;
        apr_size_t step = len < sizeof(x) ? len : sizeof(x);

        memcpy(&x, a, step);
        memcpy(&y, b, step);
        difference |= x ^ y;
        a += step;
        b += step;
        len -= step;
    }
    return difference == 0;
}

static int is_of(const entry_t *entry, gc_slice_t token, apr_uint64_t hash)
{
    return entry->used != 0 && entry->hash == hash && entry->len == token.len &&
           is_same(entry->token, token.data, token.len);
}

/* The entry of a token, or NULL. Locked. */
static entry_t *find(grip_sig_cache_t *cache, gc_slice_t token, apr_uint64_t hash)
{
    int way;

    GC_ASSERT_LOCKED(cache->mutex);
    for (way = 0; cache->sets && way < WAYS; way++) {
        entry_t *set = cache->sets[hash % SETS];

        if (is_of(&set[way], token, hash)) {
            return &set[way];
        }
    }
    return NULL;
}

/* Whether a token was verified that is good now. A clock that was set back may have come to before the
 * token's nbf, so nothing is said about the time before it was verified. */
static int look_up(grip_sig_cache_t *cache, grip_sig_t *out, gc_slice_t token, apr_uint64_t hash,
                   apr_time_t now)
{
    entry_t *entry;
    int is_hit;

    gc_lock_enter(cache->mutex);
    entry = find(cache, token, hash);
    is_hit = entry && now >= entry->verified && now < entry->good_until;
    cache->lookups++;
    if (is_hit) {
        cache->stats.hits++;
        entry->used = cache->lookups;
        out->verdict = GRIP_SIG_VALID;
        out->proxy = entry->proxy;
        out->good_until = entry->good_until;
    }
    else {
        cache->stats.misses++;
    }
    gc_lock_leave(cache->mutex);
    return is_hit;
}

/* Where a new token goes: in place of an empty entry, one whose time is over, or the one that was used
 * longest ago. Locked. */
static entry_t *place_of(grip_sig_cache_t *cache, apr_uint64_t hash, apr_time_t now)
{
    entry_t *set = cache->sets[hash % SETS];
    entry_t *oldest = &set[0];
    int way;

    for (way = 0; way < WAYS; way++) {
        if (set[way].good_until <= now) {
            return &set[way];
        }
        if (set[way].used < oldest->used) {
            oldest = &set[way];
        }
    }
    return oldest;
}

/* Put a token in. Locked. */
static void put(grip_sig_cache_t *cache, const grip_sig_t *sig, gc_slice_t token, apr_uint64_t hash,
                apr_time_t now)
{
    entry_t *entry = find(cache, token, hash);

    GC_ASSERT(token.len <= sizeof(entry->token));
    if (entry) {
        /* Another thread verified it meanwhile, maybe for an earlier time: it is good from there on. */
        now = entry->verified < now ? entry->verified : now;
    }
    else {
        entry = place_of(cache, hash, now);
    }
    entry->hash = hash;
    entry->used = ++cache->lookups;
    entry->verified = now;
    entry->good_until = sig->good_until;
    entry->proxy = sig->proxy;
    entry->len = token.len;
    memcpy(entry->token, token.data, token.len);
}

static void keep(grip_sig_cache_t *cache, const grip_sig_t *sig, gc_slice_t token,
                 apr_uint64_t hash, apr_time_t now)
{
    gc_lock_enter(cache->mutex);
    if (!cache->sets) {
        cache->sets = calloc(SETS, sizeof(*cache->sets));
    }
    if (cache->sets) {
        put(cache, sig, token, hash, now);
    }
    gc_lock_leave(cache->mutex);
}

apr_status_t grip_sig_cache_check(grip_sig_cache_t *cache, grip_sig_t *out, gc_slice_t header,
                                  apr_time_t now, apr_pool_t *scratch_pool)
{
    gc_slice_t token = gc_slice_trim(header);
    apr_uint64_t hash;
    apr_status_t rv;

    if (token.len == 0 || token.len > GRIP_SIG_CACHE_TOKEN_MAX) {
        return grip_sig_check(out, cache->proxies, cache->count, token, now, scratch_pool);
    }
    hash = hash_of(cache, token);
    if (look_up(cache, out, token, hash, now)) {
        return APR_SUCCESS;
    }
    rv = grip_sig_check(out, cache->proxies, cache->count, token, now, scratch_pool);
    if (rv == APR_SUCCESS && out->verdict == GRIP_SIG_VALID) {
        keep(cache, out, token, hash, now);
    }
    return rv;
}

grip_sig_cache_stats_t grip_sig_cache_stats(grip_sig_cache_t *cache)
{
    grip_sig_cache_stats_t stats;

    gc_lock_enter(cache->mutex);
    stats = cache->stats;
    gc_lock_leave(cache->mutex);
    return stats;
}
