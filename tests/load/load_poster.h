/* Posters: connections that are kept, each with messages that wait and messages without an answer. */
#ifndef LOAD_POSTER_H
#define LOAD_POSTER_H

#include "load_run.h"

typedef struct load_posters_t load_posters_t;

/** Make the posters of a run. @return NULL if memory is short */
load_posters_t *load_posters_create(load_run_t *run);

/** Begin to post, as the options say. */
void load_posters_start(load_run_t *run);

/** Post nothing new; what is under way goes on. */
void load_posters_stop(load_run_t *run);

/** Whether all that had to be posted was handed to a poster. */
int load_posters_are_through(const load_run_t *run);

/** Whether no message is under way. */
int load_posters_are_idle(const load_run_t *run);

#endif
