/* The counterparts of transport tests: a proxy in a thread that follows orders, an event loop
 * around poll(), and the remains of a post once it has ended. */
#ifndef GRIP_STUB_H
#define GRIP_STUB_H

#include <poll.h>
#include <pthread.h>

#include "gc_clock.h"
#include "grip_transport.h"
#include "unit.h"

#define STUB_FDS_MAX 16

/** A proxy on the loopback interface that serves one connection after the other. The counters and
 *  the request are for the test to read once it has been stopped. */
typedef struct stub_proxy_t {
    /**
     * The fate of each request, one letter each, over all connections: 'a' it is answered. Read
     * whole and not answered, it is 'c' closed, 'r' reset, or 'g' closed and gone for good, so that
     * connections are refused. It is reset 'f' after its first bytes, 'b' after the first 100,000.
     * Those after the last letter are answered.
     */
    const char *fates;
    const char *answer; /**< sent as it is; NULL: says nothing until it is stopped */
    int keeps_open;     /**< more requests may come on the connection */
    int listener;
    int stop[2];
    int port;
    int connections;
    int fated;                     /**< requests that a letter was taken for */
    int requests;                  /**< those that were read whole */
    char request[2 * 1024 * 1024]; /**< the last one */
    size_t request_len;
    pthread_t thread;
} stub_proxy_t;

/** Start one in pool. */
stub_proxy_t *stub_proxy_start(const char *answer, int keeps_open, apr_pool_t *pool);

/** Start one that treats the first requests so; it keeps connections open otherwise. */
stub_proxy_t *stub_proxy_start_with(const char *fates, const char *answer, apr_pool_t *pool);

/** Stop it, also in the middle of a connection. */
void stub_proxy_stop(stub_proxy_t *server);

/** A GRIP_URL as proxy. */
const grip_proxy_t *stub_proxy_at(const char *url, apr_pool_t *pool);

/** A stub as proxy without key. */
const grip_proxy_t *stub_proxy_of(const stub_proxy_t *server, apr_pool_t *pool);

/** Listen on a free port. */
int stub_listen(int *port, int backlog);

/** An event loop. */
typedef struct stub_loop_t {
    struct pollfd fds[STUB_FDS_MAX]; /**< the transport's wishes to watch */
    int count;
    gc_moment_t alarm; /**< 0: none */
    int calls;         /**< of watch and timer */
} stub_loop_t;

/** Make a transport that uses loop, which is cleared. */
grip_transport_t *stub_loop_transport(stub_loop_t *loop, apr_pool_t *pool);

/** Wait for at most 50 ms and tell the transport what has happened. */
void stub_loop_turn(stub_loop_t *loop, grip_transport_t *transport);

/** Turn until no post is under way; fails the test after 8 s. */
void stub_loop_run(stub_loop_t *loop, grip_transport_t *transport);

/** How a post ended: clear it before use. */
typedef struct stub_ending_t {
    int calls;
    grip_transport_result_t result; /**< its texts are gone; these are copies: */
    char error[512];
    char excerpt[512];
} stub_ending_t;

/** A grip_transport_done_fn whose baton is a stub_ending_t. */
void stub_ending_take(const grip_transport_result_t *result, void *baton);

/** Make a transport, post with it, wait for the end, destroy it. */
void stub_post(stub_ending_t *ending, const grip_proxy_t *proxy, gc_slice_t body,
               apr_interval_time_t timeout, apr_pool_t *pool);

/** Fail unless a post ended so. */
void stub_assert_ended(const stub_ending_t *ending, grip_transport_outcome_e outcome,
                       apr_status_t rv, int http_status);

#endif
