/* The crowd of posters: hands out messages as the options say. */
#ifndef LOAD_POSTERS_H
#define LOAD_POSTERS_H

#include "load_poster.h"

typedef struct load_posters_t load_posters_t;

/** Make the posters of a run. @return NULL if memory is short */
load_posters_t *load_posters_create(load_run_t *run);

/** Begin to post, as the options say. */
void load_posters_start(load_run_t *run);

/** Post so many messages more, on_command; latencies count from here on. */
void load_posters_order(load_run_t *run, apr_int64_t messages);

/** Post nothing new; what is under way goes on. */
void load_posters_stop(load_run_t *run);

/** Whether all that had to be posted was handed to a poster. */
int load_posters_are_through(const load_run_t *run);

/** Whether no message is under way. */
int load_posters_are_idle(const load_run_t *run);

/** For posters: this one has nothing to do. */
void load_posters_idle(load_run_t *run, load_poster_t *poster);

/** For posters: give a message to each that has nothing to do, for as long as messages are due. */
void load_posters_pump(load_run_t *run);

#endif
