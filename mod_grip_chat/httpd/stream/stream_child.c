#include "stream_child.h"

#include <unistd.h>

#include <ap_mpm.h>
#include <mpm_common.h>

#include "stream_capacity.h"
#include "stream_children.h"
#include "stream_connection.h"
#include "stream_loop.h"

/* Loops that a child has at most. */
#define LOOPS_MAX 8

/* This child's streams. Made in child_init, gone with the child's pool. */
typedef struct streams_t {
    stream_loop_t *loops[LOOPS_MAX];
    apr_uint32_t loop_count;
    apr_uint32_t taken; /* atomic: streams that loops were given so far, in turn */
    stream_quota_t *quota;
    apr_uint32_t is_draining; /* atomic */
    apr_uint32_t most; /* GripChatMaxStreams; beyond reach of all children where that is not set */
} streams_t;

static streams_t *streams;

static apr_status_t forget(void *data)
{
    streams = NULL;
    return APR_SUCCESS;
}

/* Before anything of the child is destroyed: the threads use all of it. */
static apr_status_t stop(void *data)
{
    streams_t *made = data;
    apr_status_t result = APR_SUCCESS;
    apr_uint32_t i;

    for (i = 0; i < made->loop_count; i++) {
        apr_status_t rv = stream_loop_stop(made->loops[i]);

        result = result == APR_SUCCESS ? rv : result;
    }
    return result;
}

/* Once a second, in the thread of a loop. */
static void look_at_children(void *data)
{
    streams_t *made = data;

    if (!__atomic_load_n(&made->is_draining, __ATOMIC_RELAXED)) {
        (void)stream_children_look(made->quota); /* the answer is for new readers */
    }
}

/* Start a loop for each processor that is not busy with another child's; one is enough to go on. */
static apr_status_t start_loops(streams_t *made, stream_loop_spec_t *spec, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    int children;
    int count;

    if (ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &children) != APR_SUCCESS || children < 1) {
        children = 1;
    }
    count = (int)(sysconf(_SC_NPROCESSORS_ONLN) / children);
    count = count < 1 ? 1 : count > LOOPS_MAX ? LOOPS_MAX : count;
    spec->loops = children * count;
    while (rv == APR_SUCCESS && made->loop_count < (apr_uint32_t)count) {
        rv = stream_loop_start(&made->loops[made->loop_count], spec, pool);
        made->loop_count += rv == APR_SUCCESS;
    }
    if (rv != APR_SUCCESS && made->loop_count > 0) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, spec->main,
                     "GC0176: %u of %d threads that write streams could be started",
                     made->loop_count, count);
        rv = APR_SUCCESS;
    }
    return rv;
}

apr_status_t stream_child_child_init(const ipc_shared_t *shared, const char *socket_path,
                                     apr_pool_t *pchild, server_rec *main)
{
    streams_t *made = apr_pcalloc(pchild, sizeof(*made));
    stream_loop_spec_t spec = {main, shared, socket_path, 1, look_at_children, made};
    apr_uint32_t total = stream_capacity_of_child(main);
    const conf_settings_t *settings = &conf_server_get(main)->settings;
    apr_uint32_t each = (apr_uint32_t)settings->max_streams_per_client;
    apr_status_t rv;

    if (total == 0) {
        return APR_SUCCESS;
    }
    made->most =
        settings->max_streams == CONF_UNSET ? APR_UINT32_MAX : (apr_uint32_t)settings->max_streams;
    rv = stream_quota_create(&made->quota, each, total, made->most, pchild);
    if (rv == APR_SUCCESS) {
        apr_pool_pre_cleanup_register(pchild, made, stop);
        rv = start_loops(made, &spec, pchild);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(pchild, made, forget, apr_pool_cleanup_null);
        streams = made;
    }
    return rv;
}

/* Whether the MPM can let go of the connection, and its request has the connection for itself. A
 * stream of HTTP/2 does not, nor does a part of another request. */
static int is_suited(const request_rec *r)
{
    const conn_rec *c = r->connection;

    return c->cs && !c->master && !c->clogging_input_filters && !r->main && !r->prev &&
           !r->header_only && !r->assbackwards;
}

/* The connection is gone, and with it the place that it took. */
static apr_status_t leave_place(void *data)
{
    stream_connection_t *connection = data;

    if (streams) {
        stream_quota_leave(streams->quota, connection->client);
    }
    return APR_SUCCESS;
}

/* A line for the first reader that polls: no other sign tells that readers are more than the
 * places. */
