/* The wall clock is set by an hour: nothing that waits for a moment waits for the hour. */
#include "chat_store.h"
#include "keeper_fixture.h"
#include "keeper_process.h"
#include "unit_events.h"
#include "unit_wall_clock.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <sys/wait.h>

#define AN_HOUR_BACK  (-3600)
#define AN_HOUR_AHEAD 3600

static void wait_for_posts(keeper_stub_t *stub, int count)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    while (keeper_stub_count(stub) < count && gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(2));
    }
    assert_int_equal(keeper_stub_count(stub), count);
}

static void a_room_keeps_its_pace(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    fixture->site.publish_interval = apr_time_from_msec(300);
    fixture->site.publish_burst = 1;
    add(fixture, "a", 1);
    drain(fixture);
    add(fixture, "a", 2);
    unit_wall_clock_set(AN_HOUR_BACK);
    turn_until_count(fixture, 2);
    drain(fixture);
    add(fixture, "a", 3);
    turn_until_count(fixture, 3);
    unit_wall_clock_set(0);
    add(fixture, "a", 4);
    turn_until_count(fixture, 4);
    assert_posts(fixture, "a:0-1=a1; | a:1-2=a2; | a:2-3=a3; | a:3-4=a4;");
    stop(fixture);
}

static void note_hold(keeper_fixture_t *fixture, const char *room)
{
    ipc_shared_note_hold(fixture->config.shared, ipc_site_slot(&fixture->site, gc_slice_of(room)),
                         gc_clock_now());
}

static void trailing_hints_come_in_time_and_in_order(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    note_hold(fixture, "a");
    add(fixture, "a", 1);
    drain(fixture);
    unit_wall_clock_set(AN_HOUR_BACK);
    apr_sleep(apr_time_from_msec(200));
    note_hold(fixture, "b");
    add(fixture, "b", 1);
    drain(fixture);
    turn_until_count(fixture, 4);
    assert_posts(fixture, "a:0-1=a1; | b:0-1=b1; | hint(a) | hint(b)");
    unit_wall_clock_set(0);
    stop(fixture);
}

static void a_proxy_is_tried_again_in_time(void **state)
{
    keeper_fixture_t *fixture = start(*state);

    fail_once(fixture, 500);
    unit_wall_clock_set(AN_HOUR_BACK);
    turn_until_count(fixture, 2);
    assert_posts(fixture, "a:0-1=a1; | hint(a)");
    unit_wall_clock_set(0);
    stop(fixture);
}

static void a_keeper_goes_on_publishing_and_keeps_how_far_it_got(void **state)
{
    apr_pool_t *pool = ((const unit_temp_t *)*state)->pool;
    keeper_stub_t *stub = keeper_stub_start(pool);
    keeper_home_t *home = keeper_home_make(*state, "s", keeper_stub_url(stub, pool));
    keeper_process_t keeper = keeper_process_start(home);
    const char *name = apr_pstrcat(pool, "published:", home->proxies[0]->log_uri, NULL);
    gc_moment_t end;

    (void)keeper_home_post_ok(home, "a", "one");
    wait_for_posts(stub, 1);
    unit_wall_clock_set(AN_HOUR_BACK);
    (void)keeper_home_post_ok(home, "a", "two");
    wait_for_posts(stub, 2);
    end = gc_clock_now() + UNIT_PATIENCE;
    while (strcmp(keeper_home_meta(home, name), "2") != 0 && gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(10));
    }
    assert_string_equal(keeper_home_meta(home, name), "2");
    unit_wall_clock_set(0);
    keeper_process_stop(keeper);
    keeper_stub_stop(stub);
}

/* Hold the database in a process of its own, until something is written to the descriptor: what is
 * forked must not have SQLite's idea of who holds which lock. */
