/* A sequence lock: one process writes into shared memory, others read there without a lock that somebody could die
 * with, and look again if it wrote meanwhile. What it guards is stored and loaded in single steps (relaxed
 * atomics are enough). */
#ifndef GC_SEQLOCK_H
#define GC_SEQLOCK_H

#include <apr.h>

/** The writes so far, twice each; odd while one goes on, also if its process died over it. 0 at first. */
typedef apr_uint64_t gc_seqlock_t;

/** Begin to write, also after another writer has died. For one thread at a time. */
void gc_seqlock_begin_write(gc_seqlock_t *lock);

/** What was written is whole. For the thread that has begun. */
void gc_seqlock_end_write(gc_seqlock_t *lock);

/** Begin to read. Thread-safe. @return what gc_seqlock_was_whole is to be asked with */
gc_seqlock_t gc_seqlock_begin_read(const gc_seqlock_t *lock);

/** Whether nobody wrote since a read began, so that what was read belongs together. Thread-safe. */
int gc_seqlock_was_whole(const gc_seqlock_t *lock, gc_seqlock_t begun);

#endif
