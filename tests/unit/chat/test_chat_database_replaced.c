#include "reading_fixture.h"

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
    /* Forked before SQLite has anything open that they would take for their own. */
    reading_child_t child = start_reading_child(temp);
    reading_child_t other = start_reading_child(temp);
    chat_database_t *db = open_writer(temp);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(ask_reading_child(child), 1);
    assert_int_equal(unlink(beside(temp, "-wal")), 0);
    assert_int_equal(unlink(beside(temp, "-shm")), 0);
    assert_int_equal(ask_reading_child(child), 1);
    assert_true(ask_reading_child(other) < 0); /* nothing that is there is the writer's */
    assert_int_not_equal(access(beside(temp, "-wal"), F_OK), 0);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(ask_reading_child(child), 2);
    assert_int_equal(finish_reading_child(other), 2);
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(finish_reading_child(child), 3);
}

/* Readers who have the old index and those who have a new one would not know of each other's. */
static void leaves_a_log_whose_index_was_deleted(void **state)
{
    const unit_temp_t *temp = *state;
    reading_child_t child = start_reading_child(temp);
    chat_database_t *db = open_writer(temp);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(ask_reading_child(child), 1);
    assert_int_equal(unlink(beside(temp, "-shm")), 0);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(access(beside(temp, "-shm"), F_OK), 0);
    assert_int_equal(finish_reading_child(child), 2);
    assert_int_equal(count_messages(db, temp), 2);
}

static void lets_a_reader_follow_a_file_that_was_replaced(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    chat_database_t *reader = make(temp, CHAT_DATABASE_READER);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 1);
    assert_int_equal(unlink(temp->path), 0);
    assert_int_equal(count_messages(reader, temp), 1); /* the writer's file, as far as it knows */
    assert_int_equal(store(db, "k2", temp), APR_ENOENT);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 2);
}

static void a_file_that_was_moved_away_takes_all_it_acknowledged_along(void **state)
{
    const unit_temp_t *temp = *state;
    const char *moved = beside(temp, ".old");
    chat_database_t *db = open_writer(temp);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(rename(temp->path, moved), 0);
    assert_int_equal(chat_database_check(db, temp->pool), APR_ENOENT);
    assert_null(chat_database_kept_log(db));
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(count_messages(db, temp), 1);
    assert_int_equal(count_moved(moved, temp), 2);
}

