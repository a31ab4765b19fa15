/* A wall clock that a test sets: apr_time_now() of this process and of those that it forks. Linked to
 * the tests that want it alone, since it stands in for the C library's gettimeofday(). */
#ifndef UNIT_WALL_CLOCK_H
#define UNIT_WALL_CLOCK_H

#include "unit.h"

/** A group's setup, in place of unit_apr_setup. */
int unit_wall_clock_setup(void **state);

/** Set it by so many seconds from the real time; negative for back, 0 for right. */
void unit_wall_clock_set(int seconds);

#endif
