/* A message that is to be posted, and the request that posts it: the same each time it is sent. */
#ifndef LOAD_MESSAGE_H
#define LOAD_MESSAGE_H

#include "load_run.h"

/** The length of a UUID as text. */
#define LOAD_UUID_CHARS 36

/** A message on its way. */
typedef struct load_message_t load_message_t;
struct load_message_t {
    load_message_t *next;
    load_room_t *room;
    apr_int64_t number; /**< counts the messages of a run */
    uint64_t made;      /**< of load_now(); its text begins with it once it was sent */
    int is_sent;        /**< some of it went out, perhaps all */
    char key[LOAD_UUID_CHARS + 1];
};

/** Messages in their order; all zero is none. */
typedef struct load_queue_t {
    load_message_t *first;
    load_message_t *last;
    int count;
} load_queue_t;

/** Make the next message of a run. @return NULL if memory is short */
load_message_t *load_message_create(load_run_t *run);

/** Append a message. */
void load_queue_push(load_queue_t *queue, load_message_t *message);

/** Take the first message. @return NULL if there is none */
load_message_t *load_queue_pop(load_queue_t *queue);

/** Put all messages of one queue before those of another, which keeps their order. */
void load_queue_prepend(load_queue_t *queue, load_queue_t *first);

/**
 * Write what a message's text begins with, "{made}-{number}".
 *
 * @return its length
 */
int load_message_marker(const load_message_t *message, char *out, size_t size);

/** The most bytes that a request of this run takes. */
size_t load_message_request_max(const load_options_t *options);

/** Write the request that posts a message, at most load_message_request_max bytes. @return its length */
size_t load_message_request(const load_message_t *message, const load_options_t *options,
                            char *out);

#endif
