#include "grip_transport.h"

#include "config.h"

/* Without libcurl's parts since 7.76. Newer headers then call the older names deprecated. */
#if !HAVE_DECL_CURLOPT_PROTOCOLS_STR
#define CURL_DISABLE_DEPRECATION
#endif

#include <apr_ring.h>
#include <curl/curl.h>

#include "grip_answer.h"
#include "grip_authorize.h"
#if !HAVE_DECL_CURLOPT_QUICK_EXIT
#include "gc_clock.h"
#include "grip_names.h"
#endif

/* Idle connections that are kept; there are few proxies. */
#define KEPT_CONNECTIONS 8L

struct grip_transport_t {
    CURLM *multi;
    grip_transport_loop_t loop;
    APR_RING_HEAD(grip_transport_posts_t, grip_transport_post_t) posts; /* those under way */
    apr_size_t pending;
    apr_pool_t *pool;
#if !HAVE_DECL_CURLOPT_QUICK_EXIT
    grip_names_t *names;
#endif
};

struct grip_transport_post_t {
    grip_transport_t *transport;
    APR_RING_ENTRY(grip_transport_post_t) link;
    CURL *easy;
    struct curl_slist *headers;
    gc_slice_t body;  /* in pool */
    apr_size_t given; /* how much of it libcurl has taken: only that can have left */
    grip_transport_done_fn *done;
    void *baton;
    grip_answer_t answer;
    char error[CURL_ERROR_SIZE];
    apr_pool_t *pool; /* owns this */
#if !HAVE_DECL_CURLOPT_QUICK_EXIT
    grip_names_ask_t *ask; /* while its host is looked up; libcurl does not have it before */
    struct curl_slist *entry;
    gc_moment_t due;
#endif
};

apr_status_t grip_transport_global_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? APR_SUCCESS : APR_EGENERAL;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *baton, void *per_socket)
{
    const grip_transport_t *transport = baton;
    int want_read = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    int want_write = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;

    transport->loop.watch(fd, want_read, want_write, transport->loop.baton);
    return 0;
}

static int on_timer(CURLM *multi, long after_ms, void *baton)
{
    const grip_transport_t *transport = baton;

    transport->loop.timer(after_ms < 0 ? -1 : apr_time_from_msec((apr_interval_time_t)after_ms),
                          transport->loop.baton);
    return 0;
}

static size_t on_header(char *data, size_t size, size_t count, void *baton)
{
    grip_transport_post_t *post = baton;
    gc_slice_t line = gc_slice(data, size * count);

    return grip_answer_line(&post->answer, line, apr_time_now()) ? line.len : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *baton)
{
    grip_transport_post_t *post = baton;
    gc_slice_t piece = gc_slice(data, size * count);

    return grip_answer_body(&post->answer, piece) ? piece.len : 0;
}

static size_t on_want_body(char *to, size_t size, size_t count, void *baton)
{
    grip_transport_post_t *post = baton;
    apr_size_t left = post->body.len - post->given;
    apr_size_t len = size * count < left ? size * count : left;

    memcpy(to, post->body.data + post->given, len);
    post->given += len;
    return len;
}

/* Libcurl wants to send once more, as it does if a kept connection ends without an answer. The
 * bytes that it has taken may have arrived, and must not arrive again: so the post fails. */
static int on_want_body_again(void *baton, curl_off_t offset, int origin)
{
    return CURL_SEEKFUNC_FAIL;
}

static void link_post(grip_transport_post_t *post)
{
    APR_RING_INSERT_HEAD(&post->transport->posts, post, grip_transport_post_t, link);
    post->transport->pending++;
}

static void unlink_post(grip_transport_post_t *post)
{
    APR_RING_REMOVE(post, link);
    post->transport->pending--;
}

/* The post must no longer be in the multi handle. */
static void free_post(grip_transport_post_t *post)
{
    curl_easy_cleanup(post->easy);
    curl_slist_free_all(post->headers);
#if !HAVE_DECL_CURLOPT_QUICK_EXIT
    curl_slist_free_all(post->entry);
    if (post->ask) {
        grip_names_forget(post->transport->names, post->ask);
    }
#endif
    apr_pool_destroy(post->pool);
}

