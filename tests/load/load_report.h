/* The result of a run, as one line of JSON. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load_run.h"

/** Print what was counted so far to standard output. @return 0, or -1 if that failed */
int load_report_print(const load_run_t *run);

#endif
