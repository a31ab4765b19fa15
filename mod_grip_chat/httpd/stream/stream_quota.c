#include "stream_quota.h"

#include <unistd.h>

#include <apr_general.h>
#include <apr_network_io.h>
#include <apr_shm.h>

#include <ap_mpm.h>

#include "gc_lock.h"

/* The head before the ledgers. */
typedef struct head_t {
    apr_uint32_t told[2]; /* atomic: see stream_quota_first */
} head_t;

struct stream_quota_t {
    apr_uint32_t each;
    apr_uint32_t total;
    apr_uint32_t most;
    apr_thread_mutex_t *mutex; /* guards the ledger */
    stream_ledger_t ledger;
};

/* Of this configuration; gone with the parent's pool. */
static stream_ledgers_t map;
static head_t *head;

static apr_status_t forget_map(void *data)
{
    map.memory = NULL;
    head = NULL;
    return APR_SUCCESS;
}

apr_status_t stream_quota_map(server_rec *main, apr_pool_t *pconf)
{
    apr_uint32_t places = (apr_uint32_t)conf_server_get(main)->stream_share;
    stream_ledgers_t wanted;
    apr_shm_t *shm;
    int children = 1;
    apr_status_t rv;

    if (places == 0) {
        return APR_SUCCESS;
    }
    rv = ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    stream_ledgers_plan(&wanted, children > 1 ? (apr_uint32_t)children : 1, places);
    if (rv == APR_SUCCESS) {
        rv = apr_generate_random_bytes((unsigned char *)&wanted.seed, sizeof(wanted.seed));
    }
    if (rv == APR_SUCCESS) {
        /* Zeroed by the kernel: every ledger is nobody's. */
        rv = apr_shm_create(&shm, sizeof(head_t) + stream_ledgers_bytes(&wanted), NULL, pconf);
    }
    if (rv == APR_SUCCESS) {
        head = apr_shm_baseaddr_get(shm);
        map = wanted;
        map.memory = (char *)(head + 1);
        apr_pool_cleanup_register(pconf, NULL, forget_map, apr_pool_cleanup_null);
    }
    return rv;
}

void stream_quota_forget(pid_t child)
{
    stream_ledgers_forget(&map, (apr_uint64_t)child);
}

apr_status_t stream_quota_create(stream_quota_t **out, apr_uint32_t each, apr_uint32_t total,
                                 apr_uint32_t most, apr_pool_t *pool)
{
    stream_quota_t *quota = apr_pcalloc(pool, sizeof(*quota));
    apr_status_t rv;

    if (!map.memory || total > map.places) {
        return APR_EINIT;
    }
    quota->each = each;
    quota->total = total;
    quota->most = most;
    rv = apr_thread_mutex_create(&quota->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        stream_ledger_open(&quota->ledger, &map, (apr_uint64_t)getpid(), pool);
        *out = quota;
    }
    return rv;
}

/* An address as two numbers, of which the second says nothing for IPv6. */
static void read_address(apr_uint64_t out[2], const apr_sockaddr_t *address)
{
    out[0] = out[1] = 0;
    if (address->family == APR_INET) {
        memcpy(&out[1], &address->sa.sin.sin_addr, sizeof(address->sa.sin.sin_addr));
    }
#if APR_HAVE_IPV6
    else if (address->family == APR_INET6) {
        const struct in6_addr *six = &address->sa.sin6.sin6_addr;

        if (IN6_IS_ADDR_V4MAPPED(six)) {
            memcpy(&out[1], six->s6_addr + 12, 4);
        }
        else {
            memcpy(&out[0], six->s6_addr, 8);
        }
    }
#endif
}

stream_ledger_client_t *stream_quota_enter(stream_quota_t *quota, const apr_sockaddr_t *address,
                                           int *is_own_fault)
{
    apr_uint64_t key[2];
    stream_ledger_client_t *client = NULL;
    int is_too_many = 0;

    read_address(key, address);
    gc_lock_enter(quota->mutex);
    if (stream_ledger_count(&quota->ledger) < quota->total) {
        client = stream_ledger_enter(&quota->ledger, key);
        is_too_many =
            client && quota->each && stream_ledger_everywhere(&quota->ledger, client) > quota->each;
        if (is_too_many || (client && stream_quota_everywhere() > quota->most)) {
            stream_ledger_leave(&quota->ledger, client);
            client = NULL;
        }
    }
    gc_lock_leave(quota->mutex);
    *is_own_fault = is_too_many;
    return client;
}

void stream_quota_leave(stream_quota_t *quota, stream_ledger_client_t *client)
{
    gc_lock_enter(quota->mutex);
    stream_ledger_leave(&quota->ledger, client);
    gc_lock_leave(quota->mutex);
}

apr_uint32_t stream_quota_everywhere(void)
{
    return stream_ledgers_count(&map);
}

int stream_quota_look(stream_quota_t *quota)
{
    apr_uint32_t count = stream_ledger_count(&quota->ledger);
    int is_full =
        stream_ledger_is_full(&quota->ledger) ? count > quota->total / 2 : count >= quota->total;

    stream_ledger_set_full(&quota->ledger, is_full);
    return is_full;
}

int stream_quota_is_full(pid_t child)
{
    return stream_ledgers_is_full(&map, (apr_uint64_t)child);
}

int stream_quota_all_taken(const stream_quota_t *quota)
{
    return stream_quota_everywhere() >= quota->most;
}

int stream_quota_first(int what)
{
    return head && !__atomic_exchange_n(&head->told[what], 1, __ATOMIC_RELAXED);
}

apr_uint32_t stream_quota_count(stream_quota_t *quota)
{
    return stream_ledger_count(&quota->ledger);
}

apr_uint32_t stream_quota_limit(const stream_quota_t *quota)
{
    return quota->total;
}