static apr_status_t destroy_transport(void *data)
{
    grip_transport_t *transport = data;

    /* These two only fail for a bad handle; without functions the loop hears of no close. */
    (void)curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, NULL);
    (void)curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, NULL);
#if !HAVE_DECL_CURLOPT_QUICK_EXIT
    grip_names_end(transport->names);
#endif
    while (!APR_RING_EMPTY(&transport->posts, grip_transport_post_t, link)) {
        grip_transport_cancel(APR_RING_FIRST(&transport->posts));
    }
    return curl_multi_cleanup(transport->multi) == CURLM_OK ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t grip_transport_create(grip_transport_t **out, const grip_transport_loop_t *loop,
                                   apr_pool_t *pool)
{
    grip_transport_t *transport = apr_pcalloc(pool, sizeof(*transport));
    CURLM *multi = curl_multi_init();

    if (!multi) {
        return APR_ENOMEM;
    }
    transport->multi = multi;
    transport->loop = *loop;
    transport->pool = pool;
    APR_RING_INIT(&transport->posts, grip_transport_post_t, link);
#if !HAVE_DECL_CURLOPT_QUICK_EXIT
    transport->names = grip_names_create(loop, pool);
#endif
    if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, transport) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, transport) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS) != CURLM_OK)
    {
        (void)curl_multi_cleanup(multi);
        return APR_ENOMEM;
    }
    /* Before the subpools of pool die, for the posts live in those. */
    apr_pool_pre_cleanup_register(pool, transport, destroy_transport);
    *out = transport;
    return APR_SUCCESS;
}

void grip_transport_destroy(grip_transport_t *transport)
{
    /* A failure here could only mean that memory is lost. */
    (void)apr_pool_cleanup_run(transport->pool, transport, destroy_transport);
}

static int add_header(grip_transport_post_t *post, const char *line)
{
    struct curl_slist *longer = curl_slist_append(post->headers, line);

    post->headers = longer ? longer : post->headers;
    return longer != NULL;
}

static apr_status_t set_request(grip_transport_post_t *post, const grip_proxy_t *proxy)
{
    CURL *easy = post->easy;
    const char *authorization;
    apr_status_t rv = grip_authorize(&authorization, proxy, apr_time_now(), post->pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* An empty Expect keeps libcurl from waiting for "100 Continue", which Pushpin never sends. */
    if (!add_header(post, "Content-Type: application/json") || !add_header(post, "Expect:") ||
        (authorization &&
         !add_header(post, apr_pstrcat(post->pool, "Authorization: ", authorization, NULL))))
    {
        return APR_ENOMEM;
    }
    if (curl_easy_setopt(easy, CURLOPT_URL, proxy->publish_uri) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len) !=
            CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_want_body) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_READDATA, post) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_want_body_again) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "mod_grip_chat") != CURLE_OK)
    {
        return APR_ENOMEM;
    }
    return APR_SUCCESS;
}

static apr_interval_time_t connect_timeout(apr_interval_time_t timeout)
{
    return timeout < GRIP_TRANSPORT_CONNECT_TIMEOUT ? timeout : GRIP_TRANSPORT_CONNECT_TIMEOUT;
}

static apr_status_t set_rules(grip_transport_post_t *post, apr_interval_time_t timeout)
{
    CURL *easy = post->easy;
    apr_interval_time_t connect = connect_timeout(timeout);

    if (curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
#if HAVE_DECL_CURLOPT_PROTOCOLS_STR
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK ||
#else
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) !=
            CURLE_OK ||
#endif
#if HAVE_DECL_CURLOPT_QUICK_EXIT
        /* Else giving up while a name is looked up would wait for the lookup's thread, and so block
         * the event loop for as long as the resolver does. */
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) != CURLE_OK ||
#endif
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK ||
        /* A proxy variable inherited from somebody's shell must not carry our key elsewhere. */
        curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)apr_time_as_msec(connect)) !=
            CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(timeout)) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, post) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, post) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PRIVATE, post) != CURLE_OK)
    {
        return APR_ENOMEM;
    }
    return APR_SUCCESS;
}

