#include "request_body.h"

#include "chat_multipart.h"
#include "gc_buffer.h"
#include "gc_json.h"

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

/* Where the value of a known field goes, NULL for others. */
static gc_slice_t *field_of(request_form_t *form, gc_slice_t name)
{
    if (gc_slice_equal(name, gc_slice_of("from"))) {
        return &form->from;
    }
    return gc_slice_equal(name, gc_slice_of("text")) ? &form->text : NULL;
}

/* Take a field once. */
static int put_field(request_form_t *form, gc_slice_t name, gc_slice_t value,
                     request_refusal_t *refusal)
{
    gc_slice_t *field = field_of(form, name);

    if (!field) {
        return 1;
    }
    if (field->data) {
        return refuse(refusal, HTTP_BAD_REQUEST, "duplicate-field",
                      field == &form->from ? "the field 'from' is there twice"
                                           : "the field 'text' is there twice");
    }
    *field = gc_slice(value.len ? value.data : "", value.len);
    return 1;
}

/* Decode one name or value of a form in place; 0 if an escape is broken. */
static int decode_form_text(gc_slice_t s, gc_slice_t *out, apr_pool_t *pool)
{
    char *text = gc_slice_dup(s, pool);

    if (memchr(s.len ? s.data : "", '\0', s.len) || ap_unescape_urlencoded(text) != OK) {
        return 0;
    }
    *out = gc_slice_of(text);
    return 1;
}

static int read_form(request_rec *r, gc_slice_t body, request_form_t *form,
                     request_refusal_t *refusal)
{
    while (body.len) {
        gc_slice_t value = gc_slice_piece(&body, '&');
        gc_slice_t name;

        if (gc_slice_until(&value, '=', &name) != APR_SUCCESS) {
            name = value;
            value = gc_slice("", 0);
        }
        if (!decode_form_text(name, &name, r->pool)) {
            return refuse(refusal, HTTP_BAD_REQUEST, "bad-form",
                          "a field's name is not percent-encoded text without NUL");
        }
        if (!field_of(form, name)) {
            continue;
        }
        if (!decode_form_text(value, &value, r->pool)) {
            return refuse(refusal, HTTP_BAD_REQUEST, "bad-form",
                          apr_psprintf(r->pool,
                                       "the field '%s' is not percent-encoded text without "
                                       "NUL",
                                       name.data));
        }
        if (!put_field(form, name, value, refusal)) {
            return 0;
        }
    }
    return 1;
}

static int read_multipart(request_rec *r, gc_slice_t content_type, gc_slice_t body,
                          request_form_t *form, request_refusal_t *refusal)
{
    chat_multipart_t cursor;
    chat_multipart_part_t part;
    const char *why = NULL;
    gc_slice_t boundary;
    apr_status_t rv = chat_multipart_boundary(content_type, &boundary, &why);

    if (rv == APR_SUCCESS) {
        rv = chat_multipart_open(&cursor, body, boundary);
        why = rv == APR_SUCCESS ? NULL : "the multipart body cannot be read";
    }
    while (rv == APR_SUCCESS) {
        rv = chat_multipart_next(&cursor, &part, r->pool);
        if (rv == APR_SUCCESS && !part.is_file && !put_field(form, part.name, part.value, refusal))
        {
            return 0;
        }
    }
    if (rv == APR_EOF) {
        return 1;
    }
    return refuse(refusal, HTTP_BAD_REQUEST, "bad-multipart", why ? why : cursor.why);
}

static int read_json(request_rec *r, gc_slice_t body, request_form_t *form,
                     request_refusal_t *refusal)
{
    static const char *const names[] = {"from", "text"};
    const gc_json_t *object;
    unsigned i;

    if (gc_json_parse_object(&object, body, r->pool) != APR_SUCCESS) {
        return refuse(refusal, HTTP_BAD_REQUEST, "bad-json",
                      "the body is not one JSON object with unique names");
    }
    for (i = 0; i < 2; i++) {
        gc_slice_t value;
        apr_status_t rv = gc_json_get_string(&value, object, names[i]);

        if (rv == APR_EINVAL) {
            return refuse(refusal, HTTP_BAD_REQUEST, "bad-json",
                          apr_psprintf(r->pool, "the field '%s' is not a string", names[i]));
        }
        if (rv == APR_SUCCESS && !put_field(form, gc_slice_of(names[i]), value, refusal)) {
            return 0;
        }
    }
    return 1;
}

/* Whether a media type's charset, if it has one, is UTF-8; multipart has its own say on this. */
static int is_utf8(gc_slice_t parameters)
{
    while (parameters.len) {
        gc_slice_t value = gc_slice_piece(&parameters, ';');
        gc_slice_t name;

        if (gc_slice_until(&value, '=', &name) != APR_SUCCESS ||
            !gc_slice_equal_nocase(gc_slice_trim(name), "charset"))
        {
            continue;
        }
        value = gc_slice_trim(value);
        if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"') {
            value = gc_slice(value.data + 1, value.len - 2);
        }
        if (!gc_slice_equal_nocase(value, "utf-8") && !gc_slice_equal_nocase(value, "utf8") &&
            !gc_slice_equal_nocase(value, "us-ascii"))
        {
            return 0;
        }
    }
    return 1;
}

int request_body_read(request_rec *r, request_form_t *form, apr_size_t max_bytes,
                      request_refusal_t *refusal)
{
    const char *header = apr_table_get(r->headers_in, "Content-Type");
    gc_slice_t content_type = gc_slice_of(header ? header : "");
    gc_slice_t parameters = content_type;
    gc_slice_t type = gc_slice_trim(gc_slice_piece(&parameters, ';'));
    gc_slice_t body;
    int is_form;
    int is_json;

    memset(form, 0, sizeof(*form));
    is_form = gc_slice_equal_nocase(type, "application/x-www-form-urlencoded");
    is_json = gc_slice_equal_nocase(type, "application/json");
    if ((!is_form && !is_json && !gc_slice_equal_nocase(type, "multipart/form-data")) ||
        ((is_form || is_json) && !is_utf8(parameters)))
    {
        return refuse(refusal, HTTP_UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type",
                      "the Content-Type is none of application/x-www-form-urlencoded, "
                      "multipart/form-data, application/json, each in UTF-8");
    }
    if (!read_all(r, &body, max_bytes, refusal)) {
        return 0;
    }
    if (is_form) {
        return read_form(r, body, form, refusal);
    }
    return is_json ? read_json(r, body, form, refusal)
                   : read_multipart(r, content_type, body, form, refusal);
}
