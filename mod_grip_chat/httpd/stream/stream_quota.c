#include "stream_quota.h"

#include <unistd.h>

#include <apr_general.h>
#include <apr_network_io.h>
#include <apr_shm.h>

#include <ap_mpm.h>

#include "gc_lock.h"
#include "gc_seqlock.h"

/* No client's index. */
#define NOBODY APR_UINT32_MAX

/* How often another child's ledger is looked at while that child writes. */
#define TRIES 16

struct stream_quota_client_t {
    apr_uint64_t address[2];
    apr_uint32_t count;
    apr_uint32_t next; /* of those with a hash like this, or of the unused */
};

/* One child's, in shared memory. Behind it follow its clients and then its chains, each the index
 * of the first client. Children can write into all ledgers, so every process checks indexes
 * against the bounds, the parent above all. */
typedef struct ledger_t {
    apr_uint64_t owner;   /* atomic: a process id; 0 for none */
    gc_seqlock_t lock;    /* of clients and chains, which the owner writes */
    apr_uint32_t count;   /* atomic: the owner's streams */
    apr_uint32_t is_full; /* atomic: see stream_quota_look */
} ledger_t;

/* The head before the ledgers. */
typedef struct head_t {
    apr_uint32_t told[2]; /* atomic: see stream_quota_first */
} head_t;

/* Where the ledgers are; each process has its own copy. */
typedef struct map_t {
    char *memory; /* NULL where there is none */
    apr_uint64_t seed;
    apr_uint32_t ledgers;
    apr_uint32_t places; /* clients that a ledger has room for: one for each stream of a child */
    apr_uint32_t chains; /* that a ledger has; a power of two */
} map_t;

struct stream_quota_t {
    apr_uint32_t each;
    apr_uint32_t total;
    apr_uint32_t most;
    ledger_t *own;
    apr_thread_mutex_t *mutex; /* guards the next fields, and writes into our ledger */
    apr_uint32_t unused;       /* the first of the clients that have none */
};

/* Of this configuration; gone with the parent's pool. */
static map_t map;

/* --- the memory ------------------------------------------------------------------------------------- */

static apr_size_t ledger_size(const map_t *of)
{
    return sizeof(ledger_t) + of->places * sizeof(stream_quota_client_t) +
           of->chains * sizeof(apr_uint32_t); /* of which there is an even number */
}

static ledger_t *ledger_at(apr_uint32_t index)
{
    return (ledger_t *)(map.memory + sizeof(head_t) + index * ledger_size(&map));
}

static stream_quota_client_t *clients_of(const ledger_t *ledger)
{
    return (stream_quota_client_t *)(ledger + 1);
}

static apr_uint32_t *chains_of(const ledger_t *ledger)
{
    return (apr_uint32_t *)(clients_of(ledger) + map.places);
}

static apr_status_t forget_map(void *data)
{
    map.memory = NULL;
    return APR_SUCCESS;
}

apr_status_t stream_quota_map(server_rec *main, apr_pool_t *pconf)
{
    map_t wanted = {NULL, 0, 0, (apr_uint32_t)conf_server_get(main)->stream_share, 64};
    apr_shm_t *shm;
    int children = 1;
    apr_status_t rv;

    if (wanted.places == 0) {
        return APR_SUCCESS;
    }
    while (wanted.chains < wanted.places) {
        wanted.chains *= 2;
    }
    rv = ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    wanted.ledgers = children > 1 ? (apr_uint32_t)children : 1;
    if (rv == APR_SUCCESS) {
        rv = apr_generate_random_bytes((unsigned char *)&wanted.seed, sizeof(wanted.seed));
    }
    if (rv == APR_SUCCESS) {
        /* Zeroed by the kernel: every ledger is nobody's. */
        rv = apr_shm_create(&shm, sizeof(head_t) + wanted.ledgers * ledger_size(&wanted), NULL,
                            pconf);
    }
    if (rv == APR_SUCCESS) {
        map = wanted;
        map.memory = apr_shm_baseaddr_get(shm);
        apr_pool_cleanup_register(pconf, NULL, forget_map, apr_pool_cleanup_null);
    }
    return rv;
}

