/* Reads an event stream as EventSource does, and no more of each event than the checks need. Half
 * a million events a second have to pass, so no JSON is parsed. */
#ifndef LOAD_STREAM_H
#define LOAD_STREAM_H

#include <stdint.h>

#include "load_line.h"

/** The kinds of docs/wire.md. */
typedef enum load_event_e {
    LOAD_EVENT_MESSAGE,
    LOAD_EVENT_OPEN,
    LOAD_EVENT_KEEP_ALIVE,
    LOAD_EVENT_RESET,
    LOAD_EVENT_ERROR,
    LOAD_EVENT_OTHER
} load_event_e;

/** The kind of an event's id. */
typedef enum load_id_e {
    LOAD_ID_NONE,
    LOAD_ID_POSITION, /**< a position of the stream's own room */
    LOAD_ID_OTHER     /**< anything else, another room's position too */
} load_id_e;

/** The known facts of an event. */
typedef struct load_event_t {
    load_event_e kind;
    load_id_e id;
    apr_int64_t position; /**< with LOAD_ID_POSITION */
    int has_data;         /**< without, a browser passes over it, but for the id */
    uint64_t sent;        /**< of load_now(), as the message's text begins with; 0: none there */
} load_event_t;

/** A stream that is being read; all zero but room_id is a new one. */
typedef struct load_stream_t {
    gc_slice_t room_id; /**< the beginning of the room's positions, "room-load-0:" */
    int retry_ms;       /**< the server's last word; 0: none */
    load_event_t event; /**< the part of the next one that has come */
    load_line_t line;
} load_stream_t;

/** Takes an event whose blank line has come. */
typedef void load_event_f(void *context, const load_event_t *event);

/** Forget an event that was cut off, as a new connection begins. */
void load_stream_begin(load_stream_t *stream);

/** Take a piece of the body. @return 1, or 0 if a line is too long */
int load_stream_feed(load_stream_t *stream, gc_slice_t piece, load_event_f *take, void *context);

/** Give memory back. */
void load_stream_clear(load_stream_t *stream);

#endif
