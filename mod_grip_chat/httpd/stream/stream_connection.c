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

/* The bytes that the kernel holds for a slow reader (it doubles this). Left alone it let that grow
 * to 2.8 MB. */
#define SEND_BUFFER_BYTES (64 * 1024)

/* The bytes that the filters get at once if any number may be too much. */
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

int stream_connection_begin(stream_connection_t *connection, gc_slice_t head, chat_block_t *block,
                            gc_slice_t part)
{
    request_rec *r = connection->r;
    conn_rec *c = r->connection;
    apr_bucket_brigade *bb = apr_brigade_create(c->pool, c->bucket_alloc);
    int status = ap_discard_request_body(r); /* no thread reads when it is held */
    apr_status_t rv;

    if (status != OK) {
        return status;
    }
    connection->bb = bb;
    connection->socket = ap_get_conn_socket(c);
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
    ap_set_module_config(c->conn_config, &grip_chat_module, connection);
    return SUSPENDED;
}

void stream_connection_park(stream_connection_t *connection)
{
    conn_rec *c = connection->c;

    GC_ASSERT(connection->is_parked && !connection->worker);
    /* The worker shows its state in its row of the scoreboard. It shows another state as soon as
     * it has left the connection, which is all that can be known of it from outside. */
    connection->worker = ap_get_scoreboard_worker(c->sbh);
    ap_update_child_status(c->sbh, SERVER_CLOSING, NULL);
}

int stream_connection_is_free(const stream_connection_t *connection)
{
    return __atomic_load_n(&connection->c->sbh, __ATOMIC_ACQUIRE) == NULL &&
           (!connection->worker ||
            __atomic_load_n(&connection->worker->status, __ATOMIC_ACQUIRE) != SERVER_CLOSING);
}

/* --- hooks ------------------------------------------------------------------------------------------ */

/* Counts for mod_logio the bytes that go past the core's filter; NULL where that is not loaded. */
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

void stream_connection_prepare(stream_connection_t *connection, apr_thread_t *thread)
{
    conn_rec *c = connection->c;
    const core_server_config *core = ap_get_core_module_config(c->base_server->module_config);
    int timeout_ms = USER_TIMEOUT_MS;
    apr_status_t rv = apr_os_sock_get(&connection->fd, connection->socket);

    GC_ASSERT(connection->is_parked && !connection->room && !connection->timer.timeouts);
    gc_owner_take(&connection->owner);
    c->current_thread = thread;
    if (rv == APR_SUCCESS) {
        rv = apr_socket_timeout_set(connection->socket, 0);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_socket_opt_set(connection->socket, APR_SO_SNDBUF, SEND_BUFFER_BYTES);
    }
    /* Without this the stream works, and a dead peer is found later. */
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
                     sizeof(timeout_ms));
    connection->is_bare = has_idle_filters_only(connection->r);
    connection->last_filter = c->output_filters;
    while (connection->last_filter->next) {
        connection->last_filter = connection->last_filter->next;
    }
    /* Of more than this threshold the core would wait until it is sent, which ends in an abort here; TLS
     * adds a little. Where there is no threshold, a connection that is full is one that is ended. */
    connection->chunk = core->flush_max_threshold
                            ? ((apr_size_t)core->flush_max_threshold * 7 + 7) / 8
                            : CHUNK_BYTES;
    connection->state = rv == APR_SUCCESS ? STREAM_CONNECTION_OPEN : STREAM_CONNECTION_GONE;
}

static void give_up(stream_connection_t *connection)
{
    connection->c->aborted = 1;
    connection->state = STREAM_CONNECTION_GONE;
}

/* Write the filters' bytes to the network, and note whether they still have some. */
static void flush(stream_connection_t *connection)
{
    apr_status_t rv =
        connection->last_filter->frec->filter_func.out_func(connection->last_filter, NULL);

    if (rv != APR_SUCCESS || connection->c->aborted) {
        give_up(connection);
    }
    else {
        connection->state =
            connection->c->data_in_output_filters ? STREAM_CONNECTION_FULL : STREAM_CONNECTION_OPEN;
    }
}

/* Give the brigade to the filters. */
static void push(stream_connection_t *connection)
{
    apr_status_t rv;

    APR_BRIGADE_INSERT_TAIL(connection->bb, push_bucket(connection->c->bucket_alloc));
    rv = ap_pass_brigade(connection->r->output_filters, connection->bb);
    apr_brigade_cleanup(connection->bb);
    if (rv != APR_SUCCESS || connection->c->aborted) {
        give_up(connection);
        return;
    }
    flush(connection);
}

/* Write to the socket, if that can be. @return how much of it was */
static apr_size_t send_bare(stream_connection_t *connection, struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    apr_os_sock_t fd = -1;
    ssize_t sent;

    if (!connection->is_bare || connection->c->data_in_output_filters) {
        return 0;
    }
    /* When a child is stopped at once, event closes sockets, and their numbers become others'. */
    /* It fails for no socket at all, which sendmsg finds. */
    (void)apr_os_sock_get(&fd, connection->socket);
    do {
        sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        if (errno != EAGAIN) {
            give_up(connection);
        }
        return 0;
    }
    connection->r->bytes_sent += sent;
    if (add_bytes_out) {
        add_bytes_out(connection->c, sent);
    }
    return (apr_size_t)sent;
}

