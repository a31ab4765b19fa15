#include "load_stream.h"

#define RETRY_MAX_MS 3600000

void load_stream_begin(load_stream_t *stream)
{
    memset(&stream->event, 0, sizeof(stream->event));
    stream->line.have = 0;
    stream->line.is_told = 0;
}

/* Whether a line is this field; *line is then its value. */
static int is_field(gc_slice_t *line, const char *name, apr_size_t len)
{
    if (line->len < len || memcmp(line->data, name, len) != 0) {
        return 0;
    }
    line->data += len;
    line->len -= len;
    if (line->len && line->data[0] == ' ') {
        line->data++;
        line->len--;
    }
    return 1;
}

static load_event_e kind_of(gc_slice_t value)
{
    static const struct {
        gc_slice_t name;
        load_event_e kind;
    } kinds[] = {{{"message", 7}, LOAD_EVENT_MESSAGE},
                 {{"stream-open", 11}, LOAD_EVENT_OPEN},
                 {{"keep-alive", 10}, LOAD_EVENT_KEEP_ALIVE},
                 {{"stream-reset", 12}, LOAD_EVENT_RESET},
                 {{"stream-error", 12}, LOAD_EVENT_ERROR}};
    unsigned i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (gc_slice_equal(value, kinds[i].name)) {
            return kinds[i].kind;
        }
    }
    return LOAD_EVENT_OTHER;
}

static void read_id(load_stream_t *stream, gc_slice_t value)
{
    apr_size_t skip = stream->room_id.len;

    stream->event.id = LOAD_ID_OTHER;
    if (gc_slice_starts(value, stream->room_id) &&
        gc_slice_number(gc_slice(value.data + skip, value.len - skip), APR_INT64_MAX,
                        &stream->event.position) == APR_SUCCESS)
    {
        stream->event.id = LOAD_ID_POSITION;
    }
}

/* The number that the text of a message begins with. In JSON a quote inside a string has a backslash
 * before it, so the member's name cannot be found in somebody's text. */
static uint64_t sent_in(gc_slice_t value)
{
    const char *at = memmem(value.data, value.len, "\"text\":", 7);
    const char *end = value.data + value.len;
    uint64_t sent = 0;

    if (!at) {
        return 0;
    }
    at += 7;
    while (at < end && (*at == ' ' || *at == '"')) {
        at++;
    }
    while (at < end && *at >= '0' && *at <= '9') {
        sent = sent * 10 + (uint64_t)(*at++ - '0');
    }
    return at < end && *at == '-' ? sent : 0;
}

static void read_field(load_stream_t *stream, gc_slice_t line)
{
    apr_int64_t number;

    switch (line.data[0]) {
    case 'i':
        if (is_field(&line, "id:", 3)) {
            read_id(stream, line);
        }
        break;
    case 'd':
        if (is_field(&line, "data:", 5)) {
            stream->event.has_data = 1;
            if (stream->event.kind == LOAD_EVENT_MESSAGE) {
                stream->event.sent = sent_in(line);
            }
        }
        break;
    case 'e':
        if (is_field(&line, "event:", 6)) {
            stream->event.kind = kind_of(line);
        }
        break;
    case 'r':
        if (is_field(&line, "retry:", 6) &&
            gc_slice_number(line, RETRY_MAX_MS, &number) == APR_SUCCESS) {
            stream->retry_ms = (int)number;
        }
        break;
    default: /* a comment, or what a browser ignores */
        break;
    }
}

int load_stream_feed(load_stream_t *stream, gc_slice_t piece, load_event_f *take, void *context)
{
    gc_slice_t line;

    while (piece.len) {
        switch (load_line_next(&stream->line, &piece, &line)) {
        case LOAD_LINE_FOUND:
            break;
        case LOAD_LINE_MORE:
            return 1;
        default:
            return 0;
        }
        if (line.len) {
            read_field(stream, line);
        }
        else if (stream->event.has_data || stream->event.id != LOAD_ID_NONE) {
            load_event_t event = stream->event;

            memset(&stream->event, 0, sizeof(stream->event));
            take(context, &event);
        }
    }
    return 1;
}

void load_stream_clear(load_stream_t *stream)
{
    load_line_clear(&stream->line);
}
