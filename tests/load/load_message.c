#include "load_message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define HEAD_MAX   1536
#define FRAME_MAX  640 /* of a body, around its text */
#define MARKER_MAX 64

/* Version 4 of RFC 9562. */
static int make_uuid(char *out)
{
    unsigned char b[16];

    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b)) {
        return 0;
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, LOAD_UUID_CHARS + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return 1;
}

load_message_t *load_message_create(load_run_t *run)
{
    load_message_t *message = calloc(1, sizeof(*message));

    if (!message || (run->options.is_keyed && !make_uuid(message->key))) {
        free(message);
        return NULL;
    }
    message->number = run->counts.posted++;
    message->room = &run->rooms[message->number % run->options.rooms];
    message->made = load_now();
    return message;
}

void load_queue_push(load_queue_t *queue, load_message_t *message)
{
    message->next = NULL;
    if (queue->last) {
        queue->last->next = message;
    }
    else {
        queue->first = message;
    }
    queue->last = message;
    queue->count++;
}

load_message_t *load_queue_pop(load_queue_t *queue)
{
    load_message_t *message = queue->first;

    if (message) {
        queue->first = message->next;
        queue->last = queue->first ? queue->last : NULL;
        queue->count--;
    }
    return message;
}

void load_queue_prepend(load_queue_t *queue, load_queue_t *first)
{
    if (!first->count) {
        return;
    }
    first->last->next = queue->first;
    queue->first = first->first;
    queue->last = queue->last ? queue->last : first->last;
    queue->count += first->count;
    memset(first, 0, sizeof(*first));
}

int load_message_marker(const load_message_t *message, char *out, size_t size)
{
    return snprintf(out, size, "%llu-%" APR_INT64_T_FMT, (unsigned long long)message->made,
                    message->number);
}

size_t load_message_request_max(const load_options_t *options)
{
    return HEAD_MAX + FRAME_MAX + MARKER_MAX + (size_t)options->text_bytes;
}

/* A text that is longer than its marker goes on behind a gap. */
static size_t write_text(const load_message_t *message, const load_options_t *options, char gap,
                         char *out)
{
    size_t len = (size_t)load_message_marker(message, out, MARKER_MAX);
    size_t wanted = (size_t)options->text_bytes;

    if (len < wanted) {
        out[len] = gap;
        memset(out + len + 1, 'x', wanted - len - 1);
        len = wanted;
    }
    return len;
}

/* A form, which writes a space as a plus. */
static size_t write_form(const load_message_t *message, const load_options_t *options, char *out)
{
    size_t head = (size_t)snprintf(out, FRAME_MAX, "from=load&text=");

    return head + write_text(message, options, '+', out + head);
}

/* An event's data, as long as ours. */
static size_t write_data(const load_message_t *message, const load_options_t *options, char *out)
{
    size_t len = (size_t)snprintf(out, FRAME_MAX,
                                  "{\"id\": %" APR_INT64_T_FMT ", \"from\": \"load\","
                                  " \"date\": \"2026-01-01T00:00:00.000Z\", \"text\": \"",
                                  message->number);

    len += write_text(message, options, ' ', out + len);
    return len + (size_t)snprintf(out + len, MARKER_MAX, "\"}");
}

/* A whole event of ours as a string of JSON, in what Pushpin takes (docs/wire.md). It sends no item whose
 * prev-id is not the last that a reader had; rooms take turns, so each counts for itself. */
static size_t write_item(const load_message_t *message, const load_options_t *options, char *out)
{
    const load_room_t *room = message->room;
    apr_int64_t id = message->number / options->rooms + 1;
    size_t len = (size_t)snprintf(
        out, FRAME_MAX,
        "{\"items\":[{\"channel\":\"events-room-%s\",\"id\":\"%" APR_INT64_T_FMT
        "\",\"prev-id\":\"%" APR_INT64_T_FMT "\",\"formats\":{\"http-stream\":{\"content\":"
        "\"event: message\\nid: %s%" APR_INT64_T_FMT "\\ndata: {\\\"id\\\": %" APR_INT64_T_FMT
        ", \\\"from\\\": \\\"load\\\", \\\"date\\\": \\\"2026-01-01T00:00:00.000Z\\\","
        " \\\"text\\\": \\\"",
        room->name, id, id - 1, room->id, id, id);

    len += write_text(message, options, ' ', out + len);
    return len + (size_t)snprintf(out + len, MARKER_MAX, "\\\"}\\n\\n\"}}}]}");
}

/* A channel has the room's name; an event's data is what was published, in a frame of Centrifugo's. */
static size_t write_publication(const load_message_t *message, const load_options_t *options,
                                char *out)
{
    size_t len =
        (size_t)snprintf(out, FRAME_MAX, "{\"channel\": \"%s\", \"data\": ", message->room->name);

    len += write_data(message, options, out + len);
    return len + (size_t)snprintf(out + len, MARKER_MAX, "}");
}

static size_t write_path(const load_message_t *message, const load_options_t *options, char *out)
{
    if (options->server == LOAD_SERVER_PUSHPIN) {
        return (size_t)snprintf(out, HEAD_MAX, "/publish/");
    }
    if (options->server == LOAD_SERVER_CENTRIFUGO) {
        return (size_t)snprintf(out, HEAD_MAX, "/api/publish");
    }
    return (size_t)snprintf(out, HEAD_MAX, "%s/rooms/%s/messages/", options->prefix,
                            message->room->name);
}

/* Each body needs less than FRAME_MAX beside its text, and each head less than HEAD_MAX. */
size_t load_message_request(const load_message_t *message, const load_options_t *options, char *out)
{
    static const struct {
        size_t (*write)(const load_message_t *, const load_options_t *, char *);
        const char *headers;
    } bodies[] = {
        {write_form, "Content-Type: application/x-www-form-urlencoded\r\n"},
        {write_data, "Content-Type: application/json\r\nX-EventSource-Event: message\r\n"},
        {write_item, "Content-Type: application/json\r\n"},
        /* It says 200 to what it refuses unless it is asked not to. */
        {write_publication,
         "Content-Type: application/json\r\nX-Centrifugo-Error-Mode: transport\r\n"}};
    char *body = out + HEAD_MAX;
    size_t len = bodies[options->server].write(message, options, body);
    char path[HEAD_MAX];
    char key[LOAD_UUID_CHARS + 32] = "";
    size_t head;

    write_path(message, options, path);
    if (message->key[0]) {
        snprintf(key, sizeof(key), "Idempotency-Key: \"%s\"\r\n", message->key);
    }
    head = (size_t)snprintf(out, HEAD_MAX,
                            "POST %s HTTP/1.1\r\nHost: localhost\r\n%s%s"
                            "Content-Length: %lu\r\n\r\n",
                            path, bodies[options->server].headers, key, (unsigned long)len);
    memmove(out + head, body, len);
    return head + len;
}
