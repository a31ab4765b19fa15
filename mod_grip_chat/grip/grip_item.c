#include "grip_item.h"

#include "gc_json.h"

static apr_status_t begin_item(gc_buffer_t *buffer, gc_slice_t channel)
{
    gc_buffer_append_text(buffer, "{\"channel\":");
    return gc_json_append_string(buffer, channel);
}

/* Undo the bytes that a failed item has appended. */
static apr_status_t cut_back(gc_buffer_t *buffer, apr_size_t len, apr_status_t rv)
{
    buffer->len = len;
    buffer->data[len] = '\0';
    return rv;
}

static gc_slice_t join(const gc_slice_t *pieces, apr_size_t count, apr_pool_t *pool)
{
    gc_buffer_t joined;
    apr_size_t len = 0;
    apr_size_t i;

    if (count == 1) {
        return pieces[0];
    }
    for (i = 0; i < count; i++) {
        len += pieces[i].len;
    }
    joined = gc_buffer_make(len + 1, pool);
    for (i = 0; i < count; i++) {
        gc_buffer_append(&joined, pieces[i]);
    }
    return gc_buffer_slice(&joined);
}

apr_status_t grip_item_append_events(gc_buffer_t *buffer, gc_slice_t channel, apr_int64_t id,
                                     apr_int64_t prev_id, const gc_slice_t *contents,
                                     apr_size_t count, apr_pool_t *scratch_pool)
{
    const apr_size_t len = buffer->len;
    apr_status_t rv;

    if (count == 0 || prev_id < 0 || prev_id >= id) {
        return APR_EINVAL;
    }
    rv = begin_item(buffer, channel);
    if (rv != APR_SUCCESS) {
        return cut_back(buffer, len, rv);
    }
    gc_buffer_append_text(buffer, ",\"id\":\"");
    gc_buffer_append_int64(buffer, id);
    gc_buffer_append_text(buffer, "\",\"prev-id\":\"");
    gc_buffer_append_int64(buffer, prev_id);
    gc_buffer_append_text(buffer, "\",\"formats\":{\"http-stream\":{\"content\":");
    rv = gc_json_append_string(buffer, join(contents, count, scratch_pool));
    if (rv != APR_SUCCESS) {
        return cut_back(buffer, len, rv);
    }
    gc_buffer_append_text(buffer, "}}}");
    return APR_SUCCESS;
}

apr_status_t grip_item_append_hint(gc_buffer_t *buffer, gc_slice_t channel)
{
    const apr_size_t len = buffer->len;
    apr_status_t rv = begin_item(buffer, channel);

    if (rv != APR_SUCCESS) {
        return cut_back(buffer, len, rv);
    }
    gc_buffer_append_text(buffer, ",\"formats\":{\"http-stream\":{\"action\":\"hint\"}}}");
    return APR_SUCCESS;
}

static const char body_head[] = "{\"items\":[";
static const char body_tail[] = "]}";

void grip_item_body_begin(gc_buffer_t *body)
{
    gc_buffer_append_text(body, body_head);
}

static int is_first(const gc_buffer_t *body)
{
    return body->len == sizeof(body_head) - 1;
}

apr_size_t grip_item_body_size_with(const gc_buffer_t *body, gc_slice_t item)
{
    apr_size_t comma = is_first(body) || item.len == 0 ? 0 : 1;

    return body->len + comma + item.len + sizeof(body_tail) - 1;
}

void grip_item_body_add(gc_buffer_t *body, gc_slice_t item)
{
    if (!is_first(body)) {
        gc_buffer_append_text(body, ",");
    }
    gc_buffer_append(body, item);
}

void grip_item_body_end(gc_buffer_t *body)
{
    gc_buffer_append_text(body, body_tail);
}
