/* Processes beside the one of the test: a child of httpd that reads, and a keeper that dies. */
#ifndef READING_FIXTURE_H
#define READING_FIXTURE_H

#include "database_fixture.h"

/* A child of httpd that has read, and keeps its connection until it reads again. */
typedef struct reading_child_t {
    pid_t pid;
    int go;
    int answer;
} reading_child_t;

static inline reading_child_t start_reading_child(const unit_temp_t *temp)
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
            chat_page_t page;

            count = chat_store_read_before(reader, "", "a", APR_INT64_MAX,
                                           (chat_bounds_t){100, CHAT_LIST_MAX_BYTES}, &page,
                                           temp->pool) == APR_SUCCESS
                        ? (char)page.count
                        : -2;
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
static inline int ask_reading_child(reading_child_t child)
{
    char count = -3;

    assert_int_equal(write(child.go, "x", 1), 1);
    (void)!read(child.answer, &count, 1);
    return count;
}

/* The same, and end it. */
static inline int finish_reading_child(reading_child_t child)
{
    int count = ask_reading_child(child);
    int status;

    close(child.go);
    close(child.answer);
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    assert_int_equal(status, 0);
    return count;
}

/* A keeper that stored a number of messages and died, which leaves its log behind. */
static inline void leave_log_behind(const unit_temp_t *temp, int count)
{
    int status = -1;
    pid_t pid;

    (void)held_all();
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        chat_database_t *db = make(temp, CHAT_DATABASE_WRITER);
        int i;

        for (i = 0; i < count; i++) {
            if (store(db, apr_psprintf(temp->pool, "left-%d", i), temp) != APR_SUCCESS) {
                _exit(1);
            }
        }
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(access(beside(temp, "-wal"), F_OK), 0);
}

/* A database of so many messages beside the one of the test, whole in its file; as a backup is. */
static inline const char *make_backup(const unit_temp_t *temp, int count)
{
    unit_temp_t other = *temp;
    chat_database_t *db;
    int i;

    other.path = beside(temp, ".backup");
    db = open_writer(&other);
    for (i = 0; i < count; i++) {
        const char *key = apr_psprintf(temp->pool, "backup-%d", i);

        assert_int_equal(store(db, key, &other), APR_SUCCESS);
    }
    chat_database_close(db);
    assert_int_not_equal(access(beside(&other, "-wal"), F_OK), 0);
    return other.path;
}

/* How many messages a file holds that is moved to its place, with a log or without. */
static inline int count_moved(const char *path, const unit_temp_t *temp)
{
    unit_temp_t moved = *temp;
    chat_database_t *db;
    int count;

    moved.path = path;
    db = open_writer(&moved);
    count = count_messages(db, &moved);
    chat_database_close(db);
    return count;
}

#endif
