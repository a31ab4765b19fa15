/* The fate of jobs when a keeper dies, a database goes, or two keepers meet. */
#include <stdio.h>
#include <unistd.h>

#include <sys/wait.h>

#include <apr_file_io.h>

#include "keeper_process.h"
#include "keeper_stub.h"
#include "unit_events.h"

#define POSTERS        4
#define POSTS_OF_EACH  60
#define KILLS          6
#define PAUSE_OF_KILLS apr_time_from_msec(25)

/* In a process of its own: post one text after the other. @return 0 if all were acknowledged */
static int post_all(const keeper_home_t *home, int poster)
{
    ipc_client_t *client;
    apr_pool_t *pool;
    apr_int64_t last = 0;
    int i;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS ||
        ipc_client_create(&client, home->socket_path, pool) != APR_SUCCESS)
    {
        return 1;
    }
    for (i = 0; i < POSTS_OF_EACH; i++) {
        const char *text = apr_psprintf(pool, "poster %d post %d", poster, i);
        ipc_job_t job =
            unit_job(IPC_JOB_APPEND, 0, home->site.identity, "a", "al", text, text, "", "");
        ipc_reply_t reply;

        if (ipc_client_call(client, &job, &reply, UNIT_PATIENCE, pool) != APR_SUCCESS ||
            reply.status != IPC_DONE || reply.position <= last)
        {
            return 2;
        }
        last = reply.position;
    }
    return 0;
}

/* The keeper is killed again and again while children post: each post is stored once, without gaps,
 * and no child is told of it. */
static void loses_and_doubles_nothing_when_it_is_killed(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    pid_t posters[POSTERS];
    int status;
    int i;

    keeper_home_wait_ready(home);
    for (i = 0; i < POSTERS; i++) {
        posters[i] = fork();
        assert_true(posters[i] >= 0);
        if (posters[i] == 0) {
            _exit(post_all(home, i));
        }
    }
    for (i = 0; i < KILLS; i++) {
        apr_sleep(PAUSE_OF_KILLS);
        keeper_process_kill(keeper);
        keeper = keeper_process_start(home);
    }
    for (i = 0; i < POSTERS; i++) {
        assert_int_equal(waitpid(posters[i], &status, 0), posters[i]);
        assert_int_equal(status, 0);
    }
    keeper_home_assert_whole(home, "a", POSTERS * POSTS_OF_EACH);
    keeper_process_stop(keeper);
}

/* Killed between COMMIT and the publish: the next one owes the readers a hint, even in the first
 * second of a new database. */
static void hints_what_a_killed_keeper_did_not_publish(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_stub_t *stub = keeper_stub_start(temp->pool);
    keeper_home_t *home = keeper_home_make(temp, "s", keeper_stub_url(stub, temp->pool));
    keeper_process_t keeper = keeper_process_start(home);
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    keeper_stub_answer(stub, KEEPER_STUB_WAITS);
    (void)keeper_home_post_ok(home, "a", "one");
    (void)keeper_home_post_ok(home, "b", "two");
    keeper_process_kill(keeper);
    keeper_stub_answer(stub, 200);
    keeper = keeper_process_start(home);
    while (!(strstr(keeper_stub_posts(stub, 1, temp->pool), "hint(a)") &&
             strstr(keeper_stub_posts(stub, 1, temp->pool), "hint(b)")) &&
           gc_clock_now() < end)
    {
        apr_sleep(apr_time_from_msec(2));
    }
    assert_non_null(strstr(keeper_stub_posts(stub, 1, temp->pool), "hint(a)"));
    assert_non_null(strstr(keeper_stub_posts(stub, 1, temp->pool), "hint(b)"));
    keeper_process_stop(keeper);
    keeper_stub_stop(stub);
}

static void recognizes_a_job_that_a_killed_keeper_has_done(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    ipc_reply_t first = keeper_home_post_ok(home, "a", "one");
    ipc_reply_t again;

    keeper_process_kill(keeper);
    keeper = keeper_process_start(home);
    again = keeper_home_post_ok(home, "a", "one");
    assert_true(again.id == first.id && again.position == first.position);
    assert_true(again.created_ms == first.created_ms);
    keeper_home_assert_whole(home, "a", 1);
    keeper_process_stop(keeper);
}

