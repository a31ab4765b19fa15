#include "stream_ender.h"

#include <apr_thread_proc.h>

#include "gc_lock.h"

struct stream_ender_t {
    stream_ender_notify_fn *notify;
    void *baton;
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex; /* guards the next fields */
    apr_thread_cond_t *wake;
    stream_connection_t *waiting; /* first in, first out */
    stream_connection_t **end;
    stream_connection_t *done;
    int is_stopping;
};

/* Take the first that waits, with the mutex held. */
static stream_connection_t *take(stream_ender_t *ender)
{
    stream_connection_t *connection = ender->waiting;

    GC_ASSERT_LOCKED(ender->mutex);
    if (connection) {
        ender->waiting = connection->next;
        if (!ender->waiting) {
            ender->end = &ender->waiting;
        }
    }
    return connection;
}

/* End a connection's request, or free it. @return whether it goes back to the loop */
static int end(apr_thread_t *thread, stream_connection_t *connection)
{
    gc_owner_take(&connection->owner);
    if (connection->r && stream_connection_end(connection, thread)) {
        return 1;
    }
    stream_connection_destroy(connection);
    return 0;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    stream_ender_t *ender = data;
    stream_connection_t *connection;

    gc_lock_enter(ender->mutex);
    while ((connection = take(ender)) || !ender->is_stopping) {
        int is_done;

        if (!connection) {
            gc_lock_wait(ender->wake, ender->mutex);
            continue;
        }
        gc_lock_leave(ender->mutex);
        is_done = end(thread, connection);
        gc_lock_enter(ender->mutex);
        if (is_done) {
            connection->next = ender->done;
            ender->done = connection;
            ender->notify(ender->baton);
        }
    }
    while ((connection = ender->done)) {
        ender->done = connection->next;
        stream_connection_destroy(connection);
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

void stream_ender_give(stream_ender_t *ender, stream_connection_t *connection)
{
    GC_ASSERT(connection->state == STREAM_CONNECTION_LEAVING);
    GC_ASSERT(!connection->room && !connection->timer.timeouts && !connection->is_watched);
    gc_lock_enter(ender->mutex);
    connection->next = NULL;
    *ender->end = connection;
    ender->end = &connection->next;
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
