/* The beginning of every unit test: cmocka with its prerequisites, and a pool for each test. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <apr_pools.h>
#include <apr_time.h>

#include "gc_slice.h"

/** How many elements an array has. */
#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/**
 * How long to wait for a thing that has to come. Its coming ends the wait, so it is long: no test
 * fails because its machine has much else to do.
 */
#define UNIT_PATIENCE apr_time_from_sec(60)

/** A test that gets an apr_pool_t as its *state. */
#define POOL_TEST(name) cmocka_unit_test_setup_teardown(name, unit_pool_setup, unit_pool_teardown)

/** Run the tests of one file, with APR initialised; main returns this. */
#define UNIT_RUN(tests) cmocka_run_group_tests(tests, unit_apr_setup, unit_apr_teardown)

int unit_apr_setup(void **state);
int unit_apr_teardown(void **state);
int unit_pool_setup(void **state);
int unit_pool_teardown(void **state);

/** Fail unless s holds exactly text. */
#define assert_slice_equal(s, text) unit_assert_slice((s), (text), __FILE__, __LINE__)
void unit_assert_slice(gc_slice_t s, const char *text, const char *file, int line);

#endif
