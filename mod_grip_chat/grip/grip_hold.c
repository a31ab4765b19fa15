#include "grip_hold.h"

#include "gc_buffer.h"

#define KEEP_ALIVE_MAX_BYTES 1024
#define LAST_ID_MAX_BYTES    64

/* Visible ASCII that means nothing to the syntax of a Grip header. */
static int is_plain(char c)
{
    switch (c) {
    case ',':
    case ';':
    case '"':
    case '\\':
    case '<':
    case '>':
    case '=':
        return 0;
    default:
        return c > ' ' && c <= '~';
    }
}

static int is_name(gc_slice_t s)
{
    apr_size_t i;

    for (i = 0; i < s.len; i++) {
        if (!is_plain(s.data[i])) {
            return 0;
        }
    }
    return s.len > 0 && s.len <= GRIP_HOLD_CHANNEL_MAX_BYTES;
}

/* A target between < and > is a URI without the characters that separate headers or parameters. */
static int is_link_target(gc_slice_t uri)
{
    apr_size_t i;

    if (uri.len > GRIP_HOLD_URI_MAX_BYTES ||
        !(gc_slice_starts(uri, gc_slice_of("/")) || gc_slice_starts(uri, gc_slice_of("http://")) ||
          gc_slice_starts(uri, gc_slice_of("https://"))))
    {
        return 0;
    }
    for (i = 0; i < uri.len; i++) {
        if (!is_plain(uri.data[i]) && uri.data[i] != '=') {
            return 0;
        }
    }
    return 1;
}

static int is_timeout(apr_interval_time_t timeout)
{
    return timeout >= GRIP_HOLD_TIMEOUT_MIN && timeout <= GRIP_HOLD_TIMEOUT_MAX;
}

