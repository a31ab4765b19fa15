/* A reader opens only the files that the writer has open, and writes nothing, not even when it is
 * the last to close. */
#include "chat_database_sqlite.h"
#include "reading_fixture.h"
#include <apr_dbd.h>

/* All bytes of a file. */
static const char *bytes_of(const char *path, apr_size_t *len, apr_pool_t *pool)
{
    FILE *file = fopen(path, "rb");
    char *bytes = apr_palloc(pool, 1 << 20);

    assert_non_null(file);
    *len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

/* A database and its log, to be compared later. */
typedef struct picture_t {
    const char *file;
    apr_size_t file_len;
    const char *log;
    apr_size_t log_len;
} picture_t;

static picture_t take_picture(const unit_temp_t *temp)
{
    picture_t picture;

    picture.file = bytes_of(temp->path, &picture.file_len, temp->pool);
    picture.log = bytes_of(beside(temp, "-wal"), &picture.log_len, temp->pool);
    return picture;
}

static void assert_unchanged(picture_t before, const unit_temp_t *temp)
{
    picture_t after = take_picture(temp);

    assert_int_equal(after.file_len, before.file_len);
    assert_memory_equal(after.file, before.file, before.file_len);
    assert_int_equal(after.log_len, before.log_len);
    assert_memory_equal(after.log, before.log, before.log_len);
}

static void writes_nothing_when_it_is_the_last_to_close(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *reader = make(temp, CHAT_DATABASE_READER);
    picture_t before;

    leave_log_behind(temp, 3);
    before = take_picture(temp);
    assert_true(before.log_len > 0);
    assert_int_equal(count_messages(reader, temp), 3);
    chat_database_close(reader);
    assert_unchanged(before, temp);
}

/* How the libraries of systems are that do not take a URI for a name. */
static void writes_nothing_also_where_the_file_is_opened_for_writing(void **state)
{
    const unit_temp_t *temp = *state;
    const apr_dbd_driver_t *driver;
    apr_dbd_results_t *rows = NULL;
    apr_dbd_t *handle;
    picture_t before;

    leave_log_behind(temp, 3);
    before = take_picture(temp);
    assert_int_equal(chat_database_global_init(temp->pool), APR_SUCCESS);
    assert_int_equal(apr_dbd_get_driver(temp->pool, "sqlite3", &driver), APR_SUCCESS);
    assert_int_equal(apr_dbd_open(driver, temp->pool, temp->path, &handle), APR_SUCCESS);
    assert_int_equal(chat_database_sqlite_let_checkpoint(apr_dbd_native_handle(driver, handle), 0),
                     APR_SUCCESS);
    assert_int_equal(apr_dbd_select(driver, temp->pool, handle, &rows,
                                    "SELECT count(*) FROM grip_chat_message", 0),
                     0);
    assert_int_equal(apr_dbd_close(driver, handle), APR_SUCCESS);
    assert_unchanged(before, temp);
}

static void opens_the_file_read_only(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *reader = make(temp, CHAT_DATABASE_READER);
    struct stat file;
    int found = 0;
    int fd;

    if (!strstr(chat_database_sqlite_read_only_name("/x", temp->pool), "mode=ro")) {
        skip();
    }
    leave_log_behind(temp, 1);
    assert_int_equal(stat(temp->path, &file), 0);
    assert_int_equal(count_messages(reader, temp), 1);
    for (fd = 0; fd < 256; fd++) {
        struct stat opened;

        if (fstat(fd, &opened) == 0 && opened.st_ino == file.st_ino && opened.st_dev == file.st_dev)
        {
            assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
            found++;
        }
    }
    assert_int_equal(found, 1);
    assert_int_not_equal(chat_database_run(reader, "DELETE FROM grip_chat_message"), APR_SUCCESS);
}

static void names_what_it_opens_read_only_whatever_is_in_the_path(void **state)
{
    unit_temp_t temp = *(unit_temp_t *)*state;
    chat_database_t *reader;

    temp.path = apr_pstrcat(temp.pool, temp.dir, "/a?b#c%20d e&mode=rw.db", NULL);
    leave_log_behind(&temp, 2);
    reader = make(&temp, CHAT_DATABASE_READER);
    assert_int_equal(count_messages(reader, &temp), 2);
}

static void opens_nothing_that_no_writer_has_open(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_spec_t spec = {"sqlite3", temp->path};
    chat_database_t *reader;
    picture_t before;

    leave_log_behind(temp, 1);
    before = take_picture(temp);
    reader = chat_database_create(&spec, CHAT_DATABASE_READER, temp->pool);
    assert_int_equal(chat_database_ready(reader), APR_ENOENT);
    assert_unchanged(before, temp);
}

/* The keeper has ended in order and taken the log along; the next one is not there yet. */
static void opens_what_the_writer_closed_and_left_without_a_log(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    chat_database_t *first = make(temp, CHAT_DATABASE_READER);
    chat_database_t *second = make(temp, CHAT_DATABASE_READER);
    held_t *held = held_at(temp->path);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    chat_database_close(db);
    assert_int_equal(chat_database_ready(first), APR_ENOENT);
    memset(&held->files.log, 0, sizeof(held->files.log));
    memset(&held->files.index, 0, sizeof(held->files.index));
    assert_int_equal(count_messages(first, temp), 1);
    assert_int_equal(count_messages(second, temp), 1);
    assert_int_equal(count_messages(first, temp), 1);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(count_messages(first, temp), 2);
    assert_int_equal(count_messages(second, temp), 2);
}

/* The old file's log still lies under the name of the new one's. */
static void leaves_a_restored_file_alone_until_the_writer_has_opened_it(void **state)
{
    const unit_temp_t *temp = *state;
    reading_child_t of_before = start_reading_child(temp);
    reading_child_t newcomer = start_reading_child(temp);
    chat_database_t *db = open_writer(temp);
    picture_t before;

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(ask_reading_child(of_before), 3);
    assert_int_equal(rename(make_backup(temp, 2), temp->path), 0);
    before = take_picture(temp);
    assert_true(ask_reading_child(newcomer) < 0);
    assert_int_equal(ask_reading_child(of_before), 3);
    assert_unchanged(before, temp);
    assert_int_equal(chat_database_check(db, temp->pool), APR_ENOENT);
    assert_int_equal(store(db, "k4", temp), APR_SUCCESS);
    assert_int_equal(ask_reading_child(newcomer), 3);
    /* The later one first: it has a copy of the other's pipe. */
    assert_int_equal(finish_reading_child(newcomer), 3);
    assert_int_equal(finish_reading_child(of_before), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(writes_nothing_when_it_is_the_last_to_close),
        TEMP_TEST(writes_nothing_also_where_the_file_is_opened_for_writing),
        TEMP_TEST(opens_the_file_read_only),
        TEMP_TEST(names_what_it_opens_read_only_whatever_is_in_the_path),
        TEMP_TEST(opens_nothing_that_no_writer_has_open),
        TEMP_TEST(opens_what_the_writer_closed_and_left_without_a_log),
        TEMP_TEST(leaves_a_restored_file_alone_until_the_writer_has_opened_it),
    };

    return UNIT_RUN(tests);
}
