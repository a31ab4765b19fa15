#include "load_http.h"

void load_http_begin(load_http_t *http)
{
    load_line_t line = http->line;

    memset(http, 0, sizeof(*http));
    http->retry_after = -1;
    http->line = line;
    http->line.have = 0;
    http->line.is_told = 0;
}

/* "HTTP/1.1 200 OK" */
static int read_status(load_http_t *http, gc_slice_t line)
{
    gc_slice_t version;
    apr_int64_t status;

    if (gc_slice_until(&line, ' ', &version) != APR_SUCCESS ||
        !gc_slice_starts(version, gc_slice_of("HTTP/1.")) || line.len < 3 ||
        gc_slice_number(gc_slice(line.data, 3), 999, &status) != APR_SUCCESS)
    {
        return 0;
    }
    http->status = (int)status;
    http->is_close = gc_slice_equal(version, gc_slice_of("HTTP/1.0"));
    return 1;
}

static int read_header(load_http_t *http, gc_slice_t value)
{
    gc_slice_t name;
    apr_int64_t number;

    if (gc_slice_until(&value, ':', &name) != APR_SUCCESS) {
        return 0;
    }
    value = gc_slice_trim(value);
    if (gc_slice_equal_nocase(name, "content-length")) {
        http->has_length = 1;
        return gc_slice_number(value, APR_INT64_MAX, &http->left) == APR_SUCCESS;
    }
    if (gc_slice_equal_nocase(name, "transfer-encoding")) {
        http->is_chunked = gc_slice_equal_nocase(value, "chunked");
        return http->is_chunked;
    }
    if (gc_slice_equal_nocase(name, "connection")) {
        http->is_close = gc_slice_equal_nocase(value, "close");
    }
    else if (gc_slice_equal_nocase(name, "content-type")) {
        http->is_event_stream =
            gc_slice_equal_nocase(gc_slice_trim(gc_slice_piece(&value, ';')), "text/event-stream");
    }
    else if (gc_slice_equal_nocase(name, "retry-after") &&
             gc_slice_number(value, 3600, &number) == APR_SUCCESS)
    {
        http->retry_after = (int)number;
    }
    return 1;
}

static void end_head(load_http_t *http)
{
    if (http->status < 200) {
        load_http_begin(http);
    }
    else if (http->status == 204 || http->status == 304) {
        http->at = LOAD_HTTP_DONE;
    }
    else if (http->is_chunked) {
        http->at = LOAD_HTTP_CHUNK_SIZE;
    }
    else if (http->has_length) {
        http->at = http->left ? LOAD_HTTP_LENGTH : LOAD_HTTP_DONE;
    }
    else {
        http->at = LOAD_HTTP_TO_END;
        http->is_close = 1;
    }
}

/* In hexadecimal, perhaps with extensions behind it. */
static int read_chunk_size(load_http_t *http, gc_slice_t line)
{
    gc_slice_t digits = gc_slice_trim(gc_slice_piece(&line, ';'));
    apr_int64_t size = 0;
    apr_size_t i;

    if (digits.len == 0 || digits.len > 12) {
        return 0;
    }
    for (i = 0; i < digits.len; i++) {
        const char *all = "0123456789abcdef";
        const char *found = memchr(all, digits.data[i] | (digits.data[i] >= 'A' ? 0x20 : 0), 16);

        if (!found) {
            return 0;
        }
        size = size * 16 + (found - all);
    }
    http->left = size;
    http->at = size ? LOAD_HTTP_CHUNK : LOAD_HTTP_TRAILER;
    return 1;
}

static int read_line(load_http_t *http, gc_slice_t line)
{
    switch (http->at) {
    case LOAD_HTTP_HEAD:
        if (!http->status) {
            return read_status(http, line);
        }
        if (line.len) {
            return read_header(http, line);
        }
        end_head(http);
        return 1;
    case LOAD_HTTP_CHUNK_SIZE:
        return read_chunk_size(http, line);
    case LOAD_HTTP_CHUNK_END:
        http->at = LOAD_HTTP_CHUNK_SIZE;
        return line.len == 0;
    default: /* a trailer */
        if (!line.len) {
            http->at = LOAD_HTTP_DONE;
        }
        return 1;
    }
}

static void read_body(load_http_t *http, gc_slice_t *rest, load_http_body_f *body, void *context)
{
    gc_slice_t piece = *rest;

    if (http->at != LOAD_HTTP_TO_END) {
        if ((apr_int64_t)piece.len > http->left) {
            piece.len = (apr_size_t)http->left;
        }
        http->left -= (apr_int64_t)piece.len;
        if (!http->left) {
            http->at = http->at == LOAD_HTTP_CHUNK ? LOAD_HTTP_CHUNK_END : LOAD_HTTP_DONE;
        }
    }
    rest->data += piece.len;
    rest->len -= piece.len;
    body(context, piece);
}

int load_http_feed(load_http_t *http, gc_slice_t *rest, load_http_body_f *body, void *context)
{
    gc_slice_t line;

    while (rest->len && http->at != LOAD_HTTP_DONE) {
        if (http->at == LOAD_HTTP_LENGTH || http->at == LOAD_HTTP_TO_END ||
            http->at == LOAD_HTTP_CHUNK) {
            read_body(http, rest, body, context);
            continue;
        }
        switch (load_line_next(&http->line, rest, &line)) {
        case LOAD_LINE_FOUND:
            if (!read_line(http, line)) {
                return 0;
            }
            break;
        case LOAD_LINE_MORE:
            return 1;
        default:
            return 0;
        }
    }
    return 1;
}

int load_http_is_whole(const load_http_t *http)
{
    return http->at == LOAD_HTTP_DONE || http->at == LOAD_HTTP_TO_END;
}

void load_http_clear(load_http_t *http)
{
    load_line_clear(&http->line);
}
