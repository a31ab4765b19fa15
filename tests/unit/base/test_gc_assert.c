#include "gc_assert.h"
#include "gc_lock.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_thread_proc.h>

#include "unit.h"

#ifdef GC_ASSERTIONS
#define HAS_ASSERTIONS 1
#else
#define HAS_ASSERTIONS 0
#endif

/* The end of a process of its own. */
typedef struct end_t {
    int signal; /* 0 if it ended by itself */
    char said[1024];
} end_t;

/* Do something in a process of its own. */
static end_t run(void (*act)(apr_pool_t *pool), apr_pool_t *pool)
{
    end_t end = {0, ""};
    size_t have = 0;
    ssize_t got;
    int ends[2];
    int status;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        act(pool);
        _exit(0);
    }
    close(ends[1]);
    while (have < sizeof(end.said) - 1 &&
           (got = read(ends[0], end.said + have, sizeof(end.said) - 1 - have)) > 0)
    {
        have += (size_t)got;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return end;
}

/* A violated assertion ends the process in a build that has them, and is not noticed in any other. */
static void assert_violated(const end_t *end, const char *condition)
{
    if (HAS_ASSERTIONS) {
        assert_int_equal(end->signal, SIGABRT);
        assert_non_null(strstr(end->said, condition));
        assert_non_null(strstr(end->said, "test_gc_assert.c:"));
    }
    else {
        assert_int_equal(end->signal, 0);
        assert_string_equal(end->said, "");
    }
}

static void break_a_promise(apr_pool_t *pool)
{
    int promised = 2;

    GC_ASSERT(promised == 1);
}

static void aborts_with_place_and_condition_where_a_promise_is_broken(void **state)
{
    end_t end = run(break_a_promise, *state);

    assert_violated(&end, "GC_ASSERT(promised == 1)");
}

static void keep_a_promise(apr_pool_t *pool)
{
    gc_owner_t owner = {0};

    GC_ASSERT(pool != NULL);
    GC_ASSERT_OWNER(&owner);
    gc_owner_take(&owner);
    GC_ASSERT_OWNER(&owner);
}

static void goes_on_where_promises_are_kept(void **state)
{
    end_t end = run(keep_a_promise, *state);

    assert_int_equal(end.signal, 0);
    assert_string_equal(end.said, "");
}

static int count_up(int *count)
{
    return ++*count;
}

static void evaluates_nothing_in_a_build_without(void **state)
{
    int count = 0;

    GC_ASSERT(count_up(&count) > 0);
    assert_int_equal(count, HAS_ASSERTIONS);
}

static void *APR_THREAD_FUNC use(apr_thread_t *thread, void *data)
{
    const gc_owner_t *owner = data;

    GC_ASSERT_OWNER(owner);
    return NULL;
}

static void use_what_is_another_threads(apr_pool_t *pool)
{
    gc_owner_t owner = {0};
    apr_thread_t *thread;
    apr_status_t rv;

    gc_owner_take(&owner);
    if (apr_thread_create(&thread, NULL, use, &owner, pool) == APR_SUCCESS) {
        (void)apr_thread_join(&rv, thread);
    }
}

static void aborts_where_a_thread_uses_what_is_anothers(void **state)
{
    end_t end = run(use_what_is_another_threads, *state);

    assert_violated(&end, "gc_owner_is_self(owner)");
}

static void use_what_is_not_locked(apr_pool_t *pool)
{
    apr_thread_mutex_t *mutex;

    if (apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS) {
        gc_lock_enter(mutex);
        GC_ASSERT_LOCKED(mutex);
        gc_lock_leave(mutex);
        GC_ASSERT_LOCKED(mutex);
    }
}

static void aborts_where_a_mutex_is_not_locked(void **state)
{
    end_t end = run(use_what_is_not_locked, *state);

    assert_violated(&end, "gc_lock_is_held(mutex)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(aborts_with_place_and_condition_where_a_promise_is_broken),
        POOL_TEST(goes_on_where_promises_are_kept),
        POOL_TEST(evaluates_nothing_in_a_build_without),
        POOL_TEST(aborts_where_a_thread_uses_what_is_anothers),
        POOL_TEST(aborts_where_a_mutex_is_not_locked),
    };

    return UNIT_RUN(tests);
}
