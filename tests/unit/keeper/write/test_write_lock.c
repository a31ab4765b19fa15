#include "unit_temp.h"
#include "write_lock.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void keeps_a_second_keeper_out(void **state)
{
    const unit_temp_t *temp = *state;
    write_lock_t one;
    write_lock_t two = {NULL};

    assert_int_equal(write_lock_try(&one, temp->path, temp->pool), APR_SUCCESS);
    assert_true(APR_STATUS_IS_EAGAIN(write_lock_try(&two, temp->path, temp->pool)));
    assert_null(two.file);
    assert_int_equal(write_lock_release(&one), APR_SUCCESS);
    assert_int_equal(write_lock_try(&two, temp->path, temp->pool), APR_SUCCESS);
}

static void keeps_a_keeper_of_another_process_out(void **state)
{
    const unit_temp_t *temp = *state;
    write_lock_t lock;
    int status;
    pid_t pid;

    assert_int_equal(write_lock_try(&lock, temp->path, temp->pool), APR_SUCCESS);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        write_lock_t mine;

        _exit(APR_STATUS_IS_EAGAIN(write_lock_try(&mine, temp->path, temp->pool)) ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* As a lock of the process (F_SETLK) would be. */
static void is_not_given_away_by_another_open_of_the_file(void **state)
{
    const unit_temp_t *temp = *state;
    write_lock_t one;
    write_lock_t two;
    int i;

    assert_int_equal(write_lock_try(&one, temp->path, temp->pool), APR_SUCCESS);
    for (i = 0; i < 3; i++) {
        assert_true(APR_STATUS_IS_EAGAIN(write_lock_try(&two, temp->path, temp->pool)));
    }
}

static void is_not_given_away_by_a_fork(void **state)
{
    const unit_temp_t *temp = *state;
    write_lock_t one;
    write_lock_t two;
    int status;
    pid_t pid;

    assert_int_equal(write_lock_try(&one, temp->path, temp->pool), APR_SUCCESS);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(0); /* closes its copy of the descriptor */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(APR_STATUS_IS_EAGAIN(write_lock_try(&two, temp->path, temp->pool)));
}

static void is_released_when_its_pool_goes(void **state)
{
    const unit_temp_t *temp = *state;
    apr_pool_t *pool;
    write_lock_t lock;

    assert_int_equal(apr_pool_create(&pool, temp->pool), APR_SUCCESS);
    assert_int_equal(write_lock_try(&lock, temp->path, pool), APR_SUCCESS);
    apr_pool_destroy(pool);
    assert_int_equal(write_lock_try(&lock, temp->path, temp->pool), APR_SUCCESS);
}

static void is_released_when_its_process_is_killed(void **state)
{
    const unit_temp_t *temp = *state;
    write_lock_t lock;
    int ready[2];
    char c;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (write_lock_try(&lock, temp->path, temp->pool) != APR_SUCCESS ||
            write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        (void)pause();
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    assert_true(APR_STATUS_IS_EAGAIN(write_lock_try(&lock, temp->path, temp->pool)));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(write_lock_try(&lock, temp->path, temp->pool), APR_SUCCESS);
}

static void lies_beside_the_database_for_its_owner_alone(void **state)
{
    const unit_temp_t *temp = *state;
    mode_t old = umask(0);
    struct stat info;
    write_lock_t lock;

    assert_int_equal(write_lock_try(&lock, temp->path, temp->pool), APR_SUCCESS);
    umask(old);
    assert_int_equal(stat(apr_pstrcat(temp->pool, temp->path, ".keeper-lock", NULL), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_not_equal(access(temp->path, F_OK), 0);
}

static void says_why_its_file_cannot_be_made(void **state)
{
    const unit_temp_t *temp = *state;
    write_lock_t lock;
    apr_status_t rv =
        write_lock_try(&lock, apr_pstrcat(temp->pool, temp->dir, "/no/chat.db", NULL), temp->pool);

    assert_true(APR_STATUS_IS_ENOENT(rv));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(keeps_a_second_keeper_out),
        TEMP_TEST(keeps_a_keeper_of_another_process_out),
        TEMP_TEST(is_not_given_away_by_another_open_of_the_file),
        TEMP_TEST(is_not_given_away_by_a_fork),
        TEMP_TEST(is_released_when_its_pool_goes),
        TEMP_TEST(is_released_when_its_process_is_killed),
        TEMP_TEST(lies_beside_the_database_for_its_owner_alone),
        TEMP_TEST(says_why_its_file_cannot_be_made),
    };

    return UNIT_RUN(tests);
}