void stream_quota_forget(pid_t child)
{
    apr_uint32_t i;

    for (i = 0; map.memory && i < map.ledgers; i++) {
        apr_uint64_t owner = (apr_uint64_t)child;

        if (__atomic_compare_exchange_n(&ledger_at(i)->owner, &owner, 0, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        {
            return;
        }
    }
}

/* --- this child's ledger ---------------------------------------------------------------------------- */

/* Fields that others may be reading are stored in single steps, while the ledger is locked. */
static void store(apr_uint32_t *at, apr_uint32_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELAXED);
}

static void clear(ledger_t *ledger)
{
    stream_quota_client_t *all = clients_of(ledger);
    apr_uint32_t *chains = chains_of(ledger);
    apr_uint32_t i;

    gc_seqlock_begin_write(&ledger->lock); /* its last owner may have died in the middle */
    for (i = 0; i < map.places; i++) {
        store(&all[i].count, 0);
        store(&all[i].next, i + 1 < map.places ? i + 1 : NOBODY);
    }
    for (i = 0; i < map.chains; i++) {
        store(&chains[i], NOBODY);
    }
    gc_seqlock_end_write(&ledger->lock);
    __atomic_store_n(&ledger->count, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&ledger->is_full, 0, __ATOMIC_SEQ_CST);
}

static ledger_t *take_ledger(apr_pool_t *pool)
{
    ledger_t *ledger;
    apr_uint32_t i;

    for (i = 0; i < map.ledgers; i++) {
        apr_uint64_t nobody = 0;

        ledger = ledger_at(i);
        if (__atomic_compare_exchange_n(&ledger->owner, &nobody, (apr_uint64_t)getpid(), 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        {
            return ledger;
        }
    }
    return apr_pcalloc(pool, ledger_size(&map));
}

apr_status_t stream_quota_create(stream_quota_t **out, apr_uint32_t each, apr_uint32_t total,
                                 apr_uint32_t most, apr_pool_t *pool)
{
    stream_quota_t *quota = apr_pcalloc(pool, sizeof(*quota));
    apr_status_t rv;

    if (!map.memory || total > map.places) {
        return APR_EINIT;
    }
    quota->each = each;
    quota->total = total;
    quota->most = most;
    rv = apr_thread_mutex_create(&quota->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        quota->own = take_ledger(pool);
        clear(quota->own);
        *out = quota;
    }
    return rv;
}

/* --- clients ---------------------------------------------------------------------------------------- */

/* An address as two numbers, of which the second says nothing for IPv6. */
static void read_address(apr_uint64_t out[2], const apr_sockaddr_t *address)
{
    out[0] = out[1] = 0;
    if (address->family == APR_INET) {
        memcpy(&out[1], &address->sa.sin.sin_addr, sizeof(address->sa.sin.sin_addr));
    }
#if APR_HAVE_IPV6
    else if (address->family == APR_INET6) {
        const struct in6_addr *six = &address->sa.sin6.sin6_addr;

        if (IN6_IS_ADDR_V4MAPPED(six)) {
            memcpy(&out[1], six->s6_addr + 12, 4);
        }
        else {
            memcpy(&out[0], six->s6_addr, 8);
        }
    }
#endif
}

/* Mixed with a secret seed, so that a client cannot choose addresses that share a chain. */
static apr_uint32_t chain_of(const apr_uint64_t address[2])
{
    apr_uint64_t hash = (address[0] ^ map.seed) * APR_UINT64_C(0x9e3779b97f4a7c15);

    hash = (hash ^ hash >> 32 ^ address[1]) * APR_UINT64_C(0xd6e8feb86659fd93);
    return (apr_uint32_t)((hash ^ hash >> 32) & (map.chains - 1));
}

/* A client in a ledger, NULL if it has none. A concurrent write of another child may misdirect the
 * search, but never out of bounds and never endlessly. */
static stream_quota_client_t *find(const ledger_t *ledger, const apr_uint64_t address[2])
{
    stream_quota_client_t *all = clients_of(ledger);
    apr_uint32_t at = __atomic_load_n(&chains_of(ledger)[chain_of(address)], __ATOMIC_RELAXED);
    apr_uint32_t steps;

    for (steps = 0; at < map.places && steps < map.places; steps++) {
        stream_quota_client_t *client = &all[at];

        if (__atomic_load_n(&client->address[0], __ATOMIC_RELAXED) == address[0] &&
            __atomic_load_n(&client->address[1], __ATOMIC_RELAXED) == address[1])
        {
            return client;
        }
        at = __atomic_load_n(&client->next, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* How many streams a client has in another child. */
static apr_uint32_t count_in(const ledger_t *ledger, const apr_uint64_t address[2])
{
    apr_uint32_t count = 0;
    int i;

    for (i = 0; i < TRIES; i++) {
        gc_seqlock_t begun = gc_seqlock_begin_read(&ledger->lock);
        const stream_quota_client_t *client = find(ledger, address);

        count = client ? __atomic_load_n(&client->count, __ATOMIC_RELAXED) : 0;
        if (gc_seqlock_was_whole(&ledger->lock, begun)) {
            return count;
        }
    }
    return count; /* it writes all the time, or has died over it: then this is as good as any */
}

static apr_uint32_t count_everywhere(const ledger_t *own, const stream_quota_client_t *client)
{
    apr_uint32_t count = client->count;
    apr_uint32_t i;

    /* Of two children that count the same client up in one moment, at least one sees the other's
     * count. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (i = 0; i < map.ledgers; i++) {
        const ledger_t *ledger = ledger_at(i);

        if (ledger != own && __atomic_load_n(&ledger->owner, __ATOMIC_SEQ_CST)) {
            count += count_in(ledger, client->address);
        }
    }
    return count;
}

/* Count a client up in our ledger, in which it may be new. NULL if the ledger is broken. */
static stream_quota_client_t *count_up(stream_quota_t *quota, const apr_uint64_t address[2])
{
    stream_quota_client_t *client = find(quota->own, address);

    GC_ASSERT_LOCKED(quota->mutex);
    if (!client && quota->unused >= map.places) {
        return NULL; /* otherwise there are as many as there may be streams */
    }
    gc_seqlock_begin_write(&quota->own->lock);
    if (!client) {
        apr_uint32_t *chain = &chains_of(quota->own)[chain_of(address)];
        apr_uint32_t index = quota->unused;

        client = &clients_of(quota->own)[index];
        quota->unused = client->next;
        __atomic_store_n(&client->address[0], address[0], __ATOMIC_RELAXED);
        __atomic_store_n(&client->address[1], address[1], __ATOMIC_RELAXED);
        store(&client->count, 0);
        store(&client->next, *chain);
        store(chain, index);
    }
    store(&client->count, client->count + 1);
    gc_seqlock_end_write(&quota->own->lock);
    __atomic_add_fetch(&quota->own->count, 1, __ATOMIC_SEQ_CST);
    return client;
}

static void count_down(stream_quota_t *quota, stream_quota_client_t *client)
{
    stream_quota_client_t *all = clients_of(quota->own);
    apr_uint32_t index = (apr_uint32_t)(client - all);

    GC_ASSERT_LOCKED(quota->mutex);
    GC_ASSERT(index < map.places);
    gc_seqlock_begin_write(&quota->own->lock);
    store(&client->count, client->count - 1);
    if (client->count == 0) {
        apr_uint32_t *at = &chains_of(quota->own)[chain_of(client->address)];
        apr_uint32_t steps = 0;

        while (*at != index && *at < map.places && steps++ < map.places) {
            at = &all[*at].next;
        }
        if (*at == index) {
            store(at, client->next);
            store(&client->next, quota->unused);
            quota->unused = index;
        }
    }
    gc_seqlock_end_write(&quota->own->lock);
    __atomic_sub_fetch(&quota->own->count, 1, __ATOMIC_SEQ_CST);
}

/* How many streams this child has. */
static apr_uint32_t own_count(const stream_quota_t *quota)
{
    return __atomic_load_n(&quota->own->count, __ATOMIC_SEQ_CST);
}

stream_quota_client_t *stream_quota_enter(stream_quota_t *quota, const apr_sockaddr_t *address,
                                          int *is_own_fault)
{
    apr_uint64_t key[2];
    stream_quota_client_t *client = NULL;
    int is_too_many = 0;

    read_address(key, address);
    gc_lock_enter(quota->mutex);
    if (own_count(quota) < quota->total) {
        client = count_up(quota, key);
        is_too_many = client && quota->each && count_everywhere(quota->own, client) > quota->each;
        if (is_too_many || (client && stream_quota_everywhere() > quota->most)) {
            count_down(quota, client);
            client = NULL;
        }
    }
    gc_lock_leave(quota->mutex);
    *is_own_fault = is_too_many;
    return client;
}

void stream_quota_leave(stream_quota_t *quota, stream_quota_client_t *client)
{
    gc_lock_enter(quota->mutex);
    count_down(quota, client);
    gc_lock_leave(quota->mutex);
}

apr_uint32_t stream_quota_everywhere(void)
{
    apr_uint32_t count = 0;
    apr_uint32_t i;

    for (i = 0; map.memory && i < map.ledgers; i++) {
        const ledger_t *ledger = ledger_at(i);

        if (__atomic_load_n(&ledger->owner, __ATOMIC_SEQ_CST)) {
            count += __atomic_load_n(&ledger->count, __ATOMIC_SEQ_CST);
        }
    }
    return count;
}

int stream_quota_look(stream_quota_t *quota)
{
    apr_uint32_t count = own_count(quota);
    apr_uint32_t is_full = __atomic_load_n(&quota->own->is_full, __ATOMIC_RELAXED);

    is_full = is_full ? count > quota->total / 2 : count >= quota->total;
    __atomic_store_n(&quota->own->is_full, is_full, __ATOMIC_RELAXED);
    return is_full != 0;
}

int stream_quota_is_full(pid_t child)
{
    apr_uint32_t i;

    for (i = 0; map.memory && i < map.ledgers; i++) {
        const ledger_t *ledger = ledger_at(i);

        if (__atomic_load_n(&ledger->owner, __ATOMIC_SEQ_CST) == (apr_uint64_t)child) {
            return __atomic_load_n(&ledger->is_full, __ATOMIC_RELAXED) != 0;
        }
    }
    return 0;
}

int stream_quota_all_taken(const stream_quota_t *quota)
{
    return stream_quota_everywhere() >= quota->most;
}

int stream_quota_first(int what)
{
    head_t *head = (head_t *)map.memory;

    return head && !__atomic_exchange_n(&head->told[what], 1, __ATOMIC_RELAXED);
}

apr_uint32_t stream_quota_count(stream_quota_t *quota)
{
    return own_count(quota);
}

apr_uint32_t stream_quota_limit(const stream_quota_t *quota)
{
    return quota->total;
}
