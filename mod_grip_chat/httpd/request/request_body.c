#include "request_body.h"

#include "gc_buffer.h"

#define READ_BYTES 8192

static int refuse(request_refusal_t *refusal, int status, const char *code, const char *message)
{
    refusal->status = status;
    refusal->code = code;
    refusal->message = message;
    return 0;
}

static int refuse_large(request_rec *r, request_refusal_t *refusal, apr_size_t max_bytes)
{
    return refuse(
        refusal, HTTP_REQUEST_ENTITY_TOO_LARGE, "body-too-large",
        apr_psprintf(r->pool, "the body is longer than %" APR_SIZE_T_FMT " bytes", max_bytes));
}

/* Append the bytes of one brigade; 0 when they are too many. */
static int take_brigade(apr_bucket_brigade *bb, gc_buffer_t *body, apr_size_t max_bytes,
                        int *seen_eos, apr_status_t *rv)
{
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t len;

        if (APR_BUCKET_IS_EOS(b)) {
            *seen_eos = 1;
            return 1;
        }
        if (APR_BUCKET_IS_METADATA(b)) {
            continue;
        }
        *rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);
        if (*rv != APR_SUCCESS) {
            return 1;
        }
        if (len > max_bytes - body->len) {
            return 0;
        }
        gc_buffer_append(body, gc_slice(data, len));
    }
    return 1;
}

/* Read the whole body, whatever its transfer coding. */
static int read_all(request_rec *r, gc_slice_t *out, apr_size_t max_bytes,
                    request_refusal_t *refusal)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_int64_t announced = 0;
    gc_buffer_t body;
    int seen_eos = 0;

    if (length && gc_slice_number(gc_slice_of(length), APR_INT64_MAX, &announced) == APR_SUCCESS &&
        announced > (apr_int64_t)max_bytes)
    {
        return refuse_large(r, refusal, max_bytes);
    }
    body = gc_buffer_make(announced ? (apr_size_t)announced : READ_BYTES, r->pool);
    while (!seen_eos) {
        apr_status_t rv =
            ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, READ_BYTES);

        if (rv == APR_SUCCESS && !take_brigade(bb, &body, max_bytes, &seen_eos, &rv)) {
            return refuse_large(r, refusal, max_bytes);
        }
        if (rv != APR_SUCCESS) {
            int status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);

            ap_log_rerror(APLOG_MARK, APLOG_DEBUG, rv, r, "GC0141: the body cannot be read");
            if (status == AP_FILTER_ERROR) {
                return refuse(refusal, 0, "", ""); /* a filter has answered already */
            }
            return refuse(refusal, status, "bad-body", "the body could not be read to its end");
        }
        apr_brigade_cleanup(bb);
    }
    *out = gc_buffer_slice(&body);
    return 1;
}

int request_body_read(request_rec *r, chat_form_t *form, apr_size_t max_bytes,
                      request_refusal_t *refusal)
{
    const char *header = apr_table_get(r->headers_in, "Content-Type");
    gc_slice_t content_type = gc_slice_of(header ? header : "");
    chat_form_fault_t fault;
    chat_form_type_e type;
    gc_slice_t body;

    if (chat_form_type(&type, content_type) != APR_SUCCESS) {
        return refuse(refusal, HTTP_UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type",
                      "the Content-Type is none of application/x-www-form-urlencoded, "
                      "multipart/form-data, application/json, each in UTF-8");
    }
    if (!read_all(r, &body, max_bytes, refusal)) {
        return 0;
    }
    if (chat_form_read(form, type, content_type, body, &fault, r->pool) != APR_SUCCESS) {
        return refuse(refusal, HTTP_BAD_REQUEST, fault.code, fault.message);
    }
    return 1;
}