/* The parent listens on while there is no keeper, and the job waits in the backlog. */
static void serves_children_that_asked_before_it_started(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper;
    pid_t poster = fork();
    int status;

    assert_true(poster >= 0);
    if (poster == 0) {
        ipc_reply_t reply;

        _exit(keeper_home_post(home, "a", "one", &reply) != APR_SUCCESS ||
              reply.status != IPC_DONE);
    }
    apr_sleep(apr_time_from_msec(100));
    keeper = keeper_process_start(home);
    assert_int_equal(waitpid(poster, &status, 0), poster);
    assert_int_equal(status, 0);
    keeper_process_stop(keeper);
}

static void leaves_no_acknowledged_job_behind_at_a_restart(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t old = keeper_process_start(home);
    keeper_process_t new;
    pid_t poster;
    int status;

    keeper_home_wait_ready(home);
    poster = fork();
    assert_true(poster >= 0);
    if (poster == 0) {
        _exit(post_all(home, 1));
    }
    apr_sleep(PAUSE_OF_KILLS);
    keeper_process_tell_to_stop(&old);
    new = keeper_process_start(home); /* before the old one has ended */
    keeper_process_join(old);
    assert_int_equal(waitpid(poster, &status, 0), poster);
    assert_int_equal(status, 0);
    keeper_home_assert_whole(home, "a", POSTS_OF_EACH);
    keeper_process_stop(new);
}

static void waits_for_another_keeper_of_its_database_and_takes_over(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "one", NULL);
    keeper_home_t *other = keeper_home_make(*state, "two", NULL);
    keeper_process_t first = keeper_process_start(home);
    keeper_process_t second;
    ipc_job_t job =
        unit_job(IPC_JOB_APPEND, 0, other->site.identity, "a", "al", "mine", "mine", "", "");
    ipc_reply_t reply;

    (void)keeper_home_post_ok(home, "a", "one");
    second = keeper_process_start(other);
    assert_int_equal(
        ipc_client_call(other->client, &job, &reply, apr_time_from_msec(200), other->temp->pool),
        APR_TIMEUP);
    (void)keeper_home_post_ok(home, "a", "two");
    keeper_home_assert_whole(home, "a", 2);
    keeper_process_stop(first);
    job.append.is_repeat = 1;
    assert_int_equal(ipc_client_call(other->client, &job, &reply, UNIT_PATIENCE, other->temp->pool),
                     APR_SUCCESS);
    assert_int_equal(reply.status, IPC_DONE);
    assert_int_equal(reply.position, 3);
    keeper_home_assert_whole(home, "a", 3);
    keeper_process_stop(second);
}

static void stops_though_another_keeper_holds_its_database(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "one", NULL);
    keeper_home_t *other = keeper_home_make(*state, "two", NULL);
    keeper_process_t first = keeper_process_start(home);
    keeper_process_t second;

    keeper_home_wait_ready(home);
    second = keeper_process_start(other);
    apr_sleep(apr_time_from_msec(50));
    keeper_process_stop(second);
    (void)keeper_home_post_ok(home, "a", "one");
    keeper_process_stop(first);
}

/* All is as for a new database, the secret too; but a reader with an older position finds it below
 * all others. */
