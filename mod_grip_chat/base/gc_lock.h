/* Mutexes of one's own process. To lock one fails only if it is broken, and then there is nothing to go on
 * with: what it guards may be half changed. So these answer nothing, and end the process by a trap instead. */
#ifndef GC_LOCK_H
#define GC_LOCK_H

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

/** Lock a mutex; waits for it. */
void gc_lock_enter(apr_thread_mutex_t *mutex);

/** Unlock a mutex that this thread has locked. */
void gc_lock_leave(apr_thread_mutex_t *mutex);

/** Wait until somebody wakes this, with the mutex unlocked meanwhile. May return for no reason: look again. */
void gc_lock_wait(apr_thread_cond_t *cond, apr_thread_mutex_t *mutex);

/** Wake one that waits, if there is one. */
void gc_lock_wake(apr_thread_cond_t *cond);

/** Wake all that wait. */
void gc_lock_wake_all(apr_thread_cond_t *cond);

#endif
