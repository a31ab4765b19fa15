/* Takes commands on standard input, a line each: "stop", "status", and with --on-command "post N". */
#ifndef LOAD_CONTROL_H
#define LOAD_CONTROL_H

#include "load_run.h"

typedef struct load_control_t load_control_t;

/** Listen to standard input; what cannot be waited for, as a file, is left alone. @return NULL: no
 *  memory */
load_control_t *load_control_create(load_run_t *run);

#endif