static void goes_on_with_a_new_database_when_the_old_one_was_deleted(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_home_t *home = keeper_home_make(temp, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    ipc_version_t before;
    const char *secret;

    (void)keeper_home_post_ok(home, "a", "one");
    secret = keeper_home_meta(home, IPC_SITE_SECRET_NAME);
    before = ipc_shared_version(home->config.shared, 0, 0);
    assert_int_equal(unlink(temp->path), 0);
    assert_int_equal(keeper_home_post_ok(home, "a", "two").position, 3);
    assert_true(ipc_shared_version(home->config.shared, 0, 0).epoch != before.epoch);
    keeper_home_assert_whole(home, "a", 1);
    assert_non_null(keeper_home_meta(home, IPC_SITE_SECRET_NAME));
    assert_string_not_equal(keeper_home_meta(home, IPC_SITE_SECRET_NAME), secret);
    keeper_process_stop(keeper);
}

/* As an operator restores a backup: with Apache stopped. */
static void shows_no_position_again_after_a_backup_was_restored(void **state)
{
    const unit_temp_t *temp = *state;
    const char *backup = apr_pstrcat(temp->pool, temp->path, ".backup", NULL);
    keeper_home_t *home = keeper_home_make(temp, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);

    (void)keeper_home_post_ok(home, "a", "one");
    keeper_process_stop(keeper);
    assert_int_equal(apr_file_copy(temp->path, backup, APR_FPROT_FILE_SOURCE_PERMS, temp->pool),
                     APR_SUCCESS);
    keeper = keeper_process_start(home);
    assert_int_equal(keeper_home_post_ok(home, "a", "two").position, 2);
    assert_int_equal(keeper_home_post_ok(home, "a", "three").position, 3);
    keeper_process_stop(keeper);
    assert_int_equal(apr_file_copy(backup, temp->path, APR_FPROT_FILE_SOURCE_PERMS, temp->pool),
                     APR_SUCCESS);
    keeper = keeper_process_start(home);
    /* "one" is at 5: who stands at 3 is below what comes before it, too. */
    assert_int_equal(keeper_home_post_ok(home, "a", "other").position, 6);
    keeper_process_stop(keeper);
    keeper = keeper_process_start(home);
    assert_int_equal(keeper_home_post_ok(home, "a", "more").position, 7);
    keeper_process_kill(keeper);
    keeper = keeper_process_start(home);
    assert_int_equal(keeper_home_post_ok(home, "a", "still more").position, 8);
    keeper_process_stop(keeper);
}

/* The first to find it may be the keeper itself, when it keeps how far it has published. */
static void notices_by_itself_that_its_database_was_deleted(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_stub_t *stub = keeper_stub_start(temp->pool);
    keeper_home_t *home = keeper_home_make(temp, "s", keeper_stub_url(stub, temp->pool));
    keeper_process_t keeper = keeper_process_start(home);
    gc_moment_t end = gc_clock_now() + apr_time_from_msec(1500);
    ipc_version_t before;
    ipc_reply_t reply;

    (void)keeper_home_post_ok(home, "a", "one");
    before = ipc_shared_version(home->config.shared, 0, 0);
    assert_int_equal(unlink(temp->path), 0);
    while (ipc_shared_version(home->config.shared, 0, 0).epoch == before.epoch &&
           gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(5));
    }
    assert_true(ipc_shared_version(home->config.shared, 0, 0).epoch != before.epoch);
    assert_int_equal(keeper_home_post(home, "a", "two", &reply), APR_SUCCESS);
    (void)keeper_home_post_ok(home, "a", "two");
    assert_non_null(keeper_home_meta(home, IPC_SITE_SECRET_NAME));
    keeper_process_stop(keeper);
    keeper_stub_stop(stub);
}

/* Some other file in its place: an operator's mistake that is undone while httpd runs. */
static void says_that_a_database_cannot_be_used_and_heals(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_home_t *home = keeper_home_make(temp, "s", NULL);
    FILE *file = fopen(temp->path, "w");
    keeper_process_t keeper;
    ipc_reply_t reply;
    int i;

    assert_non_null(file);
    for (i = 0; i < 100; i++) {
        fputs("this is somebody's letter, and not a database\n", file);
    }
    fclose(file);
    keeper = keeper_process_start(home);
    assert_int_equal(keeper_home_post(home, "a", "one", &reply), APR_SUCCESS);
    assert_int_equal(reply.status, IPC_UNAVAILABLE);
    assert_int_equal(unlink(temp->path), 0);
    assert_int_equal(keeper_home_post_ok(home, "a", "one").position, 1);
    keeper_process_stop(keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(loses_and_doubles_nothing_when_it_is_killed),
        TEMP_TEST(hints_what_a_killed_keeper_did_not_publish),
        TEMP_TEST(recognizes_a_job_that_a_killed_keeper_has_done),
        TEMP_TEST(serves_children_that_asked_before_it_started),
        TEMP_TEST(leaves_no_acknowledged_job_behind_at_a_restart),
        TEMP_TEST(waits_for_another_keeper_of_its_database_and_takes_over),
        TEMP_TEST(stops_though_another_keeper_holds_its_database),
        TEMP_TEST(goes_on_with_a_new_database_when_the_old_one_was_deleted),
        TEMP_TEST(shows_no_position_again_after_a_backup_was_restored),
        TEMP_TEST(notices_by_itself_that_its_database_was_deleted),
        TEMP_TEST(says_that_a_database_cannot_be_used_and_heals),
    };

    return UNIT_RUN(tests);
}
