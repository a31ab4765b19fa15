#include "stream_ender.h"

#include <apr_thread_proc.h>

#include "gc_lock.h"

struct stream_ender_t {
    stream_ender_notify_fn *notify;
    void *baton;
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex; /* guards what follows */
    apr_thread_cond_t *wake;
    stream_connection_t *waiting; /* first in, first out */
    stream_connection_t **end;
    stream_connection_t *done;
    int is_stopping;
};

/* Take the first that waits, with the mutex held. */
static stream_connection_t *take(stream_ender_t *ender)
{
    stream_connection_t *held = ender->waiting;

    if (held) {
        ender->waiting = held->next;
        if (!ender->waiting) {
            ender->end = &ender->waiting;
        }
    }
    return held;
}

/* End a connection's request, or free it. @return whether it goes back to the loop */
static int end(apr_thread_t *thread, stream_connection_t *held)
{
    if (held->r && stream_connection_end(held, thread)) {
        return 1;
    }
    stream_connection_destroy(held);
    return 0;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    stream_ender_t *ender = data;
    stream_connection_t *held;

    gc_lock_enter(ender->mutex);
    while ((held = take(ender)) || !ender->is_stopping) {
        int is_done;

        if (!held) {
            gc_lock_wait(ender->wake, ender->mutex);
            continue;
        }
        gc_lock_leave(ender->mutex);
        is_done = end(thread, held);
        gc_lock_enter(ender->mutex);
        if (is_done) {
            held->next = ender->done;
            ender->done = held;
            ender->notify(ender->baton);
        }
    }
    while ((held = ender->done)) {
        ender->done = held->next;
        stream_connection_destroy(held);
    }
    gc_lock_leave(ender->mutex);
    return NULL;
}

apr_status_t stream_ender_start(stream_ender_t **out, stream_ender_notify_fn *notify, void *baton,
                                apr_pool_t *pool)
{
    stream_ender_t *ender = apr_pcalloc(pool, sizeof(*ender));
    apr_status_t rv = apr_thread_mutex_create(&ender->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    ender->notify = notify;
    ender->baton = baton;
    ender->end = &ender->waiting;
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&ender->wake, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&ender->thread, NULL, run, ender, pool);
    }
    if (rv == APR_SUCCESS) {
        *out = ender;
    }
    return rv;
}

void stream_ender_give(stream_ender_t *ender, stream_connection_t *held)
{
    gc_lock_enter(ender->mutex);
    held->next = NULL;
    *ender->end = held;
    ender->end = &held->next;
    gc_lock_wake(ender->wake);
    gc_lock_leave(ender->mutex);
}

stream_connection_t *stream_ender_take(stream_ender_t *ender)
{
    stream_connection_t *first;

    gc_lock_enter(ender->mutex);
    first = ender->done;
    ender->done = NULL;
    gc_lock_leave(ender->mutex);
    return first;
}

apr_status_t stream_ender_stop(stream_ender_t *ender)
{
    apr_status_t result = APR_SUCCESS;
    apr_status_t rv;

    gc_lock_enter(ender->mutex);
    ender->is_stopping = 1;
    gc_lock_wake(ender->wake);
    gc_lock_leave(ender->mutex);
    rv = apr_thread_join(&result, ender->thread);
    return rv == APR_SUCCESS ? result : rv;
}
