#include "gc_clock.h"

#include <time.h>

gc_moment_t gc_clock_now(void)
{
    struct timespec now = {0, 0};

    /* Fails only where there is no such clock; Linux always has it, and the keeper needs Linux. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (gc_moment_t)now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000 + 1;
}

gc_moment_t gc_clock_earlier(gc_moment_t a, gc_moment_t b)
{
    return !a || (b && b < a) ? b : a;
}
