#include "keeper_poll.h"

#include <string.h>

#include <apr_portable.h>

#include "gc_assert.h"

/* How many descriptors APR's set is made for; epoll takes more all the same. */
#define SET_SIZE 1024

struct keeper_poll_t {
    apr_pollset_t *set;
    gc_owner_t owner;    /* the thread that waits with it */
    keeper_fd_t **table; /* by descriptor; an entry lives on for the number's next user */
    int table_size;
    apr_pool_t *pool;
};

apr_status_t keeper_poll_create(keeper_poll_t **out, apr_pool_t *pool)
{
    keeper_poll_t *set = apr_pcalloc(pool, sizeof(*set));
    apr_status_t rv = apr_pollset_create(&set->set, SET_SIZE, pool, APR_POLLSET_WAKEABLE);

    set->pool = pool;
    if (rv == APR_SUCCESS) {
        *out = set;
    }
    return rv;
}

/* The table's entry for a number; made once, so that memory does not grow with connections. */
static apr_status_t entry_for(keeper_poll_t *set, int fd, keeper_fd_t **out)
{
    apr_status_t rv = APR_SUCCESS;

    GC_ASSERT(fd >= 0);
    if (fd >= set->table_size) {
        int size = fd * 2 + 64;
        keeper_fd_t **table = apr_pcalloc(set->pool, sizeof(keeper_fd_t *) * (apr_size_t)size);

        if (set->table_size) {
            memcpy(table, set->table, sizeof(keeper_fd_t *) * (apr_size_t)set->table_size);
        }
        set->table = table;
        set->table_size = size;
    }
    if (!set->table[fd]) {
        keeper_fd_t *entry = apr_pcalloc(set->pool, sizeof(*entry));

        entry->fd = fd;
        rv = apr_os_sock_put(&entry->socket, &entry->fd, set->pool);
        if (rv == APR_SUCCESS) {
            set->table[fd] = entry;
        }
    }
    *out = set->table[fd];
    return rv;
}

apr_status_t keeper_poll_watch(keeper_poll_t *set, keeper_fd_kind_e kind, int fd, void *object,
                               apr_int16_t events)
{
    keeper_fd_t *entry;
    apr_status_t rv = entry_for(set, fd, &entry);

    GC_ASSERT_OWNER(&set->owner);
    GC_ASSERT(kind != KEEPER_FD_NONE);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (entry->events) {
        rv = apr_pollset_remove(set->set, &entry->poll);
        if (APR_STATUS_IS_NOTFOUND(rv)) {
            rv = APR_SUCCESS; /* it was closed, and so forgotten by the system */
        }
        entry->events = 0;
        entry->kind = KEEPER_FD_NONE;
    }
    if (rv != APR_SUCCESS || !events) {
        return rv;
    }
    entry->object = object;
    entry->poll.p = set->pool;
    entry->poll.desc_type = APR_POLL_SOCKET;
    entry->poll.desc.s = entry->socket;
    entry->poll.reqevents = events;
    entry->poll.client_data = entry;
    rv = apr_pollset_add(set->set, &entry->poll);
    if (rv == APR_SUCCESS) {
        entry->kind = kind;
        entry->events = events;
    }
    return rv;
}

apr_status_t keeper_poll_wait(keeper_poll_t *set, apr_interval_time_t timeout,
                              const apr_pollfd_t **ready, apr_int32_t *count)
{
    apr_status_t rv;

    GC_ASSERT_OWNER(&set->owner);
    gc_owner_take(&set->owner);
    rv = apr_pollset_poll(set->set, timeout, count, ready);
    if (rv != APR_SUCCESS) {
        *count = 0;
    }
    return APR_STATUS_IS_EINTR(rv) || APR_STATUS_IS_TIMEUP(rv) ? APR_SUCCESS : rv;
}

keeper_fd_t *keeper_poll_next(const keeper_poll_t *set, keeper_fd_kind_e kind,
                              const keeper_fd_t *after)
{
    int fd;

    for (fd = after ? after->fd + 1 : 0; fd < set->table_size; fd++) {
        if (set->table[fd] && set->table[fd]->kind == kind) {
            return set->table[fd];
        }
    }
    return NULL;
}

void keeper_poll_wake(keeper_poll_t *set)
{
    /* A full pipe wakes as well. */
    (void)apr_pollset_wakeup(set->set);
}
