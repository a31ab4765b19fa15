#include "gc_lock.h"

static void must(apr_status_t rv)
{
    if (rv != APR_SUCCESS) {
        __builtin_trap();
    }
}

void gc_lock_enter(apr_thread_mutex_t *mutex)
{
    must(apr_thread_mutex_lock(mutex));
}

#ifdef GC_ASSERTIONS
int gc_lock_is_held(apr_thread_mutex_t *mutex)
{
    if (apr_thread_mutex_trylock(mutex) == APR_SUCCESS) {
        gc_lock_leave(mutex);
        return 0;
    }
    return 1;
}
#endif

void gc_lock_leave(apr_thread_mutex_t *mutex)
{
    must(apr_thread_mutex_unlock(mutex));
}

void gc_lock_wait(apr_thread_cond_t *cond, apr_thread_mutex_t *mutex)
{
    GC_ASSERT_LOCKED(mutex);
    must(apr_thread_cond_wait(cond, mutex));
}

void gc_lock_wake(apr_thread_cond_t *cond)
{
    must(apr_thread_cond_signal(cond));
}

void gc_lock_wake_all(apr_thread_cond_t *cond)
{
    must(apr_thread_cond_broadcast(cond));
}
