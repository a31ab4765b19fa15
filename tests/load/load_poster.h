/* A poster: a connection that is kept, with messages that wait and messages without an answer. */
#ifndef LOAD_POSTER_H
#define LOAD_POSTER_H

#include "load_http.h"
#include "load_message.h"

/** The bytes that are kept of an answer: the id is at its beginning. */
#define LOAD_ANSWER_BYTES 256

/** A poster. */
typedef struct load_poster_t load_poster_t;
struct load_poster_t {
    load_source_t source;
    load_timer_t timer; /**< the end of a pause, or of the patience for an answer */
    load_run_t *run;
    load_poster_t *next; /**< among those that have nothing to do */
    int is_connected;
    int is_pausing;
    int is_busy;  /**< by its crowd: it is not among those that have nothing to do */
    int requests; /**< on this connection */
    uint64_t used_at;
    load_queue_t waiting; /**< to be sent */
    load_queue_t flying;  /**< sent, and not answered */
    char *out;            /**< the bytes that the socket did not take at once */
    size_t out_have;
    size_t out_sent;
    size_t out_room;
    load_http_t http;
    char answer[LOAD_ANSWER_BYTES]; /**< the beginning of the body */
    size_t answer_have;
};

/** Make a poster; it connects when it has something to post. */
void load_poster_init(load_poster_t *poster, load_run_t *run);

/** Give it a message, which it frees in the end. */
void load_poster_add(load_poster_t *poster, load_message_t *message);

/** Have it post what it was given, as far as that goes at once. */
void load_poster_work(load_poster_t *poster);

#endif
