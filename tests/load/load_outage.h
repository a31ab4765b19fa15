/* Measures how long it takes until all readers are current again after most of them were cut off. */
#ifndef LOAD_OUTAGE_H
#define LOAD_OUTAGE_H

#include "load_reader.h"

/** The state of an outage. */
typedef enum load_outage_e {
    LOAD_OUTAGE_NONE,
    LOAD_OUTAGE_DOWN,    /**< not every reader that was cut off is open again */
    LOAD_OUTAGE_ASKING,  /**< all are; the origin is asked how far the rooms are */
    LOAD_OUTAGE_CATCHING /**< readers have to get there */
} load_outage_e;

/** The outage of now, and those that are over. */
typedef struct load_outage_t {
    load_outage_e state;
    int closed;          /**< connections that ended since began */
    int pending;         /**< readers that were cut off and are not open again */
    int is_mass;         /**< half of the readers were cut off within seconds */
    uint64_t began;      /**< of load_now(), at the first connection that ended */
    uint64_t all_open;   /**< when the last reader was open again */
    int count;           /**< of mass outages that are over */
    double last_open_ms; /**< from the first end to the last stream-open */
    double last_ms;      /**< from the first end to all readers current */
    double worst_ms;
} load_outage_t;

/** Make the account of a run. @return NULL if memory is short */
load_outage_t *load_outage_create(void);

/** A reader's connection was ended by the other side. */
void load_outage_closed(load_run_t *run, load_reader_t *reader);

/** A reader's stream is open. */
void load_outage_opened(load_run_t *run, load_reader_t *reader);

/** Look whether an outage has come further; called every few milliseconds. */
void load_outage_tick(load_run_t *run);

#endif