void grip_transport_cancel(grip_transport_post_t *post)
{
    /* Fails only for handles that are not in the multi handle; this one is. */
    (void)curl_multi_remove_handle(post->transport->multi, post->easy);
    unlink_post(post);
    free_post(post);
}

apr_size_t grip_transport_pending(const grip_transport_t *transport)
{
    return transport->pending;
}

static apr_status_t status_of(CURLcode code, CURL *easy)
{
    long os_error = 0;

    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return APR_TIMEUP;
    case CURLE_COULDNT_RESOLVE_HOST:
        return APR_EHOSTUNREACH;
    case CURLE_COULDNT_CONNECT:
        if (curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error) == CURLE_OK && os_error) {
            return APR_FROM_OS_ERROR((apr_status_t)os_error);
        }
        return APR_ECONNREFUSED;
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return APR_ECONNRESET;
    case CURLE_PARTIAL_FILE:
        return APR_INCOMPLETE;
    case CURLE_OUT_OF_MEMORY:
        return APR_ENOMEM;
    default:
        return APR_EGENERAL;
    }
}

static grip_transport_result_t result_of(grip_transport_post_t *post, CURLcode code)
{
    grip_transport_result_t result = {GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 0, -1, -1, "", ""};
    long http_status = 0;

    grip_answer_make_printable(post->error);
    result.excerpt = post->answer.excerpt;
    if (curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &http_status) == CURLE_OK) {
        result.http_status = (int)http_status;
    }
    result.retry_after_secs = post->answer.retry_after_secs;
    result.limit_ends_secs = post->answer.limit_ends_secs;
    if (code == CURLE_OK || (grip_answer_is_overlong(&post->answer) && http_status)) {
        return result;
    }
    /* A head alone publishes nothing. All of the body that libcurl took may have left. */
    result.outcome = post->given ? GRIP_TRANSPORT_UNCERTAIN : GRIP_TRANSPORT_NOT_SENT;
    result.rv = status_of(code, post->easy);
    result.error = post->error[0] ? post->error : curl_easy_strerror(code);
    return result;
}

static void finish_post(grip_transport_post_t *post, CURLcode code)
{
    grip_transport_result_t result = result_of(post, code);

    (void)curl_multi_remove_handle(post->transport->multi, post->easy);
    unlink_post(post);
    post->done(&result, post->baton);
    free_post(post);
}

static apr_status_t hand_over(grip_transport_post_t *post)
{
    return curl_multi_add_handle(post->transport->multi, post->easy) == CURLM_OK ? APR_SUCCESS
                                                                                 : APR_ENOMEM;
}

#if HAVE_DECL_CURLOPT_QUICK_EXIT
static apr_status_t send_post(grip_transport_post_t *post, const grip_proxy_t *proxy,
                              apr_interval_time_t timeout)
{
    return hand_over(post);
}
#else
static apr_status_t hand_over_with(grip_transport_post_t *post, const char *entry)
{
    post->entry = curl_slist_append(NULL, entry);
    if (!post->entry || curl_easy_setopt(post->easy, CURLOPT_RESOLVE, post->entry) != CURLE_OK) {
        return APR_ENOMEM;
    }
    return hand_over(post);
}

