/* The parts that the fuzz targets share. A target is one file: libFuzzer brings a main of its own,
 * any other compiler takes replay.c, which runs the corpus. */
#ifndef FUZZ_BASE_H
#define FUZZ_BASE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <apr_general.h>

#include "gc_slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Stop, as fuzzers want it, where something that must hold for every input does not. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** A pool for one input; the caller destroys it. */
static inline apr_pool_t *fuzz_pool_make(void)
{
    static int is_ready;
    apr_pool_t *pool = NULL;

    if (!is_ready) {
        FUZZ_CHECK(apr_initialize() == APR_SUCCESS);
        is_ready = 1;
    }
    FUZZ_CHECK(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    return pool;
}

/** View an input. */
static inline gc_slice_t fuzz_slice(const uint8_t *data, size_t size)
{
    return gc_slice((const char *)data, size);
}

#endif
