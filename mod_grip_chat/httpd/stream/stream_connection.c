#include "stream_connection.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <apr_optional.h>
#include <apr_portable.h>

#include <http_connection.h>
#include <http_core.h>
#include <http_request.h>

#include "room_bucket.h"

/* What the kernel holds for a slow reader (it doubles this). Left alone it let that grow to 2.8 MB. */
#define SEND_BUFFER_BYTES (64 * 1024)

/* What the filters are given at once where any of it may be too much. */
#define CHUNK_BYTES 4096

/* How long the peer may leave bytes unacknowledged, in milliseconds, before the kernel gives it up. */
#define USER_TIMEOUT_MS 30000

/* --- a bucket that carries nothing, behind which mod_ssl keeps no small record back ----------------- */

static apr_status_t read_nothing(apr_bucket *b, const char **text, apr_size_t *len,
                                 apr_read_type_e block)
{
    *text = NULL;
    *len = 0;
    return APR_SUCCESS;
}

static const apr_bucket_type_t push_type = {
    "GRIP_CHAT_PUSH",
    5,
    APR_BUCKET_METADATA,
    apr_bucket_destroy_noop,
    read_nothing,
    apr_bucket_setaside_noop,
    apr_bucket_split_notimpl,
    apr_bucket_simple_copy,
};

/* Not a FLUSH: with that the core would wait until all is sent, or abort where it may not wait. */
static apr_bucket *push_bucket(apr_bucket_alloc_t *list)
{
    apr_bucket *b = apr_bucket_alloc(sizeof(*b), list);

    APR_BUCKET_INIT(b);
    b->free = apr_bucket_free;
    b->list = list;
    b->type = &push_type;
    b->length = 0;
    b->start = 0;
    b->data = NULL;
    return b;
}

/* --- in the request's thread ------------------------------------------------------------------------ */

int stream_connection_begin(stream_connection_t *held, gc_slice_t head, chat_block_t *block,
                            gc_slice_t part)
{
    request_rec *r = held->r;
    conn_rec *c = r->connection;
    apr_bucket_brigade *bb = apr_brigade_create(c->pool, c->bucket_alloc);
    int status = ap_discard_request_body(r); /* nobody reads when it is held */
    apr_status_t rv;

    if (status != OK) {
        return status;
    }
    held->bb = bb;
    held->socket = ap_get_conn_socket(c);
    /* The end of the connection is the end of the stream, which has no length. */
    c->keepalive = AP_CONN_CLOSE;
    APR_BRIGADE_INSERT_TAIL(bb,
                            apr_bucket_pool_create(head.data, head.len, r->pool, c->bucket_alloc));
    if (part.len > 0) {
        APR_BRIGADE_INSERT_TAIL(bb, room_bucket_create(block, part, c->bucket_alloc));
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(c->bucket_alloc));
    rv = ap_pass_brigade(r->output_filters, bb);
    apr_brigade_cleanup(bb);
    if (rv != APR_SUCCESS || c->aborted) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, rv, r, "GC0171: a stream could not be begun");
        return c->aborted ? OK : AP_FILTER_ERROR;
    }
    ap_set_module_config(c->conn_config, &grip_chat_module, held);
    return SUSPENDED;
}

void stream_connection_park(stream_connection_t *held)
{
    conn_rec *c = held->c;

    /* The worker says what it is at in its row of the scoreboard. It says something else as soon as it has
     * left the connection, which is all that can be known of it from outside. */
    held->worker = ap_get_scoreboard_worker(c->sbh);
    ap_update_child_status(c->sbh, SERVER_CLOSING, NULL);
}

int stream_connection_is_free(const stream_connection_t *held)
{
    return __atomic_load_n(&held->c->sbh, __ATOMIC_ACQUIRE) == NULL &&
           (!held->worker ||
            __atomic_load_n(&held->worker->status, __ATOMIC_ACQUIRE) != SERVER_CLOSING);
}

/* --- hooks ------------------------------------------------------------------------------------------ */

/* Counts for mod_logio what goes past the core's filter; NULL where that is not loaded. */
static APR_OPTIONAL_FN_TYPE(ap_logio_add_bytes_out) * add_bytes_out;

static void find_logio(void)
{
    add_bytes_out = APR_RETRIEVE_OPTIONAL_FN(ap_logio_add_bytes_out);
}

