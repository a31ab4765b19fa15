/* Publishing over HTTP from an event loop, without ever blocking it. The one file that uses
 * libcurl is grip_transport_curl.c.
 *
 * A transport and everything it gives out belong to one thread. It calls back only from inside the
 * functions below. From `watch` and `timer` nothing of the transport may be called; from a
 * grip_transport_done_fn everything but grip_transport_destroy. The process ignores SIGPIPE. */
#ifndef GRIP_TRANSPORT_H
#define GRIP_TRANSPORT_H

#include <apr_time.h>

#include "grip_url.h"

/** How long to wait for a connection, TLS included; the total timeout may be shorter. */
#define GRIP_TRANSPORT_CONNECT_TIMEOUT apr_time_from_sec(5)

/** Bounds of a post's total timeout, inclusive. */
#define GRIP_TRANSPORT_TIMEOUT_MIN apr_time_from_msec(1)
#define GRIP_TRANSPORT_TIMEOUT_MAX apr_time_from_sec(600)

typedef struct grip_transport_t grip_transport_t;

/** One POST under way. Good until its grip_transport_done_fn is called or it is cancelled. */
typedef struct grip_transport_post_t grip_transport_post_t;

/**
 * The transport's wish to be told about a socket. It replaces the last wish for that fd; neither
 * reading nor writing means stop watching, now: the fd may be closed when this returns.
 */
typedef void grip_transport_watch_fn(int fd, int want_read, int want_write, void *baton);

/**
 * The transport's wish for grip_transport_timeout to be called once, `after` from now (0: as soon
 * as the loop turns). It replaces the last wish; negative means no call.
 */
typedef void grip_transport_timer_fn(apr_interval_time_t after, void *baton);

/** The wishes of a transport to the event loop. */
typedef struct grip_transport_loop_t {
    grip_transport_watch_fn *watch;
    grip_transport_timer_fn *timer;
    void *baton;
} grip_transport_loop_t;

/** How a POST ended. */
typedef enum grip_transport_outcome_e {
    GRIP_TRANSPORT_ANSWERED, /**< an answer came; http_status is the proxy's */
    GRIP_TRANSPORT_NOT_SENT, /**< not one byte of the body left: no name, connection or TLS, or the
                                   connection ended at the request's head */
    GRIP_TRANSPORT_UNCERTAIN /**< of the body bytes may have left, no whole answer came: it may have
                                  been taken or not */
} grip_transport_outcome_e;

/** The end of a POST, valid while the grip_transport_done_fn runs. */
typedef struct grip_transport_result_t {
    grip_transport_outcome_e outcome;
    apr_status_t rv;              /**< APR_SUCCESS if ANSWERED; else APR_TIMEUP, APR_ECONNREFUSED,
                                       APR_EHOSTUNREACH (also: no such name), APR_ECONNRESET,
                                       APR_INCOMPLETE (answer cut short), another of the
                                       system's, or APR_EGENERAL (TLS, not HTTP) */
    int http_status;              /**< 100 .. 999 if its status line came, else 0 */
    apr_int64_t retry_after_secs; /**< Retry-After, 1 .. 86,400, if the answer has it, else -1 */
    apr_int64_t limit_ends_secs; /**< Fastly-RateLimit-Reset, from now by the wall clock and rounded
                                       up, 1 .. 86,400; -1 if the answer has none, or one that is past */
    const char *error;           /**< "" if ANSWERED, else libcurl's words, printable ASCII */
    const char *excerpt;         /**< the start of the answer's body, printable ASCII; may be "" */
} grip_transport_result_t;

/** Called once when a POST has ended, unless it was cancelled. */
typedef void grip_transport_done_fn(const grip_transport_result_t *result, void *baton);

/**
 * Prepare libcurl. Once in a process, before any thread starts and after the fork.
 *
 * @return APR_SUCCESS, or APR_EGENERAL if libcurl cannot be used
 */
apr_status_t grip_transport_global_init(void);

/**
 * Make a transport.
 *
 * @param out   the transport, destroyed with pool at the latest; untouched on failure
 * @param loop  copied; its functions are called as long as the transport lives
 * @param pool  owns it; a pool of the transport's thread
 * @return APR_SUCCESS, or APR_ENOMEM
 */
apr_status_t grip_transport_create(grip_transport_t **out, const grip_transport_loop_t *loop,
                                   apr_pool_t *pool);

/**
 * End all connections and POSTs. No callback of any kind is called: neither done nor watch nor
 * timer; the caller forgets the fds and the timer.
 */
void grip_transport_destroy(grip_transport_t *transport);

/**
 * POST a body to a proxy's publish URI, authorized as the proxy wants it. Connections are kept and
 * used again where the proxy lets us. No body is sent twice: where a kept connection ends before any
 * answer, libcurl goes on over another one only if it has taken nothing of the body. Redirects are
 * not followed, no HTTP proxy of the environment is used, TLS certificates are verified.
 *
 * @param out      a handle to cancel it by, or NULL if not wanted; untouched on failure
 * @param proxy    must live until the call returns
 * @param body     JSON, copied; one without a byte never counts as uncertain
 * @param timeout  for all of it, in MICROSECONDS, GRIP_TRANSPORT_TIMEOUT_MIN ..
 *                 GRIP_TRANSPORT_TIMEOUT_MAX
 * @param done     called once, later, from grip_transport_ready or grip_transport_timeout; never
 *                 from here, and never if this fails
 * @param baton    for done
 * @return APR_SUCCESS, APR_EINVAL if timeout is out of bounds, APR_ENOMEM, or APR_EGENERAL if no
 *         token could be signed
 */
apr_status_t grip_transport_post(grip_transport_t *transport, grip_transport_post_t **out,
                                 const grip_proxy_t *proxy, gc_slice_t body,
                                 apr_interval_time_t timeout, grip_transport_done_fn *done,
                                 void *baton);

/**
 * Give up a POST; its done function is not called. The proxy may still take the bytes that were
 * sent.
 */
void grip_transport_cancel(grip_transport_post_t *post);

/** How many POSTs are under way. */
apr_size_t grip_transport_pending(const grip_transport_t *transport);

/**
 * Tell that a watched fd can be read or written (an error or hang-up counts as both). Calls done
 * functions.
 *
 * @return APR_SUCCESS, or APR_EGENERAL if libcurl refuses; POSTs then still end by their timeouts
 */
apr_status_t grip_transport_ready(grip_transport_t *transport, int fd, int is_readable,
                                  int is_writable);

/** Tell that the timer's time has come. Calls done functions. Returns as grip_transport_ready. */
apr_status_t grip_transport_timeout(grip_transport_t *transport);

#endif