static int hold_database(const keeper_home_t *home, pid_t *pid)
{
    int held[2];
    int release[2];
    char c;

    assert_int_equal(pipe(held), 0);
    assert_int_equal(pipe(release), 0);
    *pid = fork();
    assert_true(*pid >= 0);
    if (*pid == 0) {
        apr_pool_t *pool = home->temp->pool;
        chat_database_t *db =
            chat_database_create(&home->site.database, CHAT_DATABASE_WRITER, pool);

        (void)alarm(10);
        _exit(chat_database_begin(db, pool) != APR_SUCCESS || write(held[1], "x", 1) != 1 ||
              read(release[0], &c, 1) != 1 || chat_database_run(db, "COMMIT") != APR_SUCCESS);
    }
    assert_int_equal(read(held[0], &c, 1), 1);
    close(held[0]);
    close(held[1]);
    close(release[0]);
    return release[1];
}

/* A wait until a time of the wall clock would be for an hour. */
static void what_was_left_undone_is_tried_again_in_time(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    pid_t holder;
    int release = hold_database(home, &holder);
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;
    keeper_process_t keeper;

    unit_wall_clock_set(AN_HOUR_AHEAD);
    keeper = keeper_process_start(home);
    while (__atomic_load_n(home->log_lines, __ATOMIC_SEQ_CST) == 0 && gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(10)); /* until it has given up for now */
    }
    assert_int_equal(*home->log_lines, 1);
    assert_null(keeper_home_meta(home, IPC_SITE_SECRET_NAME));
    assert_int_equal(write(release, "x", 1), 1);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    end = gc_clock_now() + UNIT_PATIENCE;
    while (!keeper_home_meta(home, IPC_SITE_SECRET_NAME) && gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(10));
    }
    assert_non_null(keeper_home_meta(home, IPC_SITE_SECRET_NAME));
    close(release);
    unit_wall_clock_set(0);
    keeper_process_stop(keeper);
}

static void a_keeper_ends_in_time(void **state)
{
    apr_pool_t *pool = ((const unit_temp_t *)*state)->pool;
    keeper_stub_t *stub = keeper_stub_start(pool);
    keeper_home_t *home = keeper_home_make(*state, "s", keeper_stub_url(stub, pool));
    keeper_process_t keeper = keeper_process_start(home);

    keeper_stub_answer(stub, KEEPER_STUB_WAITS);
    (void)keeper_home_post_ok(home, "a", "one");
    wait_for_posts(stub, 1);
    keeper_process_tell_to_stop(&keeper);
    apr_sleep(apr_time_from_msec(100)); /* it goes on publishing for 300 ms */
    unit_wall_clock_set(AN_HOUR_BACK);
    keeper_process_join(keeper);
    unit_wall_clock_set(0);
    keeper_stub_stop(stub);
}

static void a_child_gives_up_in_time(void **state)
{
    const unit_temp_t *temp = *state;
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, "site", "room", "al", "hello", "key", "", "");
    gc_moment_t start = gc_clock_now();
    ipc_client_t *client = NULL;
    ipc_reply_t reply;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        apr_sleep(apr_time_from_msec(100));
        unit_wall_clock_set(AN_HOUR_BACK);
        apr_sleep(apr_time_from_sec(20));
        unit_wall_clock_set(0); /* so that a test that fails ends */
        _exit(0);
    }
    assert_int_equal(
        ipc_client_create(&client, apr_pstrcat(temp->pool, temp->dir, "/none", NULL), temp->pool),
        APR_SUCCESS);
    assert_int_equal(ipc_client_call(client, &job, &reply, apr_time_from_sec(5), temp->pool),
                     ENOENT);
    assert_in_range(gc_clock_now() - start, apr_time_from_msec(400), apr_time_from_sec(15));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    unit_wall_clock_set(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(a_room_keeps_its_pace),
        POOL_TEST(trailing_hints_come_in_time_and_in_order),
        POOL_TEST(a_proxy_is_tried_again_in_time),
        TEMP_TEST(a_keeper_goes_on_publishing_and_keeps_how_far_it_got),
        TEMP_TEST(what_was_left_undone_is_tried_again_in_time),
        TEMP_TEST(a_keeper_ends_in_time),
        TEMP_TEST(a_child_gives_up_in_time),
    };

    return cmocka_run_group_tests(tests, unit_wall_clock_setup, unit_apr_teardown);
}
