#include "grip_transport.h"

#include <apr_encode.h>

#include <curl/curl.h>

#include "grip_jws.h"

/* Idle connections that are kept; there are few proxies. */
#define KEPT_CONNECTIONS 8L

/* More than this in header fields is no proxy. */
#define ANSWER_HEAD_MAX_BYTES 65536

#define WAIT_MAX_SECS 86400

/* When Fastly's API will take more: UTC seconds since 1970. It does not document Retry-After. */
#define LIMIT_RESET_HEADER "Fastly-RateLimit-Reset"

struct grip_transport_t {
    CURLM *multi;
    grip_transport_loop_t loop;
    grip_transport_post_t *posts; /* those under way, doubly linked */
    apr_size_t pending;
    apr_pool_t *pool;
};

struct grip_transport_post_t {
    grip_transport_t *transport;
    grip_transport_post_t *prev;
    grip_transport_post_t *next;
    CURL *easy;
    struct curl_slist *headers;
    grip_transport_done_fn *done;
    void *baton;
    apr_size_t head_len; /* bytes of the answer so far */
    apr_size_t body_len;
    int is_overlong; /* the answer was cut off because its body is too long */
    apr_size_t excerpt_len;
    char excerpt[GRIP_TRANSPORT_EXCERPT_MAX_BYTES + 1];
    char error[CURL_ERROR_SIZE];
    apr_pool_t *pool; /* owns this */
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

static void make_printable(char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~') {
            *text = ' ';
        }
    }
}

static size_t on_header(char *data, size_t size, size_t count, void *baton)
{
    grip_transport_post_t *post = baton;
    size_t len = size * count;

    post->head_len += len;
    return post->head_len > ANSWER_HEAD_MAX_BYTES ? 0 : len;
}

static size_t on_body(char *data, size_t size, size_t count, void *baton)
{
    grip_transport_post_t *post = baton;
    size_t len = size * count;
    size_t kept = sizeof(post->excerpt) - 1 - post->excerpt_len;
    size_t i;

    post->body_len += len;
    for (i = 0; i < len && i < kept; i++) {
        post->excerpt[post->excerpt_len++] = data[i] ? data[i] : ' ';
    }
    if (post->body_len > GRIP_TRANSPORT_ANSWER_MAX_BYTES) {
        post->is_overlong = 1;
        return 0;
    }
    return len;
}

static void link_post(grip_transport_post_t *post)
{
    grip_transport_t *transport = post->transport;

    post->prev = NULL;
    post->next = transport->posts;
    if (post->next) {
        post->next->prev = post;
    }
    transport->posts = post;
    transport->pending++;
}

static void unlink_post(grip_transport_post_t *post)
{
    grip_transport_t *transport = post->transport;

    if (post->next) {
        post->next->prev = post->prev;
    }
    if (post->prev) {
        post->prev->next = post->next;
    }
    else {
        transport->posts = post->next;
    }
    transport->pending--;
}

/* The post must no longer be in the multi handle. */
static void free_post(grip_transport_post_t *post)
{
    curl_easy_cleanup(post->easy);
    curl_slist_free_all(post->headers);
    apr_pool_destroy(post->pool);
}

static apr_status_t destroy_transport(void *data)
{
    grip_transport_t *transport = data;
    grip_transport_post_t *post;

    /* These two only fail for a bad handle; without functions nobody hears of what is closed. */
    (void)curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, NULL);
    (void)curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, NULL);
    while ((post = transport->posts) != NULL) {
        grip_transport_cancel(post);
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
    /* What could be said about a failure here is that memory is lost. */
    (void)apr_pool_cleanup_run(transport->pool, transport, destroy_transport);
}

/* The value of Authorization, or NULL if the proxy wants none. */
static apr_status_t authorize(const char **value, const grip_proxy_t *proxy, apr_pool_t *pool)
{
    const char *token;
    apr_status_t rv;

    *value = NULL;
    switch (proxy->auth) {
    case GRIP_AUTH_NONE:
        break;
    case GRIP_AUTH_JWT:
        rv = grip_jws_sign(&token, proxy->sign_key, proxy->iss, apr_time_now(),
                           GRIP_TRANSPORT_TOKEN_LIFETIME, pool);
        if (rv != APR_SUCCESS) {
            return APR_EGENERAL;
        }
        *value = apr_pstrcat(pool, "Bearer ", token, NULL);
        break;
    case GRIP_AUTH_BEARER:
        *value = apr_pstrcat(pool, "Bearer ", proxy->bearer, NULL);
        break;
    case GRIP_AUTH_BASIC:
        token = apr_pstrcat(pool, proxy->user, ":", proxy->password, NULL);
        token = apr_pencode_base64(pool, token, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL);
        *value = apr_pstrcat(pool, "Basic ", token, NULL);
        break;
    }
    return APR_SUCCESS;
}