/* A fraction of a second must never become a shorter timeout. */
static apr_int64_t whole_seconds(apr_interval_time_t timeout)
{
    return (timeout + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC;
}

apr_status_t grip_hold_channel_name(const char **out, gc_slice_t prefix, gc_slice_t channel,
                                    apr_pool_t *pool)
{
    gc_buffer_t name;

    if (prefix.len > GRIP_HOLD_CHANNEL_MAX_BYTES || channel.len > GRIP_HOLD_CHANNEL_MAX_BYTES) {
        return APR_EINVAL;
    }
    name = gc_buffer_make(prefix.len + channel.len + 1, pool);
    gc_buffer_append(&name, prefix);
    gc_buffer_append(&name, channel);
    if (!is_name(gc_buffer_slice(&name))) {
        return APR_EINVAL;
    }
    *out = name.data;
    return APR_SUCCESS;
}

apr_status_t grip_hold_channel_format(const char **out, gc_slice_t channel, apr_int64_t prev_id,
                                      apr_pool_t *pool)
{
    gc_buffer_t value;

    if (!is_name(channel) || prev_id < 0) {
        return APR_EINVAL;
    }
    value = gc_buffer_make(channel.len + 32, pool);
    gc_buffer_append(&value, channel);
    gc_buffer_append_text(&value, "; prev-id=");
    gc_buffer_append_int64(&value, prev_id);
    *out = value.data;
    return APR_SUCCESS;
}

apr_status_t grip_hold_link_format(const char **out, gc_slice_t uri, apr_interval_time_t timeout,
                                   apr_pool_t *pool)
{
    gc_buffer_t value;

    if (!is_link_target(uri) || (timeout != 0 && !is_timeout(timeout))) {
        return APR_EINVAL;
    }
    value = gc_buffer_make(uri.len + 40, pool);
    gc_buffer_append_text(&value, "<");
    gc_buffer_append(&value, uri);
    gc_buffer_append_text(&value, ">; rel=next");
    if (timeout != 0) {
        gc_buffer_append_text(&value, "; timeout=");
        gc_buffer_append_int64(&value, whole_seconds(timeout));
    }
    *out = value.data;
    return APR_SUCCESS;
}

static int is_keep_alive_content(gc_slice_t content)
{
    apr_size_t i;

    if (content.len == 0 || content.len > KEEP_ALIVE_MAX_BYTES || content.data[0] == ' ' ||
        content.data[content.len - 1] == ' ')
    {
        return 0;
    }
    for (i = 0; i < content.len; i++) {
        char c = content.data[i];

        if (c != '\n' && c != '\r' && (c < ' ' || c > '~' || strchr(",;\"", c))) {
            return 0;
        }
    }
    return 1;
}

apr_status_t grip_hold_keep_alive_format(const char **out, gc_slice_t content,
                                         apr_interval_time_t timeout, apr_pool_t *pool)
{
    gc_buffer_t value;
    apr_size_t i;

    if (!is_keep_alive_content(content) || !is_timeout(timeout)) {
        return APR_EINVAL;
    }
    value = gc_buffer_make(content.len * 2 + 48, pool);
    for (i = 0; i < content.len; i++) {
        switch (content.data[i]) {
        case '\n':
            gc_buffer_append_text(&value, "\\n");
            break;
        case '\r':
            gc_buffer_append_text(&value, "\\r");
            break;
        case '\\':
            gc_buffer_append_text(&value, "\\\\");
            break;
        default:
            gc_buffer_append(&value, gc_slice(content.data + i, 1));
        }
    }
    gc_buffer_append_text(&value, "; format=cstring; timeout=");
    gc_buffer_append_int64(&value, whole_seconds(timeout));
    *out = value.data;
    return APR_SUCCESS;
}

/* Cut the front of *rest up to a separator, or all of it; without the white space around. */
static gc_slice_t cut(gc_slice_t *rest, char separator)
{
    gc_slice_t head;

    if (gc_slice_until(rest, separator, &head) != APR_SUCCESS) {
        head = *rest;
        rest->len = 0;
        rest->data = NULL;
    }
    return gc_slice_trim(head);
}

/* Read "channel; last-id=5"; other parameters are for later versions of the protocol. */
static apr_status_t read_position(gc_slice_t *channel, gc_slice_t *last_id, gc_slice_t entry)
{
    gc_slice_t rest = entry;
    gc_slice_t name = cut(&rest, ';');
    gc_slice_t found = {NULL, 0};

    if (!is_name(name)) {
        return APR_EINVAL;
    }
    while (rest.data) {
        gc_slice_t value = cut(&rest, ';');
        gc_slice_t parameter = cut(&value, '=');

        if (!is_name(parameter) || !is_name(gc_slice_trim(value))) {
            return APR_EINVAL;
        }
        if (!gc_slice_equal_nocase(parameter, "last-id")) {
            continue;
        }
        if (found.data || gc_slice_trim(value).len > LAST_ID_MAX_BYTES) {
            return APR_EINVAL;
        }
        found = gc_slice_trim(value);
    }
    if (!found.data) {
        return APR_EINVAL;
    }
    *channel = name;
    *last_id = found;
    return APR_SUCCESS;
}

apr_status_t grip_hold_last_find(gc_slice_t *last_id, gc_slice_t header, gc_slice_t channel)
{
    gc_slice_t rest = header;
    gc_slice_t found = gc_slice(NULL, 0);
    int channels = 0;

    if (gc_slice_trim(header).len == 0) {
        return APR_ENOENT;
    }
    if (header.len > GRIP_HOLD_LAST_MAX_BYTES) {
        return APR_EINVAL;
    }
    while (rest.data) {
        gc_slice_t name;
        gc_slice_t id;
        apr_status_t rv = read_position(&name, &id, cut(&rest, ','));

        if (rv != APR_SUCCESS || ++channels > GRIP_HOLD_LAST_MAX_CHANNELS) {
            return APR_EINVAL;
        }
        if (!gc_slice_equal(name, channel)) {
            continue;
        }
        if (found.data) {
            return APR_EINVAL;
        }
        found = id;
    }
    if (!found.data) {
        return APR_ENOENT;
    }
    *last_id = found;
    return APR_SUCCESS;
}