void stream_connection_write_all(stream_connection_t *connection, chat_block_t *const *blocks,
                                 int count)
{
    struct iovec parts[STREAM_CONNECTION_BLOCKS];
    apr_size_t sent;
    int i;

    GC_ASSERT_OWNER(&connection->owner);
    GC_ASSERT(connection->state == STREAM_CONNECTION_OPEN && connection->rest.len == 0);
    GC_ASSERT(count > 0 && count <= STREAM_CONNECTION_BLOCKS);
    for (i = 0; i < count; i++) {
        gc_slice_t text = chat_block_text(blocks[i]);

        parts[i] = (struct iovec){(void *)text.data, text.len};
    }
    sent = send_bare(connection, parts, count);
    for (i = 0; connection->state == STREAM_CONNECTION_OPEN && i < count; i++) {
        gc_slice_t rest = chat_block_text(blocks[i]);
        apr_size_t gone = sent < rest.len ? sent : rest.len;

        sent -= gone;
        rest = gc_slice(rest.data + gone, rest.len - gone);
        if (rest.len > 0) {
            APR_BRIGADE_INSERT_TAIL(
                connection->bb, room_bucket_create(blocks[i], rest, connection->c->bucket_alloc));
        }
    }
    if (!APR_BRIGADE_EMPTY(connection->bb)) {
        push(connection);
    }
}

/* Give the filters one bucket. */
static void pass(stream_connection_t *connection, apr_bucket *data)
{
    APR_BRIGADE_INSERT_TAIL(connection->bb, data);
    push(connection);
}

static void drop_rest(stream_connection_t *connection)
{
    chat_block_release(connection->block);
    connection->block = NULL;
    connection->rest.len = 0;
}

/* Write as much of the rest as the connection takes. */
static void write_rest(stream_connection_t *connection)
{
    while (connection->state == STREAM_CONNECTION_OPEN && connection->rest.len > 0) {
        gc_slice_t now = connection->rest;

        now.len = now.len < connection->chunk ? now.len : connection->chunk;
        connection->rest.data += now.len;
        connection->rest.len -= now.len;
        pass(connection, room_bucket_create(connection->block, now, connection->c->bucket_alloc));
    }
    if (connection->rest.len == 0 || connection->state == STREAM_CONNECTION_GONE) {
        drop_rest(connection);
    }
}

void stream_connection_write(stream_connection_t *connection, chat_block_t *block, gc_slice_t part)
{
    GC_ASSERT_OWNER(&connection->owner);
    GC_ASSERT(connection->state == STREAM_CONNECTION_OPEN && connection->rest.len == 0);
    chat_block_pin(block);
    connection->block = block;
    connection->rest = part;
    write_rest(connection);
}

void stream_connection_write_text(stream_connection_t *connection, gc_slice_t text)
{
    struct iovec part = {(void *)text.data, text.len};
    apr_size_t sent;

    GC_ASSERT_OWNER(&connection->owner);
    GC_ASSERT(connection->state == STREAM_CONNECTION_OPEN && connection->rest.len == 0);
    sent = send_bare(connection, &part, 1);
    if (connection->state == STREAM_CONNECTION_OPEN && sent < text.len) {
        pass(connection, apr_bucket_heap_create(text.data + sent, text.len - sent, NULL,
                                                connection->c->bucket_alloc));
    }
}

void stream_connection_resume(stream_connection_t *connection)
{
    GC_ASSERT_OWNER(&connection->owner);
    GC_ASSERT(connection->state == STREAM_CONNECTION_FULL);
    flush(connection);
    write_rest(connection);
}

void stream_connection_part(stream_connection_t *connection, gc_slice_t farewell)
{
    conn_rec *c = connection->c;
    int is_whole = connection->rest.len == 0;

    GC_ASSERT_OWNER(&connection->owner);
    GC_ASSERT(connection->state == STREAM_CONNECTION_GONE && !connection->room);
    drop_rest(connection);
    if (!c->aborted) {
        /* Behind a part of an event it would make it one. */
        if (is_whole && farewell.len > 0) {
            APR_BRIGADE_INSERT_TAIL(
                connection->bb,
                apr_bucket_heap_create(farewell.data, farewell.len, NULL, c->bucket_alloc));
        }
        APR_BRIGADE_INSERT_TAIL(connection->bb, apr_bucket_eos_create(c->bucket_alloc));
        if (ap_pass_brigade(connection->r->output_filters, connection->bb) != APR_SUCCESS) {
            c->aborted = 1;
        }
        apr_brigade_cleanup(connection->bb);
    }
    if (!c->aborted) {
        flush(connection);
    }
    if (!c->aborted && connection->is_bare && connection->state == STREAM_CONNECTION_OPEN) {
        /* If this fails, the close of the connection does it, or finds the fault. */
        (void)apr_socket_shutdown(connection->socket, APR_SHUTDOWN_WRITE);
    }
    connection->state = STREAM_CONNECTION_LEAVING;
}

/* --- in the ender's thread --------------------------------------------------------------------------- */

int stream_connection_end(stream_connection_t *connection, apr_thread_t *thread)
{
    conn_rec *c = connection->c;
    request_rec *r = connection->r;

    GC_ASSERT_OWNER(&connection->owner);
    GC_ASSERT(connection->state == STREAM_CONNECTION_LEAVING && r);
    c->current_thread = thread;
    connection->r = NULL;
    ap_process_request_after_handler(r);
    /* Of what is still unsent, this tries once. */
    return !ap_start_lingering_close(c) && !c->aborted;
}

void stream_connection_destroy(stream_connection_t *connection)
{
    conn_rec *c = connection->c;

    GC_ASSERT_OWNER(&connection->owner);
    GC_ASSERT(connection->state == STREAM_CONNECTION_LEAVING && !connection->r);
    GC_ASSERT(!connection->room && !connection->timer.timeouts && !connection->block);
    /* A socket that cannot be closed was closed. */
    (void)apr_socket_close(connection->socket);
    /* By this the MPM counts it out of those that are suspended. */
    c->cs->state = CONN_STATE_SUSPENDED;
    apr_pool_destroy(c->pool);
}