void stream_connection_hooks(apr_pool_t *pool)
{
    ap_hook_optional_fn_retrieve(find_logio, NULL, NULL, APR_HOOK_MIDDLE);
}

/* --- in the loop's thread --------------------------------------------------------------------------- */

/* Whether no filter of a stream has to see what comes between its head and its end: not httpd's own, nor
 * mod_reqtimeout's, which waits for the end of a request. */
static int has_idle_filters_only(const request_rec *r)
{
    static const char *const names[] = {"content_length", "http_outerror", "reqtimeout", "core"};
    const ap_filter_t *filter;

    for (filter = r->output_filters; filter; filter = filter->next) {
        apr_size_t i = 0;

        while (i < sizeof(names) / sizeof(names[0]) && strcmp(filter->frec->name, names[i]) != 0) {
            i++;
        }
        if (i == sizeof(names) / sizeof(names[0])) {
            return 0;
        }
    }
    return 1;
}

void stream_connection_prepare(stream_connection_t *held, apr_thread_t *thread)
{
    conn_rec *c = held->c;
    const core_server_config *core = ap_get_core_module_config(c->base_server->module_config);
    int timeout_ms = USER_TIMEOUT_MS;
    apr_status_t rv = apr_os_sock_get(&held->fd, held->socket);

    c->current_thread = thread;
    if (rv == APR_SUCCESS) {
        rv = apr_socket_timeout_set(held->socket, 0);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_socket_opt_set(held->socket, APR_SO_SNDBUF, SEND_BUFFER_BYTES);
    }
    /* Without this the stream works, and a dead peer is found later. */
    (void)setsockopt(held->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
    held->is_bare = has_idle_filters_only(held->r);
    held->last_filter = c->output_filters;
    while (held->last_filter->next) {
        held->last_filter = held->last_filter->next;
    }
    /* Of more than this threshold the core would wait until it is sent, which ends in an abort here; TLS
     * adds a little. Where there is no threshold, a connection that is full is one that is ended. */
    held->chunk = core->flush_max_threshold ? ((apr_size_t)core->flush_max_threshold * 7 + 7) / 8
                                            : CHUNK_BYTES;
    held->state = rv == APR_SUCCESS ? STREAM_CONNECTION_OPEN : STREAM_CONNECTION_GONE;
}

static void give_up(stream_connection_t *held)
{
    held->c->aborted = 1;
    held->state = STREAM_CONNECTION_GONE;
}

/* Write to the network what the filters have, and note whether they still have some. */
static void flush(stream_connection_t *held)
{
    apr_status_t rv = held->last_filter->frec->filter_func.out_func(held->last_filter, NULL);

    if (rv != APR_SUCCESS || held->c->aborted) {
        give_up(held);
    }
    else {
        held->state =
            held->c->data_in_output_filters ? STREAM_CONNECTION_FULL : STREAM_CONNECTION_OPEN;
    }
}

/* Give the filters what is in the brigade. */
static void push(stream_connection_t *held)
{
    apr_status_t rv;

    APR_BRIGADE_INSERT_TAIL(held->bb, push_bucket(held->c->bucket_alloc));
    rv = ap_pass_brigade(held->r->output_filters, held->bb);
    apr_brigade_cleanup(held->bb);
    if (rv != APR_SUCCESS || held->c->aborted) {
        give_up(held);
        return;
    }
    flush(held);
}

/* Write to the socket, if that can be. @return how much of it was */
static apr_size_t send_bare(stream_connection_t *held, struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    apr_os_sock_t fd = -1;
    ssize_t sent;

    if (!held->is_bare || held->c->data_in_output_filters) {
        return 0;
    }
    /* When a child is stopped at once, event closes sockets, and their numbers become others'. */
    (void)apr_os_sock_get(&fd, held->socket); /* fails for no socket at all, which sendmsg finds */
    do {
        sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        if (errno != EAGAIN) {
            give_up(held);
        }
        return 0;
    }
    held->r->bytes_sent += sent;
    if (add_bytes_out) {
        add_bytes_out(held->c, sent);
    }
    return (apr_size_t)sent;
}

void stream_connection_write_all(stream_connection_t *held, chat_block_t *const *blocks, int count)
{
    struct iovec parts[STREAM_CONNECTION_BLOCKS];
    apr_size_t sent;
    int i;

    for (i = 0; i < count; i++) {
        gc_slice_t text = chat_block_text(blocks[i]);

        parts[i] = (struct iovec){(void *)text.data, text.len};
    }
    sent = send_bare(held, parts, count);
    for (i = 0; held->state == STREAM_CONNECTION_OPEN && i < count; i++) {
        gc_slice_t rest = chat_block_text(blocks[i]);
        apr_size_t gone = sent < rest.len ? sent : rest.len;

        sent -= gone;
        rest = gc_slice(rest.data + gone, rest.len - gone);
        if (rest.len > 0) {
            APR_BRIGADE_INSERT_TAIL(held->bb,
                                    room_bucket_create(blocks[i], rest, held->c->bucket_alloc));
        }
    }
    if (!APR_BRIGADE_EMPTY(held->bb)) {
        push(held);
    }
}

/* Give the filters one bucket. */
static void pass(stream_connection_t *held, apr_bucket *data)
{
    APR_BRIGADE_INSERT_TAIL(held->bb, data);
    push(held);
}

static void drop_rest(stream_connection_t *held)
{
    chat_block_release(held->block);
    held->block = NULL;
    held->rest.len = 0;
}

/* Write as much of the rest as the connection takes. */
static void write_rest(stream_connection_t *held)
{
    while (held->state == STREAM_CONNECTION_OPEN && held->rest.len > 0) {
        gc_slice_t now = held->rest;

        now.len = now.len < held->chunk ? now.len : held->chunk;
        held->rest.data += now.len;
        held->rest.len -= now.len;
        pass(held, room_bucket_create(held->block, now, held->c->bucket_alloc));
    }
    if (held->rest.len == 0 || held->state == STREAM_CONNECTION_GONE) {
        drop_rest(held);
    }
}

void stream_connection_write(stream_connection_t *held, chat_block_t *block, gc_slice_t part)
{
    chat_block_pin(block);
    held->block = block;
    held->rest = part;
    write_rest(held);
}

void stream_connection_write_text(stream_connection_t *held, gc_slice_t text)
{
    struct iovec part = {(void *)text.data, text.len};
    apr_size_t sent = send_bare(held, &part, 1);

    if (held->state == STREAM_CONNECTION_OPEN && sent < text.len) {
        pass(held, apr_bucket_heap_create(text.data + sent, text.len - sent, NULL,
                                          held->c->bucket_alloc));
    }
}

void stream_connection_resume(stream_connection_t *held)
{
    flush(held);
    write_rest(held);
}

void stream_connection_part(stream_connection_t *held, gc_slice_t farewell)
{
    conn_rec *c = held->c;
    int is_whole = held->rest.len == 0;

    drop_rest(held);
    if (!c->aborted) {
        /* Behind a part of an event it would make it one. */
        if (is_whole && farewell.len > 0) {
            APR_BRIGADE_INSERT_TAIL(held->bb, apr_bucket_heap_create(farewell.data, farewell.len,
                                                                     NULL, c->bucket_alloc));
        }
        APR_BRIGADE_INSERT_TAIL(held->bb, apr_bucket_eos_create(c->bucket_alloc));
        if (ap_pass_brigade(held->r->output_filters, held->bb) != APR_SUCCESS) {
            c->aborted = 1;
        }
        apr_brigade_cleanup(held->bb);
    }
    if (!c->aborted) {
        flush(held);
    }
    if (!c->aborted && held->is_bare && held->state == STREAM_CONNECTION_OPEN) {
        /* What fails here is done, or found, when the connection is closed. */
        (void)apr_socket_shutdown(held->socket, APR_SHUTDOWN_WRITE);
    }
    held->state = STREAM_CONNECTION_LEAVING;
}

/* --- in the ender's thread --------------------------------------------------------------------------- */

int stream_connection_end(stream_connection_t *held, apr_thread_t *thread)
{
    conn_rec *c = held->c;
    request_rec *r = held->r;

    c->current_thread = thread;
    held->r = NULL;
    ap_process_request_after_handler(r);
    /* Of what is still unsent, this tries once. */
    return !ap_start_lingering_close(c) && !c->aborted;
}

void stream_connection_destroy(stream_connection_t *held)
{
    conn_rec *c = held->c;

    /* What cannot be closed was closed. */
    (void)apr_socket_close(held->socket);
    /* By this the MPM counts it out of those that are suspended. */
    c->cs->state = CONN_STATE_SUSPENDED;
    apr_pool_destroy(c->pool);
}
