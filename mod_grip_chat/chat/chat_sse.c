#include "chat_sse.h"

#include "chat_event_id.h"
#include "chat_kind.h"

#define SPACES_32  "                                "
#define SPACES_256 SPACES_32 SPACES_32 SPACES_32 SPACES_32 SPACES_32 SPACES_32 SPACES_32 SPACES_32
#define SPACES_2048                                                                                \
    SPACES_256 SPACES_256 SPACES_256 SPACES_256 SPACES_256 SPACES_256 SPACES_256 SPACES_256

/* The text around an event's data. An id holds no line end, so the first of these is the one. */
#define DATA "\ndata: "
#define END  "\n\n"

gc_slice_t chat_sse_padding(void)
{
    return gc_slice_of(":" SPACES_2048 "\n\n");
}

void chat_sse_append_open(gc_buffer_t *buffer, gc_slice_t room, apr_int64_t n)
{
    gc_buffer_append_text(buffer, "event: stream-open\n");
    if (n != CHAT_SSE_NO_POSITION) {
        gc_buffer_append_text(buffer, "id: ");
        chat_event_id_append(buffer, room, n);
        gc_buffer_append_text(buffer, "\n");
    }
    gc_buffer_append_text(buffer, "data:\n\n");
}

apr_status_t chat_sse_append_event(gc_buffer_t *buffer, gc_slice_t room, const chat_event_t *event)
{
    const chat_kind_t *kind = chat_kind_find(event->kind);
    apr_status_t rv;

    if (!kind) {
        return APR_EINVAL;
    }
    gc_buffer_append_text(buffer, "event: ");
    gc_buffer_append_text(buffer, kind->name);
    gc_buffer_append_text(buffer, "\nid: ");
    chat_event_id_append(buffer, room, event->position);
    gc_buffer_append_text(buffer, DATA);
    rv = kind->append_data(buffer, event);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    gc_buffer_append_text(buffer, END);
    return APR_SUCCESS;
}

apr_status_t chat_sse_append_page(gc_buffer_t *buffer, gc_slice_t room, const chat_page_t *page,
                                  apr_int64_t up_to, apr_int64_t *reached)
{
    apr_size_t start = buffer->len;
    int i;

    for (i = 0; i < page->count && i < CHAT_PAGE_MAX_EVENTS && page->events[i].position <= up_to;
         i++) {
        apr_size_t before = buffer->len;
        apr_status_t rv = chat_sse_append_event(buffer, room, &page->events[i]);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (i > 0 && buffer->len - start > CHAT_PAGE_MAX_BYTES) {
            buffer->len = before;
            break;
        }
        *reached = page->events[i].position;
    }
    if (i == page->count ? !page->has_more : page->events[i].position > up_to) {
        *reached = up_to; /* nothing is stored in between */
    }
    return APR_SUCCESS;
}

gc_slice_t chat_sse_data(gc_slice_t event)
{
    gc_slice_t rest = event;
    gc_slice_t line;

    while (!gc_slice_starts(rest, gc_slice_of(&DATA[1])) &&
           gc_slice_until(&rest, '\n', &line) == APR_SUCCESS)
    {
    }
    return gc_slice(rest.data + strlen(&DATA[1]), rest.len - strlen(&DATA[1]) - strlen(END));
}

void chat_sse_append_reset(gc_buffer_t *buffer, gc_slice_t room, apr_int64_t n)
{
    gc_buffer_append_text(buffer, "event: stream-reset\nid: ");
    chat_event_id_append(buffer, room, n);
    gc_buffer_append_text(buffer, "\ndata: {\"channels\": [\"");
    chat_event_id_append_channel(buffer, room);
    gc_buffer_append_text(buffer, "\"]}\n\n");
}

gc_slice_t chat_sse_bad_position(void)
{
    return gc_slice_of("event: stream-error\nid: error\n"
                       "data: {\"condition\": \"bad-request\", \"text\": \"Invalid request: "
                       "Failed to parse Last-Event-ID or lastEventId.\"}\n\n");
}

void chat_sse_append_retry(gc_buffer_t *buffer, int retry_ms)
{
    gc_buffer_append_text(buffer, "retry: ");
    gc_buffer_append_int64(buffer, retry_ms);
    gc_buffer_append_text(buffer, "\n\n");
}
