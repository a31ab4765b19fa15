/* Asks the origin how far each room is, again and again until it answers. */
#ifndef LOAD_ASKER_H
#define LOAD_ASKER_H

#include "load_run.h"

typedef struct load_asker_t load_asker_t;

/** Make the asker of a run; it does nothing until something is wanted. @return NULL: no memory */
load_asker_t *load_asker_create(load_run_t *run);

/**
 * Have every room's last position asked for; a server without positions has nothing to be asked.
 *
 * @param after  a moment of load_now(): only what was asked later counts
 * @return whether that is done, and room->last so; if not, call again
 */
int load_asker_want(load_run_t *run, uint64_t after);

#endif
