#include "stream_ledger.h"

#include <string.h>

#include "gc_assert.h"
#include "gc_seqlock.h"

/* No client's index. */
#define NOBODY APR_UINT32_MAX

/* How often another child's page is looked at while that child writes. */
#define TRIES 16

/* A power of two, and so even: then pages stay aligned. */
#define CHAINS_MIN 64

struct stream_ledger_client_t {
    apr_uint64_t address[2];
    apr_uint32_t count;
    apr_uint32_t next; /* of those with a hash like this, or of the unused */
};

/* The memory of one child. Behind it follow its clients and then its chains, each the index of the
 * first client. Children can write into all pages, so every process checks indexes against the
 * bounds, the parent above all. */
struct stream_ledger_page_t {
    apr_uint64_t owner;   /* atomic: a process id; 0 for none */
    gc_seqlock_t lock;    /* of clients and chains, which the owner writes */
    apr_uint32_t count;   /* atomic: the owner's streams */
    apr_uint32_t is_full; /* atomic */
};

typedef stream_ledger_page_t page_t;

/* --- all ledgers ------------------------------------------------------------------------------- */

static apr_size_t page_size(const stream_ledgers_t *all)
{
    return sizeof(page_t) + all->places * sizeof(stream_ledger_client_t) +
           all->chains * sizeof(apr_uint32_t);
}

static page_t *page_at(const stream_ledgers_t *all, apr_uint32_t index)
{
    return (page_t *)(all->memory + index * page_size(all));
}

static stream_ledger_client_t *clients_of(const page_t *page)
{
    return (stream_ledger_client_t *)(page + 1);
}

static apr_uint32_t *chains_of(const stream_ledgers_t *all, const page_t *page)
{
    return (apr_uint32_t *)(clients_of(page) + all->places);
}

void stream_ledgers_plan(stream_ledgers_t *all, apr_uint32_t ledgers, apr_uint32_t places)
{
    all->memory = NULL;
    all->seed = 0;
    all->ledgers = ledgers;
    all->places = places;
    all->chains = CHAINS_MIN;
    while (all->chains < places) {
        all->chains *= 2;
    }
}

apr_size_t stream_ledgers_bytes(const stream_ledgers_t *all)
{
    return all->ledgers * page_size(all);
}

