#include "load_message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define HEAD_MAX   2048
#define MARKER_MAX 64
#define FROM       "from=load&text="

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
    return HEAD_MAX + MARKER_MAX + (size_t)options->text_bytes;
}

/* A text that is longer than its marker goes on behind a space, which a form writes as a plus. */
static size_t write_text(const load_message_t *message, const load_options_t *options, char *out)
{
    size_t len = (size_t)load_message_marker(message, out, MARKER_MAX);
    size_t wanted = (size_t)options->text_bytes;

    if (len < wanted) {
        out[len] = '+';
        memset(out + len + 1, 'x', wanted - len - 1);
        len = wanted;
    }
    return len;
}

size_t load_message_request(const load_message_t *message, const load_options_t *options, char *out,
                            size_t size)
{
    size_t skip = size - (size_t)options->text_bytes - MARKER_MAX;
    size_t text = write_text(message, options, out + skip);
    char key[LOAD_UUID_CHARS + 32] = "";
    size_t head;

    if (message->key[0]) {
        snprintf(key, sizeof(key), "Idempotency-Key: \"%s\"\r\n", message->key);
    }
    head = (size_t)snprintf(out, HEAD_MAX,
                            "POST %s/rooms/%s/messages/ HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Type: application/x-www-form-urlencoded\r\n%s"
                            "Content-Length: %lu\r\n\r\n" FROM,
                            options->prefix, message->room->name, key,
                            (unsigned long)(sizeof(FROM) - 1 + text));
    memmove(out + head, out + skip, text);
    return head + text;
}