static void tell_full(const request_rec *r)
{
    apr_uint32_t all = stream_quota_everywhere();
    apr_uint32_t each = stream_quota_limit(streams->quota);

    if (!stream_quota_first(0)) {
        return;
    }
    ap_log_rerror(
        APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, r,
        "GC0178: there are %u streams, and readers beyond poll: %s", all,
        all >= streams->most
            ? "GripChatMaxStreams says so; write a larger number where they are to be held"
            : apr_psprintf(r->pool,
                           "event leaves room for %u in each child; for twice as many write "
                           "AsyncRequestWorkerFactor %d, or twice the MaxRequestWorkers",
                           each, stream_capacity_factor_for(2 * each)));
}

/* A reader gets no place here. Where another child has one, the end of the connection lets the reader come to it. */
static void refuse(request_rec *r, int is_own_fault)
{
    if (is_own_fault) {
        if (stream_quota_first(1)) {
            ap_log_rerror(APLOG_MARK, APLOG_NOTICE | APLOG_NOERRNO, 0, r,
                          "GC0179: an address has as many streams as GripChatMaxStreamsPerClient "
                          "says, and polls beyond; if it is a proxy's, let mod_remoteip tell its "
                          "clients apart");
        }
    }
    else if (stream_children_look(streams->quota) == STREAM_CHILDREN_FULL) {
        tell_full(r);
    }
    else {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
}

stream_connection_t *stream_child_reserve(request_rec *r, const conf_site_t *site, const char *room)
{
    stream_ledger_client_t *client;
    stream_connection_t *connection;
    conn_rec *c = r->connection;
    int is_own_fault;

    if (!streams || !is_suited(r) || !conf_server_holds_streams(r->server) ||
        __atomic_load_n(&streams->is_draining, __ATOMIC_RELAXED))
    {
        return NULL;
    }
    client = stream_quota_enter(streams->quota, r->useragent_addr, &is_own_fault);
    if (!client) {
        refuse(r, is_own_fault);
        return NULL;
    }
    connection = apr_pcalloc(c->pool, sizeof(*connection));
    connection->c = c;
    connection->r = r;
    connection->site = site;
    connection->room_name = room;
    connection->client = client;
    connection->timer.connection = connection;
    apr_pool_cleanup_register(c->pool, connection, leave_place, apr_pool_cleanup_null);
    return connection;
}

int stream_child_begin(stream_connection_t *connection, gc_slice_t head, chat_block_t *block,
                       gc_slice_t part, apr_int64_t reached)
{
    int status;

    connection->reached = reached;
    status = stream_connection_begin(connection, head, block, part);
    if (status != SUSPENDED) {
        stream_child_cancel(connection);
    }
    return status;
}

void stream_child_cancel(stream_connection_t *connection)
{
    (void)apr_pool_cleanup_run(connection->c->pool, connection, leave_place); /* cannot fail */
}

stream_child_stats_t stream_child_stats(void)
{
    stream_child_stats_t stats = {0, 0};

    if (streams) {
        stats.streams = stream_quota_count(streams->quota);
        stats.limit = stream_quota_limit(streams->quota);
    }
    return stats;
}

/* The MPM lets go of a connection. It does so for many reasons; ours is told by the state. */
static void suspend_connection(conn_rec *c, request_rec *r)
{
    stream_connection_t *connection = ap_get_module_config(c->conn_config, &grip_chat_module);
    apr_uint32_t turn;

    if (connection && streams && c->cs && c->cs->state == CONN_STATE_SUSPENDED &&
        !connection->is_parked)
    {
        connection->is_parked = 1;
        stream_connection_park(connection);
        turn = __atomic_fetch_add(&streams->taken, 1, __ATOMIC_RELAXED);
        stream_loop_adopt(streams->loops[turn % streams->loop_count], connection);
    }
}

static void child_stopping(apr_pool_t *pchild, int is_graceful)
{
    apr_uint32_t i;

    if (streams) {
        __atomic_store_n(&streams->is_draining, 1, __ATOMIC_RELAXED);
        for (i = 0; i < streams->loop_count; i++) {
            stream_loop_drain(streams->loops[i], is_graceful);
        }
    }
}

static void child_status(server_rec *main, pid_t child, ap_generation_t generation, int slot,
                         mpm_child_status status)
{
    if (status == MPM_CHILD_EXITED) {
        stream_quota_forget(child);
    }
}

void stream_child_hooks(apr_pool_t *pool)
{
    /* After all other modules' hooks: from then on the connection is another thread's. */
    ap_hook_suspend_connection(suspend_connection, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_child_status(child_status, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
    stream_connection_hooks(pool);
}
