/* The note of one keeper for the next: which files it had open. */
#include "unit_temp.h"
#include "write_files.h"
#include "write_positions.h"
#include <string.h>

static write_lock_t locked(const unit_temp_t *temp)
{
    write_lock_t lock;

    assert_int_equal(write_lock_try(&lock, temp->path, temp->pool), APR_SUCCESS);
    return lock;
}

static void are_kept_behind_the_positions(void **state)
{
    write_lock_t lock = locked(*state);
    chat_database_files_t files = {
        {APR_UINT64_C(0xffffffffffffffff), APR_UINT64_C(0xffffffffffffffff), 3},
        {4, 5, 6},
        {7, 8, 9}};
    chat_database_files_t found = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
    write_positions_t positions = {1, 7, 3, 0};
    write_positions_t read = {0, 0, 0, 0};

    assert_int_equal(write_files_read(&found, &lock), APR_SUCCESS);
    assert_true(found.file.inode == 0 && found.log.inode == 0);
    assert_int_equal(write_files_keep(&files, &lock), APR_SUCCESS);
    assert_int_equal(write_positions_keep(&positions, &lock), APR_SUCCESS);
    assert_int_equal(write_files_read(&found, &lock), APR_SUCCESS);
    assert_true(chat_file_id_is_same(&found.file, &files.file));
    assert_true(chat_file_id_is_same(&found.log, &files.log));
    assert_int_equal(write_positions_read(&read, &lock), APR_SUCCESS);
    assert_int_equal(read.last_id, 7);
}

static void are_unknown_where_something_else_is_written(void **state)
{
    write_lock_t lock = locked(*state);
    chat_database_files_t files = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    chat_database_files_t found;

    assert_int_equal(write_files_keep(&files, &lock), APR_SUCCESS);
    assert_int_equal(write_lock_write(&lock, WRITE_POSITIONS_BYTES + 8, "x", 1), APR_SUCCESS);
    assert_int_equal(write_files_read(&found, &lock), APR_SUCCESS);
    assert_true(found.file.inode == 0 && found.log.inode == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(are_kept_behind_the_positions),
        TEMP_TEST(are_unknown_where_something_else_is_written),
    };

    return UNIT_RUN(tests);
}
