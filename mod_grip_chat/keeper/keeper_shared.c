#include "keeper_shared.h"

/* Of this layout; a segment from before an upgrade of the module may have another. */
#define LAYOUT_MARK APR_UINT64_C(0x6763686174000002)

typedef struct slot_t {
    apr_uint64_t generation;
    apr_uint64_t last_hold; /* a gc_moment_t */
} slot_t;

struct keeper_shared_t {
    apr_uint64_t layout;
    apr_uint64_t epoch;
    slot_t slots[KEEPER_SHARED_SLOTS];
};

apr_size_t keeper_shared_size(void)
{
    return sizeof(keeper_shared_t);
}

keeper_shared_t *keeper_shared_init(void *memory)
{
    keeper_shared_t *shared = memory;

    memset(shared, 0, sizeof(*shared));
    shared->layout = LAYOUT_MARK;
    return shared;
}

keeper_shared_t *keeper_shared_attach(void *memory, apr_size_t size)
{
    keeper_shared_t *shared = memory;

    return size == sizeof(*shared) && shared->layout == LAYOUT_MARK ? shared : NULL;
}

/* FNV-1a: good enough to spread names, and the same in every process. */
static apr_uint64_t hash_bytes(apr_uint64_t hash, gc_slice_t s)
{
    apr_size_t i;

    for (i = 0; i < s.len; i++) {
        hash = (hash ^ (unsigned char)s.data[i]) * APR_UINT64_C(0x100000001b3);
    }
    return hash;
}

unsigned keeper_shared_slot(gc_slice_t site, gc_slice_t room)
{
    apr_uint64_t hash = hash_bytes(APR_UINT64_C(0xcbf29ce484222325), site);

    hash = hash_bytes(hash, gc_slice("", 1));
    hash = hash_bytes(hash, room);
    return (unsigned)((hash ^ hash >> 32) & (KEEPER_SHARED_SLOTS - 1));
}

keeper_version_t keeper_shared_version(const keeper_shared_t *shared, unsigned slot)
{
    keeper_version_t version;

    version.epoch = __atomic_load_n(&shared->epoch, __ATOMIC_SEQ_CST);
    version.generation = __atomic_load_n(&shared->slots[slot].generation, __ATOMIC_SEQ_CST);
    return version;
}

void keeper_shared_bump(keeper_shared_t *shared, unsigned slot)
{
    __atomic_add_fetch(&shared->slots[slot].generation, 1, __ATOMIC_SEQ_CST);
}

void keeper_shared_bump_all(keeper_shared_t *shared)
{
    __atomic_add_fetch(&shared->epoch, 1, __ATOMIC_SEQ_CST);
}

void keeper_shared_note_hold(keeper_shared_t *shared, unsigned slot, gc_moment_t now)
{
    apr_uint64_t *last = &shared->slots[slot].last_hold;
    apr_uint64_t known = __atomic_load_n(last, __ATOMIC_SEQ_CST);

    while (known < (apr_uint64_t)now &&
           !__atomic_compare_exchange_n(last, &known, (apr_uint64_t)now, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
    {
    }
}

gc_moment_t keeper_shared_last_hold(const keeper_shared_t *shared, unsigned slot)
{
    return (gc_moment_t)__atomic_load_n(&shared->slots[slot].last_hold, __ATOMIC_SEQ_CST);
}
