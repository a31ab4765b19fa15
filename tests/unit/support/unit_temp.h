/* A temporary directory for each test, and a database in it, as a second process sees it. */
#ifndef UNIT_TEMP_H
#define UNIT_TEMP_H

#include "unit.h"

/** The *state of a TEMP_TEST. */
typedef struct unit_temp_t {
    apr_pool_t *pool;
    const char *dir;  /**< of this test alone; removed afterwards with the files in it */
    const char *path; /**< of a database in it that does not exist yet */
} unit_temp_t;

/** A test that gets a unit_temp_t as its *state. */
#define TEMP_TEST(name) cmocka_unit_test_setup_teardown(name, unit_temp_setup, unit_temp_teardown)

int unit_temp_setup(void **state);
int unit_temp_teardown(void **state);

/** Whether the sqlite3 command-line tool is there. */
int unit_sqlite_is_there(void);

/**
 * Run SQL on a file with the sqlite3 command-line tool, which must succeed.
 *
 * @return the output, without the last line end; owned by pool
 */
const char *unit_sqlite(const char *path, const char *sql, apr_pool_t *pool);

#endif
