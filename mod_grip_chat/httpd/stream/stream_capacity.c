#include "stream_capacity.h"

#include <stdlib.h>
#include <sys/resource.h>

#include <ap_mpm.h>

/* Descriptors of a child that no stream has: listeners, logs, databases, the keeper's connections. */
#define OTHER_DESCRIPTORS 128

/* Streams get this share of the connections that the MPM takes, so that at least a quarter of its
 * threads can always be at work. Each stream reduces the connections that idle threads let in. */
#define SHARE_OF 4
#define SHARE    3

/* event's own default of AsyncRequestWorkerFactor. */
#define FACTOR_DEFAULT 2

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

    return factor >= 1 && factor < CONF_STREAMS_MAX ? (apr_int64_t)factor : 0;
}

/* The factor with which a child has room for so many streams. */
static apr_int64_t factor_for(apr_int64_t streams, int threads)
{
    return (SHARE_OF * streams + SHARE * threads - 1) / (SHARE * threads) - 1;
}

static int some_server_holds_streams(const server_rec *s)
{
    while (s && !conf_server_holds_streams(s)) {
        s = s->next;
    }
    return s != NULL;
}

void stream_capacity_work_out(server_rec *main)
{
    conf_server_t *conf = conf_server_get(main);
    apr_int64_t most = conf->settings.max_streams;
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
    room = room < CONF_STREAMS_MAX ? room : CONF_STREAMS_MAX;
    wanted = most == CONF_UNSET ? room : (most + children - 1) / children;
    /* All children are not always there, so the number is counted over those that are. */
    conf->stream_share = (int)(most != CONF_UNSET && most < room ? most : room);
    if (wanted > room) {
        ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, main,
                     "GC0105: GripChatMaxStreams %" APR_INT64_T_FMT " is %" APR_INT64_T_FMT
                     " streams for each of %d children, and the MPM has room for %" APR_INT64_T_FMT
                     "; readers beyond poll. Write AsyncRequestWorkerFactor %" APR_INT64_T_FMT
                     ", or GripChatMaxStreams %" APR_INT64_T_FMT,
                     most, wanted, children, room, factor_for(wanted, threads), room * children);
    }
}

int stream_capacity_factor_for(apr_uint32_t streams)
{
    int threads = 0;

    return ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) == APR_SUCCESS && threads > 0
               ? (int)factor_for(streams, threads)
               : FACTOR_DEFAULT;
}

apr_uint32_t stream_capacity_of_child(server_rec *main)
{
    rlim_t share = (rlim_t)conf_server_get(main)->stream_share;
    struct rlimit limit;
    int threads = 0;
    rlim_t others;

    if (share == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) != APR_SUCCESS)
    {
        return (apr_uint32_t)share;
    }
    /* A child that runs out of descriptors can accept no connection any more. */
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
