/* The clock of timers and deadlines. It cannot be set, so a wait of a second takes a second. */
#ifndef GC_CLOCK_H
#define GC_CLOCK_H

#include <apr_time.h>

/**
 * A moment in MICROSECONDS, above 0, so that 0 may stand for never. It counts from about the start
 * of the machine, and stands still while the machine sleeps. It may be compared with the moments of
 * all processes of this machine since its start, also through shared memory. Never compare it with
 * an apr_time_t of apr_time_now(), with a moment of another machine, or with a stored one. Dates
 * and expiry times that leave the module come from the wall clock, apr_time_now(). Differences are
 * an apr_interval_time_t.
 */
typedef apr_time_t gc_moment_t;

/** The current moment. Never less than an earlier answer in any thread or process. Thread-safe. */
gc_moment_t gc_clock_now(void);

/** The earlier of two moments; 0 stands for never. Pure, thread-safe. */
gc_moment_t gc_clock_earlier(gc_moment_t a, gc_moment_t b);

#endif
