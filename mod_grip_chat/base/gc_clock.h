/* The clock that timers and deadlines go by: nobody sets it, so what waits a second waits a second. */
#ifndef GC_CLOCK_H
#define GC_CLOCK_H

#include <apr_time.h>

/**
 * A moment in MICROSECONDS, above 0, so that 0 may stand for never. It counts from about the start of
 * the machine, and stands still while the machine sleeps. It may be compared with the moments of all
 * processes of this machine since its start, also through shared memory; never with an apr_time_t of
 * apr_time_now(), with another machine's, or with one that was stored. What is told to others (dates,
 * expiry) is of the wall clock, apr_time_now(). Differences are an apr_interval_time_t.
 */
typedef apr_time_t gc_moment_t;

/** The moment that it is. Never less than before, in whichever thread or process. Thread-safe. */
gc_moment_t gc_clock_now(void);

/** The earlier of two moments, of which 0 is never. Pure, thread-safe. */
gc_moment_t gc_clock_earlier(gc_moment_t a, gc_moment_t b);

#endif
