#include "gc_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_thread_proc.h>

#include "unit.h"

#define THREADS 4
#define ROUNDS  20000

/* The state that the threads share. */
typedef struct shared_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed;
    int count;
    int waiting;
    int is_open;
} shared_t;

static shared_t make(apr_pool_t *pool, unsigned flags)
{
    shared_t shared = {NULL};

    assert_int_equal(apr_thread_mutex_create(&shared.mutex, flags, pool), APR_SUCCESS);
    assert_int_equal(apr_thread_cond_create(&shared.changed, pool), APR_SUCCESS);
    return shared;
}

static void run(apr_thread_t **threads, int count, apr_thread_start_t start, shared_t *shared,
                apr_pool_t *pool)
{
    int i;

    for (i = 0; i < count; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, start, shared, pool), APR_SUCCESS);
    }
}

static void join(apr_thread_t **threads, int count)
{
    apr_status_t rv;
    int i;

    for (i = 0; i < count; i++) {
        assert_int_equal(apr_thread_join(&rv, threads[i]), APR_SUCCESS);
    }
}

static void *APR_THREAD_FUNC count_up(apr_thread_t *thread, void *data)
{
    shared_t *shared = data;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        gc_lock_enter(shared->mutex);
        shared->count++;
        gc_lock_leave(shared->mutex);
    }
    return NULL;
}

static void lets_one_thread_in_at_a_time(void **state)
{
    apr_thread_t *threads[THREADS];
    shared_t shared = make(*state, APR_THREAD_MUTEX_DEFAULT);

    run(threads, THREADS, count_up, &shared, *state);
    join(threads, THREADS);
    assert_int_equal(shared.count, THREADS * ROUNDS);
}

static void *APR_THREAD_FUNC wait_until_open(apr_thread_t *thread, void *data)
{
    shared_t *shared = data;

    gc_lock_enter(shared->mutex);
    shared->waiting++;
    gc_lock_wake(shared->changed);
    while (!shared->is_open) {
        gc_lock_wait(shared->changed, shared->mutex);
    }
    shared->count++;
    gc_lock_leave(shared->mutex);
    return NULL;
}

static void wakes_all_that_wait(void **state)
{
    apr_thread_t *threads[THREADS];
    shared_t shared = make(*state, APR_THREAD_MUTEX_DEFAULT);

    run(threads, THREADS, wait_until_open, &shared, *state);
    for (;;) {
        gc_lock_enter(shared.mutex);
        if (shared.waiting == THREADS) {
            break;
        }
        gc_lock_leave(shared.mutex);
        apr_sleep(apr_time_from_msec(1));
    }
    assert_int_equal(shared.count, 0);
    shared.is_open = 1;
    gc_lock_wake_all(shared.changed);
    gc_lock_leave(shared.mutex);
    join(threads, THREADS);
    assert_int_equal(shared.count, THREADS);
}

/* A mutex that knows who holds it says that it is not this thread. */
static void ends_the_process_where_a_mutex_is_broken(void **state)
{
    shared_t shared = make(*state, APR_THREAD_MUTEX_NESTED);
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGILL, SIG_DFL);
        gc_lock_leave(shared.mutex);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(lets_one_thread_in_at_a_time),
        POOL_TEST(wakes_all_that_wait),
        POOL_TEST(ends_the_process_where_a_mutex_is_broken),
    };

    return UNIT_RUN(tests);
}
