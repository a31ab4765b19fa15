#include "database_fixture.h"
#include "gc_clock.h"
#include "unit_events.h"

static void never_makes_a_file_for_a_reader(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *reader = make(temp, CHAT_DATABASE_READER);
    chat_page_t page;

    assert_int_equal(chat_database_ready(reader), APR_ENOENT);
    assert_string_not_equal(chat_database_last_error(reader), "");
    assert_int_equal(chat_store_read_before(reader, "", "a", APR_INT64_MAX, (chat_bounds_t){1, 1},
                                            &page, temp->pool),
                     APR_ENOENT);
    assert_int_not_equal(access(temp->path, F_OK), 0);
    (void)open_writer(temp);
    assert_int_equal(count_messages(reader, temp), 0);
}

/* The site's secret lies in it. */
static void makes_files_that_only_their_owner_reads(void **state)
{
    const unit_temp_t *temp = *state;
    mode_t old = umask(0);
    chat_database_t *db = open_writer(temp);

    assert_int_equal(store(db, "k", temp), APR_SUCCESS);
    umask(old);
    assert_int_equal(mode_of(temp->path), 0600);
    assert_int_equal(mode_of(beside(temp, "-wal")), 0600);
    assert_int_equal(mode_of(beside(temp, "-shm")), 0600);
}

static void refuses_a_driver_that_it_has_no_statements_for(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_spec_t spec = {"oracle", temp->path};
    chat_database_t *db = chat_database_create(&spec, CHAT_DATABASE_WRITER, temp->pool);

    assert_int_equal(chat_database_ready(db), APR_EGENERAL);
    assert_string_not_equal(chat_database_last_error(db), "");
}

static void refuses_a_file_that_is_no_database(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = make(temp, CHAT_DATABASE_WRITER);
    FILE *file = fopen(temp->path, "w");
    int i;

    assert_non_null(file);
    for (i = 0; i < 1000; i++) {
        fputs("this is somebody's letter\n", file);
    }
    fclose(file);
    assert_int_equal(chat_database_ready(db), APR_EGENERAL);
    assert_string_not_equal(chat_database_last_error(db), "");
    assert_int_equal(store(db, "k", temp), APR_EGENERAL);
}

/* The statements of every other connection die of it. */
static void heals_after_ddl_of_another_connection(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    chat_database_t *reader = make(temp, CHAT_DATABASE_READER);
    chat_database_t *other = open_writer(temp);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 1);
    assert_int_equal(chat_database_run(other, "CREATE TABLE somebodys (id INTEGER)"), APR_SUCCESS);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 2);
    assert_int_equal(count_messages(db, temp), 2);
}

static int was_changed(chat_database_t *db, const unit_temp_t *temp)
{
    int answer = 0;

    assert_int_equal(chat_database_was_changed(db, &answer, temp->pool), APR_SUCCESS);
    return answer;
}

/* An operator with a shell; the writer's own commits are no news to it. */
static void notices_what_another_connection_commits(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    chat_database_t *reader = make(temp, CHAT_DATABASE_READER);
    chat_database_t *other;

    assert_int_equal(was_changed(db, temp), 0);
    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 1);
    assert_int_equal(was_changed(db, temp), 0);
    other = open_writer(temp);
    (void)was_changed(db, temp); /* to open it as a writer may write */
    assert_int_equal(store(other, "k2", temp), APR_SUCCESS);
    assert_int_equal(was_changed(db, temp), 1);
    assert_int_equal(was_changed(db, temp), 0);
    chat_database_close(db);
    assert_int_equal(was_changed(db, temp), 0); /* nothing is open */
    assert_int_equal(chat_database_ready(db), APR_SUCCESS);
    assert_int_equal(was_changed(db, temp), 1); /* changes in between are not known */
    assert_int_equal(was_changed(db, temp), 0);
}

static void heals_after_a_vacuum_of_another_connection(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    chat_database_t *reader = make(temp, CHAT_DATABASE_READER);
    chat_database_t *other = open_writer(temp);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 1);
    assert_int_equal(chat_database_run(other, "VACUUM"), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 1);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 2);
}

/* The driver asks again for some 1.6 s; readers do not wait for anything meanwhile. */
static void says_that_another_connection_holds_the_database(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    chat_database_t *reader = make(temp, CHAT_DATABASE_READER);
    chat_database_t *other = open_writer(temp);
    gc_moment_t start;
    int tries = 0;

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(chat_database_begin(other, temp->pool), APR_SUCCESS);
    do {
        start = gc_clock_now();
        assert_int_equal(count_messages(reader, temp), 1);
    } while (gc_clock_now() - start > apr_time_from_sec(1) && ++tries < 10);
    assert_true(tries < 10);
    assert_int_equal(store(db, "k2", temp), APR_EAGAIN);
    assert_int_equal(chat_database_run(other, "COMMIT"), APR_SUCCESS);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 2);
}

/* Another process, that holds the file for itself like a process that closes the last connection,
 * and ends after 200 ms. */