/* A shell that reads in the log for as long as its pipe is open. */
static pid_t hold_a_snapshot(const unit_temp_t *temp, int *go)
{
    int end[2];
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(end), 0);
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        chat_database_t *shell = make(temp, CHAT_DATABASE_WRITER);
        const char *count = "";

        close(end[1]);
        _exit(chat_database_ready(shell) != APR_SUCCESS ||
              chat_database_run(shell, "BEGIN") != APR_SUCCESS ||
              chat_database_ask(shell, "SELECT count(*) FROM grip_chat_message", &count,
                                temp->pool) != APR_SUCCESS ||
              write(ready[1], "x", 1) != 1 || read(end[0], &byte, 1) != 0);
    }
    close(end[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *go = end[1];
    return pid;
}

/* The checkpoint cannot go past what the shell reads. */
static void keeps_the_log_of_a_moved_file_in_which_somebody_reads(void **state)
{
    const unit_temp_t *temp = *state;
    const char *moved = beside(temp, ".old");
    chat_database_t *db = open_writer(temp);
    const char *kept;
    int status = -1;
    pid_t shell;
    int go;

    chat_database_close(db); /* the fork must not take SQLite's files along */
    shell = hold_a_snapshot(temp, &go);
    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(rename(temp->path, moved), 0);
    assert_int_equal(chat_database_check(db, temp->pool), APR_ENOENT);
    kept = chat_database_kept_log(db);
    assert_non_null(kept);
    assert_null(chat_database_kept_log(db));
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(count_messages(db, temp), 1);
    close(go);
    assert_int_equal(waitpid(shell, &status, 0), shell);
    assert_int_equal(status, 0);
    assert_int_equal(rename(kept, apr_pstrcat(temp->pool, moved, "-wal", NULL)), 0);
    assert_int_equal(count_moved(moved, temp), 2);
}

static void saves_the_log_of_a_moved_file_once_nobody_reads_in_it(void **state)
{
    const unit_temp_t *temp = *state;
    const char *moved = beside(temp, ".old");
    chat_database_t *db = open_writer(temp);
    int status = -1;
    pid_t shell;
    pid_t timer;
    int go;

    chat_database_close(db);
    shell = hold_a_snapshot(temp, &go);
    timer = fork();
    assert_true(timer >= 0);
    if (timer == 0) {
        apr_sleep(apr_time_from_msec(300));
        _exit(0); /* and with it goes the last copy of the pipe's end */
    }
    close(go);
    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(rename(temp->path, moved), 0);
    assert_int_equal(chat_database_check(db, temp->pool), APR_ENOENT);
    assert_null(chat_database_kept_log(db));
    assert_int_equal(count_moved(moved, temp), 1);
    assert_int_equal(waitpid(timer, &status, 0), timer);
    assert_int_equal(waitpid(shell, &status, 0), shell);
}

/* A writer that knows what the one before had open. */
static chat_database_t *open_next_writer(const unit_temp_t *temp)
{
    chat_database_t *db = make(temp, CHAT_DATABASE_WRITER);

    chat_database_lead(db, &held_at(temp->path)->files, hold_opened, NULL, (void *)temp->path);
    assert_int_equal(chat_database_ready(db), APR_SUCCESS);
    return db;
}

static void sets_the_log_aside_of_a_file_that_was_replaced_when_no_writer_saw_it(void **state)
{
    const unit_temp_t *temp = *state;
    const char *old = beside(temp, ".old");
    chat_database_t *db;
    const char *kept;

    leave_log_behind(temp, 3);
    assert_int_equal(link(temp->path, old), 0);
    assert_int_equal(rename(make_backup(temp, 2), temp->path), 0);
    db = open_next_writer(temp);
    assert_int_equal(count_messages(db, temp), 2);
    kept = chat_database_kept_log(db);
    assert_non_null(kept);
    assert_int_equal(rename(kept, apr_pstrcat(temp->pool, old, "-wal", NULL)), 0);
    assert_int_equal(count_moved(old, temp), 3);
}

/* SQLite removes a log that lies beside no file, or an empty one. */
static void sets_the_log_aside_of_a_file_that_was_moved_when_no_writer_saw_it(void **state)
{
    const unit_temp_t *temp = *state;
    const char *moved = beside(temp, ".old");
    chat_database_t *db;
    const char *kept;

    leave_log_behind(temp, 3);
    assert_int_equal(rename(temp->path, moved), 0);
    db = open_next_writer(temp);
    assert_int_equal(count_messages(db, temp), 0);
    kept = chat_database_kept_log(db);
    assert_non_null(kept);
    assert_int_equal(rename(kept, apr_pstrcat(temp->pool, moved, "-wal", NULL)), 0);
    assert_int_equal(count_moved(moved, temp), 3);
}

/* An operator who moves or copies both does so on purpose. */
static void takes_a_log_that_came_with_its_file(void **state)
{
    const unit_temp_t *temp = *state;
    unit_temp_t other = *temp;
    chat_database_t *db;

    other.path = beside(temp, ".other");
    leave_log_behind(temp, 1);
    leave_log_behind(&other, 3);
    assert_int_equal(rename(other.path, temp->path), 0);
    assert_int_equal(rename(beside(&other, "-wal"), beside(temp, "-wal")), 0);
    assert_int_equal(unlink(beside(temp, "-shm")), 0);
    db = open_next_writer(temp);
    assert_null(chat_database_kept_log(db));
    assert_int_equal(count_messages(db, temp), 3);
}

static void takes_the_log_that_a_dead_writer_left(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db;

    leave_log_behind(temp, 3);
    db = open_next_writer(temp);
    assert_null(chat_database_kept_log(db));
    assert_int_equal(count_messages(db, temp), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(notices_before_a_commit_that_the_file_was_deleted),
        TEMP_TEST(notices_before_a_commit_that_the_file_was_replaced),
        TEMP_TEST(keeps_a_deleted_file_s_log_out_of_the_next_file),
        TEMP_TEST(keeps_a_replaced_file_s_log_out_of_the_next_file),
        TEMP_TEST(lets_a_reader_keep_a_deleted_log_until_the_writer_has_left_it),
        TEMP_TEST(leaves_a_log_whose_index_was_deleted),
        TEMP_TEST(lets_a_reader_follow_a_file_that_was_replaced),
        TEMP_TEST(a_file_that_was_moved_away_takes_all_it_acknowledged_along),
        TEMP_TEST(keeps_the_log_of_a_moved_file_in_which_somebody_reads),
        TEMP_TEST(saves_the_log_of_a_moved_file_once_nobody_reads_in_it),
        TEMP_TEST(sets_the_log_aside_of_a_file_that_was_replaced_when_no_writer_saw_it),
        TEMP_TEST(sets_the_log_aside_of_a_file_that_was_moved_when_no_writer_saw_it),
        TEMP_TEST(takes_a_log_that_came_with_its_file),
        TEMP_TEST(takes_the_log_that_a_dead_writer_left),
    };

    return UNIT_RUN(tests);
}
