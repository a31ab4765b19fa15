/* The one clock of the load client: it goes into every message and is read at every arrival. */
#ifndef LOAD_CLOCK_H
#define LOAD_CLOCK_H

#include <stdint.h>
#include <time.h>

#define LOAD_MS  UINT64_C(1000000)    /**< a millisecond in nanoseconds */
#define LOAD_SEC UINT64_C(1000000000) /**< a second in nanoseconds */

/** CLOCK_MONOTONIC in NANOSECONDS. */
static inline uint64_t load_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * LOAD_SEC + (uint64_t)now.tv_nsec;
}

#endif
