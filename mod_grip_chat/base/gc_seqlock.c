#include "gc_seqlock.h"

#include "gc_assert.h"

void gc_seqlock_begin_write(gc_seqlock_t *lock)
{
    __atomic_store_n(lock, *lock | 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void gc_seqlock_end_write(gc_seqlock_t *lock)
{
    GC_ASSERT(*lock % 2 == 1);
    __atomic_store_n(lock, *lock + 1, __ATOMIC_RELEASE);
}

gc_seqlock_t gc_seqlock_begin_read(const gc_seqlock_t *lock)
{
    return __atomic_load_n(lock, __ATOMIC_ACQUIRE);
}

int gc_seqlock_was_whole(const gc_seqlock_t *lock, gc_seqlock_t begun)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return begun % 2 == 0 && __atomic_load_n(lock, __ATOMIC_RELAXED) == begun;
}
