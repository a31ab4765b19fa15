#include "request_reply.h"

#include "gc_json.h"
#include "gc_percent.h"
#include "room_bucket.h"

/* Less than one in so many bytes of a block is copied. */
#define COPIED_SHARE 4

void request_reply_headers(request_rec *r, const char *content_type)
{
    ap_set_content_type(r, content_type);
    apr_table_setn(r->headers_out, "Cache-Control", REQUEST_REPLY_PRIVATE);
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
}

/* Below this httpd keeps an answer back until its request is logged and cleaned up (THRESHOLD_MIN_WRITE in
 * server/core_filters.c). */
#define KEPT_BACK 4096

/* Send a brigade, len bytes in all. A short answer is flushed behind the request's filters: an
 * answer that one of them compresses gets its length from having its end at once. */
static int pass(request_rec *r, apr_bucket_brigade *bb, apr_size_t len)
{
    conn_rec *c = r->connection;
    apr_status_t rv;

    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(c->bucket_alloc));
    rv = ap_pass_brigade(r->output_filters, bb);
    if (rv == APR_SUCCESS && len < KEPT_BACK) {
        apr_brigade_cleanup(bb);
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(c->bucket_alloc));
        rv = ap_pass_brigade(c->output_filters, bb);
    }
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, rv, r, "GC0131: the answer could not be sent");
        /* A filter may have answered already: nothing may be written behind that. */
        return c->aborted ? OK : AP_FILTER_ERROR;
    }
    return OK;
}

int request_reply_body(request_rec *r, gc_slice_t body)
{
    apr_bucket_alloc_t *list = r->connection->bucket_alloc;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, list);

    ap_set_content_length(r, (apr_off_t)body.len);
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_pool_create(body.data, body.len, r->pool, list));
    return pass(r, bb, body.len);
}

int request_reply_not_modified(request_rec *r)
{
    r->status = HTTP_NOT_MODIFIED;
    r->status_line = NULL;
    return pass(r, apr_brigade_create(r->pool, r->connection->bucket_alloc), 0);
}

int request_reply_block(request_rec *r, gc_slice_t constant, gc_slice_t head, chat_block_t *block,
                        gc_slice_t part)
{
    apr_bucket_alloc_t *list = r->connection->bucket_alloc;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, list);
    apr_size_t len = constant.len + head.len + part.len;
    int is_copied = part.len && part.len * COPIED_SHARE < chat_block_bytes(block);

    if (constant.len) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_immortal_create(constant.data, constant.len, list));
    }
    if (is_copied) {
        gc_buffer_t copy = gc_buffer_make(head.len + part.len, r->pool);

        gc_buffer_append(&copy, head);
        gc_buffer_append(&copy, part);
        head = gc_buffer_slice(&copy);
    }
    if (head.len) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_pool_create(head.data, head.len, r->pool, list));
    }
    if (part.len && !is_copied) {
        APR_BRIGADE_INSERT_TAIL(bb, room_bucket_create(block, part, list));
    }
    ap_set_content_length(r, (apr_off_t)len);
    return pass(r, bb, len);
}

int request_reply_error(request_rec *r, int status, const char *code, const char *message)
{
    gc_buffer_t body = gc_buffer_make(256, r->pool);

    r->status = status;
    r->status_line = NULL;
    request_reply_headers(r, "application/json");
    if (status == HTTP_SERVICE_UNAVAILABLE) {
        apr_table_setn(r->headers_out, "Retry-After", REQUEST_REPLY_RETRY_AFTER);
    }
    gc_buffer_append_text(&body, "{\"error\": {\"code\": \"");
    gc_buffer_append_text(&body, code);
    gc_buffer_append_text(&body, "\", \"message\": ");
    if (gc_json_append_string(&body, gc_slice_of(message)) != APR_SUCCESS) {
        gc_buffer_append_text(&body, "\"\"");
    }
    gc_buffer_append_text(&body, "}}\n");
    return request_reply_body(r, gc_buffer_slice(&body));
}

int request_reply_not_allowed(request_rec *r, const char *allow)
{
    apr_table_setn(r->headers_out, "Allow", allow);
    return request_reply_error(r, HTTP_METHOD_NOT_ALLOWED, "method-not-allowed",
                               apr_pstrcat(r->pool, "this takes ", allow, NULL));
}

int request_reply_options(request_rec *r, const char *allow)
{
    request_reply_headers(r, "text/plain");
    apr_table_setn(r->headers_out, "Allow", allow);
    return request_reply_body(r, gc_slice_of(""));
}

static const request_rec *first_request(const request_rec *r)
{
    while (r->prev) {
        r = r->prev;
    }
    return r;
}

const char *request_reply_encode_path(gc_slice_t path, apr_pool_t *pool)
{
    gc_buffer_t encoded = gc_buffer_make(path.len + 64, pool);
    gc_slice_t segment;

    while (gc_slice_until(&path, '/', &segment) == APR_SUCCESS) {
        gc_percent_append(&encoded, segment);
        if (encoded.len == 0 || encoded.data[encoded.len - 1] != '/') {
            gc_buffer_append_text(&encoded, "/"); /* "//host/" would be another host's address */
        }
    }
    gc_percent_append(&encoded, path);
    return encoded.data;
}

int request_reply_add_slash(request_rec *r, gc_slice_t path)
{
    const char *query = first_request(r)->args;
    const char *location = apr_pstrcat(r->pool, request_reply_encode_path(path, r->pool), "/",
                                       query ? "?" : NULL, query, NULL);

    apr_table_setn(r->headers_out, "Location", location);
    r->status = r->method_number == M_GET ? HTTP_MOVED_PERMANENTLY : HTTP_PERMANENT_REDIRECT;
    r->status_line = NULL;
    request_reply_headers(r, "text/plain");
    return request_reply_body(r, gc_slice_of(""));
}