static int add_header(grip_transport_post_t *post, const char *line)
{
    struct curl_slist *longer = curl_slist_append(post->headers, line);

    if (longer) {
        post->headers = longer;
    }
    return longer != NULL;
}

static apr_status_t set_request(grip_transport_post_t *post, const grip_proxy_t *proxy,
                                gc_slice_t body)
{
    CURL *easy = post->easy;
    const char *authorization;
    apr_status_t rv = authorize(&authorization, proxy, post->pool);

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
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body.len ? body.data : "") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "mod_grip_chat") != CURLE_OK)
    {
        return APR_ENOMEM;
    }
    return APR_SUCCESS;
}

static apr_status_t set_rules(grip_transport_post_t *post, apr_interval_time_t timeout)
{
    CURL *easy = post->easy;
    apr_interval_time_t connect =
        timeout < GRIP_TRANSPORT_CONNECT_TIMEOUT ? timeout : GRIP_TRANSPORT_CONNECT_TIMEOUT;

    if (curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK ||
        /* Else giving up while a name is looked up would wait for the lookup's thread, and so block
         * the event loop for as long as the resolver does. */
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) != CURLE_OK ||
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

static apr_status_t start_post(grip_transport_post_t *post, const grip_proxy_t *proxy,
                               gc_slice_t body, apr_interval_time_t timeout)
{
    apr_status_t rv;

    post->easy = curl_easy_init();
    if (!post->easy) {
        return APR_ENOMEM;
    }
    rv = set_request(post, proxy, body);
    if (rv == APR_SUCCESS) {
        rv = set_rules(post, timeout);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return curl_multi_add_handle(post->transport->multi, post->easy) == CURLM_OK ? APR_SUCCESS
                                                                                 : APR_ENOMEM;
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
    rv = start_post(post, proxy, body, timeout);
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

static apr_int64_t retry_after_of(CURL *easy)
{
    curl_off_t secs = 0;

    if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &secs) != CURLE_OK || secs <= 0) {
        return -1;
    }
    return secs > WAIT_MAX_SECS ? WAIT_MAX_SECS : (apr_int64_t)secs;
}

static apr_int64_t limit_ends_of(CURL *easy)
{
    struct curl_header *header;
    apr_int64_t ends = 0;
    apr_int64_t secs;

    if (curl_easy_header(easy, LIMIT_RESET_HEADER, 0, CURLH_HEADER, -1, &header) != CURLHE_OK ||
        gc_slice_number(gc_slice_of(header->value), APR_INT64_MAX / APR_USEC_PER_SEC, &ends) !=
            APR_SUCCESS)
    {
        return -1;
    }
    secs = ends - apr_time_sec(apr_time_now());
    if (secs <= 0) {
        return -1;
    }
    return secs > WAIT_MAX_SECS ? WAIT_MAX_SECS : secs;
}

static grip_transport_result_t result_of(grip_transport_post_t *post, CURLcode code)
{
    grip_transport_result_t result = {GRIP_TRANSPORT_ANSWERED, APR_SUCCESS, 0, -1, -1, "", ""};
    long http_status = 0;
    long sent_bytes = 0;

    post->excerpt[post->excerpt_len] = '\0';
    make_printable(post->excerpt);
    make_printable(post->error);
    result.excerpt = post->excerpt;
    if (curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &http_status) == CURLE_OK) {
        result.http_status = (int)http_status;
    }
    result.retry_after_secs = retry_after_of(post->easy);
    result.limit_ends_secs = limit_ends_of(post->easy);
    if (code == CURLE_OK || (post->is_overlong && http_status)) {
        return result;
    }
    /* Where libcurl cannot tell, assume the worse. */
    if (curl_easy_getinfo(post->easy, CURLINFO_REQUEST_SIZE, &sent_bytes) != CURLE_OK) {
        sent_bytes = 1;
    }
    result.outcome = sent_bytes ? GRIP_TRANSPORT_UNCERTAIN : GRIP_TRANSPORT_NOT_SENT;
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
    return act(transport, fd,
               (is_readable ? CURL_CSELECT_IN : 0) | (is_writable ? CURL_CSELECT_OUT : 0));
}

apr_status_t grip_transport_timeout(grip_transport_t *transport)
{
    return act(transport, CURL_SOCKET_TIMEOUT, 0);
}
