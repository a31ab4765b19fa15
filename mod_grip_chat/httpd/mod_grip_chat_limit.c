#include "mod_grip_chat_limit.h"

#include <stdlib.h>
#include <sys/resource.h>

#include <apr_general.h>
#include <apr_network_io.h>

#include <ap_mpm.h>

#include "gc_lock.h"

/* Descriptors of a child that no stream has: listeners, logs, databases, the keeper's connections. */
#define OTHER_DESCRIPTORS 128

/* Of the connections that the MPM takes, streams get this share, so that at least a quarter of its
 * threads can always be at work: each stream takes away from what idle threads let in. */
#define SHARE_OF 4
#define SHARE    3

/* event's own default of AsyncRequestWorkerFactor. */
#define FACTOR_DEFAULT 2

/* --- the child's share ------------------------------------------------------------------------------ */

/* The last value of a directive of another module, which has no other way to be asked for. */
static const char *find_directive(const ap_directive_t *node, const char *name)
{
    const char *found = NULL;

    for (; node; node = node->next) {
        const char *inner = node->first_child ? find_directive(node->first_child, name) : NULL;

        if (inner) {
            found = inner;
        }
        else if (ap_cstr_casecmp(node->directive, name) == 0) {
            found = node->args;
        }
    }
    return found;
}

static apr_int64_t worker_factor(void)
{
    const char *arg = find_directive(ap_conftree, "AsyncRequestWorkerFactor");
    double factor = arg ? strtod(arg, NULL) : FACTOR_DEFAULT;

    return factor >= 1 && factor < GRIP_CHAT_STREAMS_MAX ? (apr_int64_t)factor : 0;
}

static int some_server_holds_streams(const server_rec *s)
{
    while (s && !grip_chat_conf_holds_streams(s)) {
        s = s->next;
    }
    return s != NULL;
}

void grip_chat_limit_work_out(server_rec *main)
{
    grip_chat_conf_t *conf = grip_chat_conf_get(main);
    apr_int64_t factor = worker_factor();
    apr_int64_t wanted;
    apr_int64_t room;
    int threads = 0;
    int children = 0;
    int is_async = 0;

    conf->stream_share = 0;
    if (!some_server_holds_streams(main) ||
        ap_mpm_query(AP_MPMQ_IS_ASYNC, &is_async) != APR_SUCCESS || !is_async ||
        ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) != APR_SUCCESS || threads <= 0 ||
        ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &children) != APR_SUCCESS || children <= 0)
    {
        return;
    }
    room = threads * (1 + factor) * SHARE / SHARE_OF;
    wanted =
        conf->max_streams == GRIP_CHAT_UNSET ? room : (conf->max_streams + children - 1) / children;
    conf->stream_share = (int)(wanted < room ? wanted : room);
    if (wanted > room) {
        ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, main,
                     "GC0105: GripChatMaxStreams %d is %" APR_INT64_T_FMT
                     " streams for each of %d children, and the MPM has room for %" APR_INT64_T_FMT
                     "; readers beyond poll. Write AsyncRequestWorkerFactor %" APR_INT64_T_FMT
                     ", or GripChatMaxStreams %" APR_INT64_T_FMT,
                     conf->max_streams, wanted, children, room,
                     (SHARE_OF * wanted + SHARE * threads - 1) / (SHARE * threads) - 1,
                     room * children);
    }
}

apr_uint32_t grip_chat_limit_of_child(server_rec *main)
{
    rlim_t share = (rlim_t)grip_chat_conf_get(main)->stream_share;
    struct rlimit limit;
    int threads = 0;
    rlim_t others;

    if (share == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) != APR_SUCCESS)
    {
        return (apr_uint32_t)share;
    }
    /* A child that runs out of descriptors can accept nobody any more. */
    others = OTHER_DESCRIPTORS + 8 * (rlim_t)threads;
    if (limit.rlim_cur < share + others && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = share + others < limit.rlim_max ? share + others : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) {
            return 0;
        }
    }
    if (limit.rlim_cur < share + others) {
        share = limit.rlim_cur > others ? limit.rlim_cur - others : 0;
        ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, main,
                     "GC0175: a child may have %lu descriptors and so holds %lu streams; readers "
                     "beyond poll. Raise the limit of open files (LimitNOFILE, ulimit -n)",
                     (unsigned long)limit.rlim_cur, (unsigned long)share);
    }
    return (apr_uint32_t)share;
}

