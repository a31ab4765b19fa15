#include "unit_wall_clock.h"

#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static int *ahead; /* shared with what is forked; NULL before the setup */

/* Exported, so that APR finds it before the C library's. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict now,
                                                        void *restrict zone)
{
    struct timespec real = {0, 0};
    int failed = clock_gettime(CLOCK_REALTIME, &real);

    (void)zone;
    now->tv_sec = real.tv_sec + (ahead ? __atomic_load_n(ahead, __ATOMIC_SEQ_CST) : 0);
    now->tv_usec = (suseconds_t)(real.tv_nsec / 1000);
    return failed;
}

void unit_wall_clock_set(int seconds)
{
    __atomic_store_n(ahead, seconds, __ATOMIC_SEQ_CST);
}

int unit_wall_clock_setup(void **state)
{
    void *memory =
        mmap(NULL, sizeof(*ahead), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return -1;
    }
    ahead = memory;
    return unit_apr_setup(state);
}
