/* Latencies in buckets that are at most 1.6 % wide, so that millions of samples take a fixed room. */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

/** Buckets to each power of two. */
#define LOAD_HISTOGRAM_STEPS   64
#define LOAD_HISTOGRAM_BUCKETS (LOAD_HISTOGRAM_STEPS * 60)

/** Samples in NANOSECONDS; all zero is empty. */
typedef struct load_histogram_t {
    uint64_t count;
    uint64_t max; /**< exact */
    uint64_t buckets[LOAD_HISTOGRAM_BUCKETS];
} load_histogram_t;

/** Add a sample. */
void load_histogram_add(load_histogram_t *histogram, uint64_t nanoseconds);

/** The value, in MILLISECONDS, that a share of the samples (0 .. 1) does not pass; 0 without any. */
double load_histogram_ms(const load_histogram_t *histogram, double share);

#endif
