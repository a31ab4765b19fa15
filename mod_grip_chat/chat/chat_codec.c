#include "chat_codec.h"

#include "chat_event_id.h"
#include "gc_json.h"

static void append_date(gc_buffer_t *buffer, apr_int64_t created_ms)
{
    apr_time_exp_t utc;
    char text[40];
    int milliseconds = (int)(created_ms % 1000);
    int len;

    if (milliseconds < 0) {
        milliseconds += 1000; /* before 1970 */
    }
    /* apr_time_exp_gmt answers APR_SUCCESS for every time. */
    (void)apr_time_exp_gmt(&utc, (apr_time_t)(created_ms - milliseconds) * 1000);
    len = apr_snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                       utc.tm_sec, milliseconds);
    gc_buffer_append(buffer, gc_slice(text, (apr_size_t)len));
}

apr_status_t chat_codec_append_message(gc_buffer_t *buffer, const chat_event_t *event)
{
    apr_status_t rv;

    gc_buffer_append_text(buffer, "{\"id\": ");
    gc_buffer_append_int64(buffer, event->id);
    gc_buffer_append_text(buffer, ", \"from\": ");
    rv = gc_json_append_string(buffer, event->author);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    gc_buffer_append_text(buffer, ", \"date\": \"");
    append_date(buffer, event->created_ms);
    gc_buffer_append_text(buffer, "\", \"text\": ");
    rv = gc_json_append_string(buffer, event->payload);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (event->key.len) {
        gc_buffer_append_text(buffer, ", \"key\": ");
        rv = gc_json_append_string(buffer, event->key);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    gc_buffer_append_text(buffer, "}");
    return APR_SUCCESS;
}

void chat_codec_begin_list(gc_buffer_t *buffer)
{
    gc_buffer_append_text(buffer, "{\"messages\": [");
}

void chat_codec_begin_item(gc_buffer_t *buffer, int number)
{
    if (number > 0) {
        gc_buffer_append_text(buffer, CHAT_CODEC_BETWEEN);
    }
}

void chat_codec_end_list(gc_buffer_t *buffer, gc_slice_t room, apr_int64_t last_event_id)
{
    gc_buffer_append_text(buffer, "], \"last-event-id\": \"");
    chat_event_id_append(buffer, room, last_event_id);
    gc_buffer_append_text(buffer, "\"}\n");
}

apr_status_t chat_codec_append_list(gc_buffer_t *buffer, gc_slice_t room, const chat_page_t *page)
{
    int i;

    chat_codec_begin_list(buffer);
    for (i = 0; i < page->count; i++) {
        apr_status_t rv;

        chat_codec_begin_item(buffer, i);
        rv = chat_codec_append_message(buffer, &page->events[i]);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    chat_codec_end_list(buffer, room, page->last_event_id);
    return APR_SUCCESS;
}
