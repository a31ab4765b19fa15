/* A sequence lock: one process writes into shared memory, and others read there. A reader reads
 * again if the writer wrote meanwhile, so no dying process can leave a lock held. The guarded data
 * is stored and loaded in single steps (relaxed atomics are enough). */
#ifndef GC_SEQLOCK_H
#define GC_SEQLOCK_H

#include <apr.h>

/** The writes so far, twice each; odd while one goes on, also if its process died over it. 0 at first. */
typedef apr_uint64_t gc_seqlock_t;

/** Begin to write, also after another writer has died. For one thread at a time. */
void gc_seqlock_begin_write(gc_seqlock_t *lock);

/** The write is complete. For the thread that began it. */
void gc_seqlock_end_write(gc_seqlock_t *lock);

/** Begin to read. Thread-safe. @return the value to pass to gc_seqlock_was_whole */
gc_seqlock_t gc_seqlock_begin_read(const gc_seqlock_t *lock);

/**
 * Whether no write happened since a read began, so that the data belongs together. Thread-safe.
 */
int gc_seqlock_was_whole(const gc_seqlock_t *lock, gc_seqlock_t begun);

#endif