/* --- clients ---------------------------------------------------------------------------------------- */

struct grip_chat_client_t {
    grip_chat_client_t *next; /* of those with a hash like this, or of the unused */
    apr_uint64_t address[2];
    apr_uint32_t count;
};

struct grip_chat_clients_t {
    apr_uint32_t each;
    apr_uint32_t total;
    apr_uint64_t seed;
    apr_size_t mask;
    apr_thread_mutex_t *mutex; /* guards what follows */
    grip_chat_client_t **chains;
    grip_chat_client_t *unused;
    apr_uint32_t count;
};

apr_status_t grip_chat_clients_create(grip_chat_clients_t **out, apr_uint32_t each,
                                      apr_uint32_t total, apr_pool_t *pool)
{
    grip_chat_clients_t *clients = apr_pcalloc(pool, sizeof(*clients));
    grip_chat_client_t *all = apr_pcalloc(pool, sizeof(*all) * total);
    apr_size_t chains = 64;
    apr_uint32_t i;
    apr_status_t rv;

    while (chains < total) {
        chains *= 2;
    }
    clients->each = each;
    clients->total = total;
    clients->mask = chains - 1;
    clients->chains = apr_pcalloc(pool, sizeof(*clients->chains) * chains);
    for (i = 0; i < total; i++) {
        all[i].next = clients->unused;
        clients->unused = &all[i];
    }
    rv = apr_generate_random_bytes((unsigned char *)&clients->seed, sizeof(clients->seed));
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&clients->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    }
    if (rv == APR_SUCCESS) {
        *out = clients;
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

/* Mixed with a seed of the process's own, so that nobody can choose addresses that share a chain. */
static grip_chat_client_t **chain_of(grip_chat_clients_t *clients, const apr_uint64_t address[2])
{
    apr_uint64_t hash = (address[0] ^ clients->seed) * APR_UINT64_C(0x9e3779b97f4a7c15);

    hash = (hash ^ hash >> 32 ^ address[1]) * APR_UINT64_C(0xd6e8feb86659fd93);
    return &clients->chains[(hash ^ hash >> 32) & clients->mask];
}

grip_chat_client_t *grip_chat_clients_enter(grip_chat_clients_t *clients,
                                            const apr_sockaddr_t *address)
{
    apr_uint64_t key[2];
    grip_chat_client_t **chain;
    grip_chat_client_t *client = NULL;

    read_address(key, address);
    chain = chain_of(clients, key);
    gc_lock_enter(clients->mutex);
    if (clients->count < clients->total) {
        for (client = *chain; client; client = client->next) {
            if (client->address[0] == key[0] && client->address[1] == key[1]) {
                break;
            }
        }
        if (!client) {
            client = clients->unused; /* there are as many as there may be streams */
            clients->unused = client->next;
            client->address[0] = key[0];
            client->address[1] = key[1];
            client->count = 0;
            client->next = *chain;
            *chain = client;
        }
        if (clients->each && client->count >= clients->each) {
            client = NULL;
        }
        else {
            client->count++;
            clients->count++;
        }
    }
    gc_lock_leave(clients->mutex);
    return client;
}

void grip_chat_clients_leave(grip_chat_clients_t *clients, grip_chat_client_t *client)
{
    gc_lock_enter(clients->mutex);
    clients->count--;
    if (--client->count == 0) {
        grip_chat_client_t **at = chain_of(clients, client->address);

        while (*at != client) {
            at = &(*at)->next;
        }
        *at = client->next;
        client->next = clients->unused;
        clients->unused = client;
    }
    gc_lock_leave(clients->mutex);
}

apr_uint32_t grip_chat_clients_count(grip_chat_clients_t *clients)
{
    apr_uint32_t count;

    gc_lock_enter(clients->mutex);
    count = clients->count;
    gc_lock_leave(clients->mutex);
    return count;
}

apr_uint32_t grip_chat_clients_limit(const grip_chat_clients_t *clients)
{
    return clients->total;
}