static void on_found(apr_status_t rv, const char *entry, void *baton)
{
    grip_transport_post_t *post = baton;
    long left_ms = (long)apr_time_as_msec(post->due - gc_clock_now());

    post->ask = NULL;
    if (rv == APR_SUCCESS && left_ms <= 0) {
        rv = APR_TIMEUP;
    }
    if (rv == APR_SUCCESS) {
        rv = curl_easy_setopt(post->easy, CURLOPT_TIMEOUT_MS, left_ms) == CURLE_OK
                 ? hand_over_with(post, entry)
                 : APR_ENOMEM;
    }
    if (rv != APR_SUCCESS) {
        finish_post(post, rv == APR_TIMEUP ? CURLE_OPERATION_TIMEDOUT
                          : rv == APR_EHOSTUNREACH ? CURLE_COULDNT_RESOLVE_HOST
                                                   : CURLE_OUT_OF_MEMORY);
    }
}

/* Look the host up first: an older libcurl that gives up in the middle of a lookup waits for the resolver,
 * and the event loop with it. */
static apr_status_t send_post(grip_transport_post_t *post, const grip_proxy_t *proxy,
                              apr_interval_time_t timeout)
{
    const char *entry;
    apr_status_t rv;

    post->due = gc_clock_now() + timeout;
    rv = grip_names_ask(post->transport->names, &entry, &post->ask, proxy->publish_uri,
                        connect_timeout(timeout), on_found, post, post->pool);
    if (rv != APR_SUCCESS || post->ask) {
        return rv;
    }
    return entry ? hand_over_with(post, entry) : hand_over(post);
}
#endif

static apr_status_t start_post(grip_transport_post_t *post, const grip_proxy_t *proxy,
                               apr_interval_time_t timeout)
{
    apr_status_t rv;

    post->easy = curl_easy_init();
    if (!post->easy) {
        return APR_ENOMEM;
    }
    rv = set_request(post, proxy);
    if (rv == APR_SUCCESS) {
        rv = set_rules(post, timeout);
    }
    return rv == APR_SUCCESS ? send_post(post, proxy, timeout) : rv;
}

apr_status_t grip_transport_post(grip_transport_t *transport, grip_transport_post_t **out,
                                 const grip_proxy_t *proxy, gc_slice_t body,
                                 apr_interval_time_t timeout, grip_transport_done_fn *done,
                                 void *baton)
{
    grip_transport_post_t *post;
    apr_pool_t *pool;
    apr_status_t rv;

    if (timeout < GRIP_TRANSPORT_TIMEOUT_MIN || timeout > GRIP_TRANSPORT_TIMEOUT_MAX) {
        return APR_EINVAL;
    }
    rv = apr_pool_create(&pool, transport->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    post = apr_pcalloc(pool, sizeof(*post));
    post->transport = transport;
    post->done = done;
    post->baton = baton;
    post->pool = pool;
    post->body = gc_slice(apr_pmemdup(pool, body.len ? body.data : "", body.len), body.len);
    grip_answer_begin(&post->answer);
    rv = start_post(post, proxy, timeout);
    if (rv != APR_SUCCESS) {
        free_post(post);
        return rv;
    }
    link_post(post);
    if (out) {
        *out = post;
    }
    return APR_SUCCESS;
}

static void finish_posts(grip_transport_t *transport)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
        /* The message does not outlive the removal of its handle. */
        CURLcode code = message->data.result;
        char *post = NULL;

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &post) == CURLE_OK && post)
        {
            finish_post((grip_transport_post_t *)(void *)post, code);
        }
    }
}

static apr_status_t act(grip_transport_t *transport, curl_socket_t fd, int events)
{
    int running;
    CURLMcode code = curl_multi_socket_action(transport->multi, fd, events, &running);

    finish_posts(transport);
    return code == CURLM_OK ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t grip_transport_ready(grip_transport_t *transport, int fd, int is_readable,
                                  int is_writable)
{
#if !HAVE_DECL_CURLOPT_QUICK_EXIT
    if (grip_names_ready(transport->names, fd)) {
        return APR_SUCCESS;
    }
#endif
    return act(transport, fd,
               (is_readable ? CURL_CSELECT_IN : 0) | (is_writable ? CURL_CSELECT_OUT : 0));
}

apr_status_t grip_transport_timeout(grip_transport_t *transport)
{
    return act(transport, CURL_SOCKET_TIMEOUT, 0);
}
