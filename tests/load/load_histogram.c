#include "load_histogram.h"

/* Values below STEPS have buckets of their own; above, the highest seven bits say which. */
static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < LOAD_HISTOGRAM_STEPS) {
        return (unsigned)value;
    }
    shift = 63u - (unsigned)__builtin_clzll(value) - 6u;
    return (shift + 1) * LOAD_HISTOGRAM_STEPS +
           (unsigned)((value >> shift) & (LOAD_HISTOGRAM_STEPS - 1));
}

/* The largest value of a bucket. */
static uint64_t top_of(unsigned bucket)
{
    unsigned shift;

    if (bucket < LOAD_HISTOGRAM_STEPS) {
        return bucket;
    }
    shift = bucket / LOAD_HISTOGRAM_STEPS - 1;
    return ((uint64_t)(LOAD_HISTOGRAM_STEPS + bucket % LOAD_HISTOGRAM_STEPS + 1) << shift) - 1;
}

void load_histogram_add(load_histogram_t *histogram, uint64_t nanoseconds)
{
    histogram->count++;
    if (nanoseconds > histogram->max) {
        histogram->max = nanoseconds;
    }
    histogram->buckets[bucket_of(nanoseconds)]++;
}

double load_histogram_ms(const load_histogram_t *histogram, double share)
{
    uint64_t wanted = (uint64_t)((double)histogram->count * share);
    uint64_t seen = 0;
    unsigned i;

    for (i = 0; i < LOAD_HISTOGRAM_BUCKETS && histogram->count; i++) {
        seen += histogram->buckets[i];
        if (seen > wanted || seen == histogram->count) {
            uint64_t top = top_of(i);

            return (double)(top < histogram->max ? top : histogram->max) / 1e6;
        }
    }
    return 0;
}
