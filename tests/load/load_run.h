/* One run of the load client: what its parts share, and the order in which they work. */
#ifndef LOAD_RUN_H
#define LOAD_RUN_H

#include <stdio.h>

#include "load_clock.h"
#include "load_histogram.h"
#include "load_loop.h"
#include "load_options.h"

/** Statuses of HTTP are counted by number; what has no answer is counted at 0. */
#define LOAD_STATUSES 600

/** Bytes that are read at once. */
#define LOAD_READ_BYTES (256 * 1024)

/** A room. */
typedef struct load_room_t {
    char name[LOAD_ROOM_MAX + 1];
    char id[LOAD_ROOM_MAX + 8]; /**< "room-{name}:", what its positions begin with */
    int is_asked;               /**< last counts */
    apr_int64_t last;           /**< position of its last message, as the origin said */
    apr_int64_t target;         /**< the position that readers must reach to be over an outage */
    apr_int64_t acknowledged;
} load_room_t;

/** The state of a run. */
typedef enum load_state_e {
    LOAD_CONNECTING, /**< readers are being connected */
    LOAD_POSTING,
    LOAD_DRAINING, /**< nothing new is posted; what is under way is waited for */
    LOAD_SETTLING, /**< readers may still become whole */
    LOAD_ENDED
} load_state_e;

/** The counts of a run. */
typedef struct load_counts_t {
    apr_int64_t posted; /**< messages, however often each was sent */
    apr_int64_t acknowledged;
    apr_int64_t unknown; /**< sent; it is not known whether they were stored */
    apr_int64_t unsent;  /**< given up before a byte was sent */
    apr_int64_t retries;
    apr_int64_t post_connects;
    apr_int64_t post_refused; /**< connects that failed */
    apr_int64_t rejected[LOAD_STATUSES];
    apr_int64_t connects; /**< of readers; answered or not */
    apr_int64_t refused;
    apr_int64_t silent; /**< connections of readers that were given up for their silence */
    apr_int64_t cut;    /**< that ended before their stream was open */
    apr_int64_t bad;    /**< answers that were no event stream */
    apr_int64_t statuses[LOAD_STATUSES];
    apr_int64_t bytes;
    apr_int64_t events;
    apr_int64_t messages;
    apr_int64_t keep_alives;
    apr_int64_t resets;
    apr_int64_t errors;      /**< events "stream-error" */
    apr_int64_t misdirected; /**< events with the id of another room, or with none of a position */
} load_counts_t;

struct load_reader_t;
struct load_posters_t;
struct load_asker_t;
struct load_outage_t;
struct load_control_t;
struct ssl_ctx_st;

/** A run. Everything in it belongs to one thread. */
typedef struct load_run_t {
    load_options_t options;
    load_loop_t loop;
    load_state_e state;
    int is_stopped; /**< posting is to end */
    load_room_t *rooms;
    struct load_reader_t *readers;
    int started; /**< readers that have begun */
    int open;    /**< readers whose stream is open now */
    int opened;  /**< readers whose stream was open once */
    struct load_posters_t *posters;
    struct load_asker_t *asker;
    struct load_outage_t *outage;
    struct load_control_t *control;
    struct ssl_ctx_st *tls; /**< NULL: readers are plain */
    FILE *ids;              /**< NULL: none wanted */
    load_timer_t tick;
    uint64_t began;         /**< of load_now() */
    uint64_t connected;     /**< when all readers had been connected; 0: not yet */
    uint64_t posting_began; /**< 0: not yet */
    uint64_t posting_ended; /**< when nothing new was posted any more */
    uint64_t last_post;     /**< the last acknowledgement, or the end of posting */
    uint64_t asked_after;   /**< positions must be asked after this moment to count */
    apr_int64_t ordered;    /**< messages, by all commands */
    uint64_t order_began;   /**< of load_now(), at the last command; 0: there was none */
    int is_confirmed;       /**< the origin was asked again after all readers were whole */
    uint64_t settle_end;
    load_counts_t counts;
    load_histogram_t post; /**< from first sending to acknowledgement */
    load_histogram_t
        live; /**< from sending to arrival, on a stream that was open; of the last order */
    load_histogram_t recovery; /**< the same, of what was sent while the reader was away */
    char *buffer;              /**< LOAD_READ_BYTES, for the function that reads */
} load_run_t;

/** Prepare a run. @return 0, or -1 with a sentence on err */
int load_run_init(load_run_t *run, FILE *err);

/** Run it to its end. @return 0, or -1 with a sentence on err */
int load_run(load_run_t *run, FILE *err);

/** A random number, 0 <= x < 1. */
double load_random(void);

#endif
