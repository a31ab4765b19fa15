/* Mutexes of one process. A lock fails only if the mutex is broken, and then the data that it
 * guards may be half changed. So these functions return nothing, and end the process by a trap
 * instead. */
#ifndef GC_LOCK_H
#define GC_LOCK_H

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "gc_assert.h"

/** Lock a mutex; waits for it. */
void gc_lock_enter(apr_thread_mutex_t *mutex);

/** An assertion: the mutex is locked, as it has to be where this thread uses what it guards. It does not see
 *  that another thread is the one that locked it. */
#ifdef GC_ASSERTIONS
#define GC_ASSERT_LOCKED(mutex) GC_ASSERT(gc_lock_is_held(mutex))
int gc_lock_is_held(apr_thread_mutex_t *mutex);
#else
#define GC_ASSERT_LOCKED(mutex) ((void)(mutex))
#endif

/** Unlock a mutex that this thread has locked. */
void gc_lock_leave(apr_thread_mutex_t *mutex);

/**
 * Wait until another thread wakes this one; the mutex is unlocked meanwhile. May return for no
 * reason: check again.
 */
void gc_lock_wait(apr_thread_cond_t *cond, apr_thread_mutex_t *mutex);

/** Wake one that waits, if there is one. */
void gc_lock_wake(apr_thread_cond_t *cond);

/** Wake all that wait. */
void gc_lock_wake_all(apr_thread_cond_t *cond);

#endif