void stream_ledgers_forget(const stream_ledgers_t *all, apr_uint64_t owner)
{
    apr_uint32_t i;

    for (i = 0; all->memory && i < all->ledgers; i++) {
        apr_uint64_t expected = owner;

        if (__atomic_compare_exchange_n(&page_at(all, i)->owner, &expected, 0, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        {
            return;
        }
    }
}

apr_uint32_t stream_ledgers_count(const stream_ledgers_t *all)
{
    apr_uint32_t count = 0;
    apr_uint32_t i;

    for (i = 0; all->memory && i < all->ledgers; i++) {
        const page_t *page = page_at(all, i);

        if (__atomic_load_n(&page->owner, __ATOMIC_SEQ_CST)) {
            count += __atomic_load_n(&page->count, __ATOMIC_SEQ_CST);
        }
    }
    return count;
}

int stream_ledgers_is_full(const stream_ledgers_t *all, apr_uint64_t owner)
{
    apr_uint32_t i;

    for (i = 0; all->memory && i < all->ledgers; i++) {
        const page_t *page = page_at(all, i);

        if (__atomic_load_n(&page->owner, __ATOMIC_SEQ_CST) == owner) {
            return __atomic_load_n(&page->is_full, __ATOMIC_RELAXED) != 0;
        }
    }
    return 0;
}

/* --- one ledger -------------------------------------------------------------------------------- */

/* Fields that others may be reading are stored in single steps, while the page is locked. */
static void store(apr_uint32_t *at, apr_uint32_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELAXED);
}

static void clear(const stream_ledgers_t *all, page_t *page)
{
    stream_ledger_client_t *clients = clients_of(page);
    apr_uint32_t *chains = chains_of(all, page);
    apr_uint32_t i;

    gc_seqlock_begin_write(&page->lock); /* its last owner may have died in the middle */
    for (i = 0; i < all->places; i++) {
        store(&clients[i].count, 0);
        store(&clients[i].next, i + 1 < all->places ? i + 1 : NOBODY);
    }
    for (i = 0; i < all->chains; i++) {
        store(&chains[i], NOBODY);
    }
    gc_seqlock_end_write(&page->lock);
    __atomic_store_n(&page->count, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&page->is_full, 0, __ATOMIC_SEQ_CST);
}

static page_t *take_page(const stream_ledgers_t *all, apr_uint64_t owner, apr_pool_t *pool)
{
    apr_uint32_t i;

    for (i = 0; i < all->ledgers; i++) {
        apr_uint64_t nobody = 0;
        page_t *page = page_at(all, i);

        if (__atomic_compare_exchange_n(&page->owner, &nobody, owner, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        {
            return page;
        }
    }
    return apr_pcalloc(pool, page_size(all));
}

void stream_ledger_open(stream_ledger_t *ledger, const stream_ledgers_t *all, apr_uint64_t owner,
                        apr_pool_t *pool)
{
    GC_ASSERT(all->memory && owner);
    ledger->all = all;
    ledger->unused = 0;
    ledger->own = take_page(all, owner, pool);
    clear(all, ledger->own);
}

/* Mixed with a secret seed, so that a client cannot choose addresses that share a chain. */
static apr_uint32_t chain_of(const stream_ledgers_t *all, const apr_uint64_t address[2])
{
    apr_uint64_t hash = (address[0] ^ all->seed) * APR_UINT64_C(0x9e3779b97f4a7c15);

    hash = (hash ^ hash >> 32 ^ address[1]) * APR_UINT64_C(0xd6e8feb86659fd93);
    return (apr_uint32_t)((hash ^ hash >> 32) & (all->chains - 1));
}

/* A client in a page, NULL if it has none. A concurrent write of another child may misdirect the
 * search, but never out of bounds and never endlessly. */
static stream_ledger_client_t *find(const stream_ledgers_t *all, const page_t *page,
                                    const apr_uint64_t address[2])
{
    stream_ledger_client_t *clients = clients_of(page);
    apr_uint32_t at =
        __atomic_load_n(&chains_of(all, page)[chain_of(all, address)], __ATOMIC_RELAXED);
    apr_uint32_t steps;

    for (steps = 0; at < all->places && steps < all->places; steps++) {
        stream_ledger_client_t *client = &clients[at];

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
static apr_uint32_t count_in(const stream_ledgers_t *all, const page_t *page,
                             const apr_uint64_t address[2])
{
    apr_uint32_t count = 0;
    int i;

    for (i = 0; i < TRIES; i++) {
        gc_seqlock_t begun = gc_seqlock_begin_read(&page->lock);
        const stream_ledger_client_t *client = find(all, page, address);

        count = client ? __atomic_load_n(&client->count, __ATOMIC_RELAXED) : 0;
        if (gc_seqlock_was_whole(&page->lock, begun)) {
            return count;
        }
    }
    return count; /* it writes all the time, or has died over it: then this is as good as any */
}

apr_uint32_t stream_ledger_everywhere(const stream_ledger_t *ledger,
                                      const stream_ledger_client_t *client)
{
    apr_uint32_t count = client->count;
    apr_uint32_t i;

    /* Of two children that count the same client up in one moment, at least one sees the other's
     * count. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (i = 0; i < ledger->all->ledgers; i++) {
        const page_t *page = page_at(ledger->all, i);

        if (page != ledger->own && __atomic_load_n(&page->owner, __ATOMIC_SEQ_CST)) {
            count += count_in(ledger->all, page, client->address);
        }
    }
    return count;
}

stream_ledger_client_t *stream_ledger_enter(stream_ledger_t *ledger, const apr_uint64_t address[2])
{
    const stream_ledgers_t *all = ledger->all;
    stream_ledger_client_t *client = find(all, ledger->own, address);

    if (!client && ledger->unused >= all->places) {
        return NULL; /* otherwise there are as many as there may be streams */
    }
    gc_seqlock_begin_write(&ledger->own->lock);
    if (!client) {
        apr_uint32_t *chain = &chains_of(all, ledger->own)[chain_of(all, address)];
        apr_uint32_t index = ledger->unused;

        client = &clients_of(ledger->own)[index];
        ledger->unused = client->next;
        __atomic_store_n(&client->address[0], address[0], __ATOMIC_RELAXED);
        __atomic_store_n(&client->address[1], address[1], __ATOMIC_RELAXED);
        store(&client->count, 0);
        store(&client->next, *chain);
        store(chain, index);
    }
    store(&client->count, client->count + 1);
    gc_seqlock_end_write(&ledger->own->lock);
    __atomic_add_fetch(&ledger->own->count, 1, __ATOMIC_SEQ_CST);
    return client;
}

void stream_ledger_leave(stream_ledger_t *ledger, stream_ledger_client_t *client)
{
    const stream_ledgers_t *all = ledger->all;
    stream_ledger_client_t *clients = clients_of(ledger->own);
    apr_uint32_t index = (apr_uint32_t)(client - clients);

    GC_ASSERT(index < all->places);
    gc_seqlock_begin_write(&ledger->own->lock);
    store(&client->count, client->count - 1);
    if (client->count == 0) {
        apr_uint32_t *at = &chains_of(all, ledger->own)[chain_of(all, client->address)];
        apr_uint32_t steps = 0;

        while (*at != index && *at < all->places && steps++ < all->places) {
            at = &clients[*at].next;
        }
        if (*at == index) {
            store(at, client->next);
            store(&client->next, ledger->unused);
            ledger->unused = index;
        }
    }
    gc_seqlock_end_write(&ledger->own->lock);
    __atomic_sub_fetch(&ledger->own->count, 1, __ATOMIC_SEQ_CST);
}

apr_uint32_t stream_ledger_count(const stream_ledger_t *ledger)
{
    return __atomic_load_n(&ledger->own->count, __ATOMIC_SEQ_CST);
}

int stream_ledger_is_full(const stream_ledger_t *ledger)
{
    return __atomic_load_n(&ledger->own->is_full, __ATOMIC_RELAXED) != 0;
}

void stream_ledger_set_full(stream_ledger_t *ledger, int is_full)
{
    store(&ledger->own->is_full, is_full != 0);
}