static pid_t hold_for_a_moment(const char *path)
{
    /* The bytes that SQLite locks to share a file. */
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
    int ends[2];
    char byte = 0;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        int fd = open(path, O_RDWR | O_CLOEXEC);

        if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0 || write(ends[1], &byte, 1) != 1) {
            _exit(1);
        }
        apr_sleep(apr_time_from_msec(200));
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static void waits_for_a_file_that_somebody_holds_for_a_moment(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    int status = -1;
    pid_t pid;

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    chat_database_close(db);
    pid = hold_for_a_moment(temp->path);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* A start works on a healthy database although another process holds it. */
static void opens_a_database_that_somebody_holds_for_long(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *other = open_writer(temp);
    chat_database_t *db = make(temp, CHAT_DATABASE_WRITER);

    assert_int_equal(store(other, "k1", temp), APR_SUCCESS);
    assert_int_equal(chat_database_begin(other, temp->pool), APR_SUCCESS);
    assert_int_equal(chat_database_ready(db), APR_SUCCESS);
    assert_int_equal(count_messages(db, temp), 1);
    assert_int_equal(chat_database_run(other, "ROLLBACK"), APR_SUCCESS);
}

static off_t size_of(const char *path)
{
    struct stat info;

    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

/* A backup that takes long, or a large batch, makes it grow. */
static void cuts_a_log_that_grew_back_to_its_limit(void **state)
{
    enum { COUNT = 320, BYTES = 60000, LIMIT = 16 * 1024 * 1024 };
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);
    chat_append_t *jobs = apr_pcalloc(temp->pool, sizeof(*jobs) * COUNT);
    char *text = apr_palloc(temp->pool, BYTES + 1);
    int i;

    memset(text, 'x', BYTES);
    text[BYTES] = '\0';
    for (i = 0; i < COUNT; i++) {
        const char *key = apr_psprintf(temp->pool, "big-%d", i);

        jobs[i] = unit_append("", "big", "al", text, key);
    }
    assert_int_equal(unit_store(chat_store_append, db, jobs, COUNT, apr_time_now(), temp->pool),
                     APR_SUCCESS);
    assert_true(size_of(beside(temp, "-wal")) > LIMIT);
    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_true(size_of(beside(temp, "-wal")) <= LIMIT);
}

static void heals_when_a_file_that_was_read_only_is_not_any_more(void **state)
{
    const unit_temp_t *temp = *state;
    int was_root = become_nobody(temp);
    chat_database_t *db = open_writer(temp);
    apr_status_t rv;

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    chat_database_close(db);
    assert_int_equal(chmod(temp->path, 0400), 0);
    rv = store(db, "k2", temp);
    assert_int_equal(chmod(temp->path, 0600), 0);
    become_root(was_root);
    assert_int_equal(rv, APR_EGENERAL);
    assert_string_not_equal(chat_database_last_error(db), "");
    was_root = become_nobody(temp);
    rv = store(db, "k2", temp);
    become_root(was_root);
    assert_int_equal(rv, APR_SUCCESS);
    assert_int_equal(count_messages(db, temp), 2);
    chat_database_close(db);
}

/* Whether SQLite's lock on the file still stands, as another process sees it. */
static int is_locked(const char *path)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(path, O_RDWR);

        _exit(fd >= 0 && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

/* To close any descriptor of a file gives up all of a process's locks on it. */
static void keeps_its_locks_when_the_file_is_opened_under_another_name(void **state)
{
    const unit_temp_t *temp = *state;
    const char *other_path = apr_pstrcat(temp->pool, temp->path, "-link", NULL);
    chat_database_spec_t spec = {"sqlite3", other_path};
    chat_database_t *db = open_writer(temp);
    chat_database_t *other = chat_database_create(&spec, CHAT_DATABASE_WRITER, temp->pool);

    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_true(is_locked(temp->path));
    assert_int_equal(symlink(temp->path, other_path), 0);
    (void)chat_database_ready(other);
    assert_true(is_locked(temp->path));
    chat_database_close(other);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_true(is_locked(temp->path));
    assert_int_equal(count_messages(db, temp), 2);
}

static void rolls_back_what_was_not_committed_at_a_close(void **state)
{
    const unit_temp_t *temp = *state;
    chat_database_t *db = open_writer(temp);

    assert_int_equal(chat_database_begin(db, temp->pool), APR_SUCCESS);
    assert_int_equal(
        chat_database_run(db, "INSERT INTO grip_chat_meta VALUES ('', 'secret', 'half')"),
        APR_SUCCESS);
    chat_database_close(db);
    assert_int_equal(chat_database_begin(db, temp->pool), APR_SUCCESS);
    assert_int_equal(
        chat_database_run(db, "INSERT INTO grip_chat_meta VALUES ('', 'secret', 'whole')"),
        APR_SUCCESS);
    assert_int_equal(chat_database_run(db, "COMMIT"), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(never_makes_a_file_for_a_reader),
        TEMP_TEST(makes_files_that_only_their_owner_reads),
        TEMP_TEST(refuses_a_driver_that_it_has_no_statements_for),
        TEMP_TEST(refuses_a_file_that_is_no_database),
        TEMP_TEST(heals_after_ddl_of_another_connection),
        TEMP_TEST(notices_what_another_connection_commits),
        TEMP_TEST(heals_after_a_vacuum_of_another_connection),
        TEMP_TEST(says_that_another_connection_holds_the_database),
        TEMP_TEST(waits_for_a_file_that_somebody_holds_for_a_moment),
        TEMP_TEST(opens_a_database_that_somebody_holds_for_long),
        TEMP_TEST(cuts_a_log_that_grew_back_to_its_limit),
        TEMP_TEST(heals_when_a_file_that_was_read_only_is_not_any_more),
        TEMP_TEST(rolls_back_what_was_not_committed_at_a_close),
        TEMP_TEST(keeps_its_locks_when_the_file_is_opened_under_another_name),
    };

    return UNIT_RUN(tests);
}
