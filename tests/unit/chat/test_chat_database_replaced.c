#include "database_bench.h"

/* SQLite goes on committing into a file that has no name any more. */
static void notices_before_a_commit_that_the_file_was_deleted(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(unlink(temp->path), 0);
    assert_int_equal(store(db, "k2", temp), APR_ENOENT);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(count_messages(db, temp), 1);
}

static void notices_before_a_commit_that_the_file_was_replaced(void **state)
{
    const unit_temp_t *temp = *state;
    unit_temp_t other = *temp;
    chat_database_t *db = open_writer(temp);

    other.path = beside(temp, ".other");
    chat_database_close(open_writer(&other));
    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(rename(other.path, temp->path), 0);
    assert_int_equal(store(db, "k2", temp), APR_ENOENT);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
}

/* A child of httpd that has read, and keeps its connection until it reads again. */
typedef struct reading_child_t {
    pid_t pid;
    int go;
    int answer;
} reading_child_t;

static reading_child_t start_reading_child(const unit_temp_t *temp)
{
    reading_child_t child;
    int go[2];
    int answer[2];
    char count = -1;

    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(answer), 0);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0) {
        chat_database_t *reader = make(temp, CHAT_DATABASE_READER);

        close(go[1]);
        do {
            chat_page_t page = {0, 0, -2, NULL};

            (void)chat_store_read_before(reader, "", "a", APR_INT64_MAX,
                                         (chat_bounds_t){100, CHAT_LIST_MAX_BYTES}, &page,
                                         temp->pool);
            count = (char)page.count;
        } while (write(answer[1], &count, 1) == 1 && read(go[0], &count, 1) == 1);
        _exit(0);
    }
    close(go[0]);
    close(answer[1]);
    child.go = go[1];
    child.answer = answer[0];
    assert_int_equal(read(child.answer, &count, 1), 1);
    return child;
}

/* How many messages a child reads now, negative if it cannot. */
static int ask_reading_child(reading_child_t child)
{
    char count = -3;

    assert_int_equal(write(child.go, "x", 1), 1);
    (void)!read(child.answer, &count, 1);
    return count;
}

/* The same, and end it. */
static int finish_reading_child(reading_child_t child)
{
    int count = ask_reading_child(child);
    int status;

    close(child.go);
    close(child.answer);
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    assert_int_equal(status, 0);
    return count;
}

/* SQLite finds a file's log and its index by name: those of the old file must not become the new's. */
static void keeps_a_deleted_file_s_log_out_of_the_next_file(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    reading_child_t child;

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    child = start_reading_child(temp);
    assert_int_equal(unlink(temp->path), 0);
    assert_int_equal(store(db, "k3", temp), APR_ENOENT);
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(finish_reading_child(child), 1);
    assert_int_equal(count_messages(db, temp), 1);
}

static void keeps_a_replaced_file_s_log_out_of_the_next_file(void **state)
{
    const unit_temp_t *temp = *state;
    unit_temp_t other = *temp;
    chat_database_t *db = open_writer(temp);
    chat_database_t *restored;
    reading_child_t child;

    other.path = beside(temp, ".restored");
    restored = open_writer(&other);
    assert_int_equal(store(restored, "k1", &other), APR_SUCCESS);
    assert_int_equal(store(restored, "k2", &other), APR_SUCCESS);
    chat_database_close(restored);
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    child = start_reading_child(temp);
    assert_int_equal(rename(other.path, temp->path), 0);
    assert_int_equal(store(db, "k4", temp), APR_ENOENT);
    assert_int_equal(store(db, "k4", temp), APR_SUCCESS);
    assert_int_equal(finish_reading_child(child), 3);
    assert_int_equal(count_messages(db, temp), 3);
}

/* Only who has the old log open can read what was acknowledged, until the writer has moved it. */
static void lets_a_reader_keep_a_deleted_log_until_the_writer_has_left_it(void **state)
{
    const unit_temp_t *temp = *state;
    /* Forked before SQLite has anything open that the child would take for its own. */
    reading_child_t child = start_reading_child(temp);
    reading_child_t other;
    chat_database_t *db = open_writer(temp);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(ask_reading_child(child), 1);
    assert_int_equal(unlink(beside(temp, "-wal")), 0);
    assert_int_equal(unlink(beside(temp, "-shm")), 0);
    assert_int_equal(ask_reading_child(child), 1);
    other = start_reading_child(temp); /* makes a log, which nothing is in */
    assert_int_equal(access(beside(temp, "-wal"), F_OK), 0);
    assert_int_equal(ask_reading_child(child), 1);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(ask_reading_child(child), 2);
    (void)finish_reading_child(other);
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(finish_reading_child(child), 3);
}

static void lets_a_reader_follow_a_file_that_was_replaced(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    chat_database_t *reader = make(temp, CHAT_DATABASE_READER);
    chat_page_t page;

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 1);
    assert_int_equal(unlink(temp->path), 0);
    assert_int_equal(chat_store_read_before(reader, "", "a", APR_INT64_MAX,
                                            (chat_bounds_t){9, CHAT_LIST_MAX_BYTES}, &page,
                                            temp->pool),
                     APR_ENOENT);
    assert_int_equal(store(db, "k2", temp), APR_ENOENT);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 2);
}

static void a_file_that_was_moved_away_takes_all_it_acknowledged_along(void **state)
{
    const unit_temp_t *temp = *state;
    const char *moved = apr_pstrcat(temp->pool, temp->path, ".old", NULL);
    chat_database_spec_t spec = {"sqlite3", moved};
    chat_database_t *db = open_writer(temp);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(rename(temp->path, moved), 0);
    assert_int_equal(chat_database_check(db, temp->pool), APR_ENOENT);
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(count_messages(db, temp), 1);
    assert_int_equal(
        count_messages(chat_database_create(&spec, CHAT_DATABASE_READER, temp->pool), temp), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(notices_before_a_commit_that_the_file_was_deleted),
        TEMP_TEST(notices_before_a_commit_that_the_file_was_replaced),
        TEMP_TEST(keeps_a_deleted_file_s_log_out_of_the_next_file),
        TEMP_TEST(keeps_a_replaced_file_s_log_out_of_the_next_file),
        TEMP_TEST(lets_a_reader_keep_a_deleted_log_until_the_writer_has_left_it),
        TEMP_TEST(lets_a_reader_follow_a_file_that_was_replaced),
        TEMP_TEST(a_file_that_was_moved_away_takes_all_it_acknowledged_along),
    };

    return UNIT_RUN(tests);
}
