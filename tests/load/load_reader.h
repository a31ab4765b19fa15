/* A reader: an EventSource that comes back as the chat page does, and checks what it gets. */
#ifndef LOAD_READER_H
#define LOAD_READER_H

#include "load_http.h"
#include "load_run.h"
#include "load_stream.h"
#include "load_tls.h"
#include "load_track.h"

/** The state of a reader's connection. */
typedef enum load_reader_e {
    LOAD_READER_AWAY, /**< until its timer fires */
    LOAD_READER_CONNECTING,
    LOAD_READER_GREETING, /**< at the handshake of TLS */
    LOAD_READER_ASKING,   /**< the request is sent; no stream-open yet */
    LOAD_READER_OPEN
} load_reader_e;

/** A reader. */
typedef struct load_reader_t {
    load_source_t source;
    load_timer_t timer; /**< to come back, or for what is awaited of a connection */
    load_timer_t pace;  /**< the next drop, or the next few bytes */
    load_run_t *run;
    load_tls_t *tls; /**< NULL: plain, or not connected */
    load_room_t *room;
    load_reader_e state;
    int is_slow;      /**< by the options */
    int was_open;     /**< once */
    int was_broken;   /**< the connection before this one did not end by itself */
    int is_down;      /**< an outage counts it as cut off */
    int is_forgetful; /**< begins anew the next time, without a position */
    int failures;     /**< in a row */
    int has_last;     /**< last_id is sent when it comes back */
    apr_int64_t last_id;
    int connects;
    apr_int64_t messages; /**< on all its connections */
    uint64_t opened_at;
    uint64_t heard_at;
    uint64_t moved_at; /**< when its position last changed */
    uint64_t worst;    /**< longest latency, live, in NANOSECONDS */
    load_http_t http;
    load_stream_t stream;
    load_track_t track;
} load_reader_t;

/** Make a reader of a room; it connects when load_reader_start is called. */
void load_reader_init(load_reader_t *reader, load_run_t *run, int number);

/** Connect. */
void load_reader_start(load_reader_t *reader);

/** Posting begins: from now on connections are dropped, if the options say so. */
void load_reader_stir(load_reader_t *reader);

/** Posting is over: no more drops, and a slow reader reads what there is. */
void load_reader_calm(load_reader_t *reader);

/** Whether it has all that its room has, by the last answer of the origin. */
int load_reader_is_whole(const load_reader_t *reader);

/** Whether it reads slowly at present. */
int load_reader_dawdles(const load_reader_t *reader);

#endif
