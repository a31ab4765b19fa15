#include "keeper_loop.h"

#include <fcntl.h>
#include <unistd.h>

#include <sys/socket.h>

#include "chat_store.h"
#include "keeper_child.h"
#include "keeper_process.h"
#include "keeper_stub.h"
#include "publish_proxy.h"
#include "unit_events.h"
#include "write_lock.h"

static gc_slice_t frame_for(const keeper_home_t *home, const char *text)
{
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, home->site.identity, "a", "al", text, text, "", "");

    return keeper_child_frame(&job, home->temp->pool);
}

static void wait_for_posts(keeper_stub_t *stub, int count)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    while (keeper_stub_count(stub) < count && gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(2));
    }
    assert_true(keeper_stub_count(stub) >= count);
}

static void stores_what_it_acknowledges_and_bumps_before_it_answers(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    unsigned slot = ipc_site_slot(&home->site, gc_slice_of("a"));
    ipc_version_t before;
    ipc_version_t after;
    ipc_reply_t reply;

    keeper_home_wait_ready(home);
    before = ipc_shared_version(home->config.shared, 0, slot);
    reply = keeper_home_post_ok(home, "a", "one");
    after = ipc_shared_version(home->config.shared, 0, slot);
    assert_int_equal(reply.id, 1);
    assert_int_equal(reply.position, 1);
    assert_true(reply.created_ms > 0);
    assert_true(after.generation != before.generation);
    assert_true(after.epoch == before.epoch);
    assert_int_equal(keeper_home_post_ok(home, "a", "two").position, 2);
    assert_int_equal(keeper_home_post_ok(home, "b", "three").position, 1);
    keeper_home_assert_whole(home, "a", 2);
    keeper_process_stop(keeper);
}

/* Whether the keeper before bumped what it stored last is not known. */
static void moves_every_version_when_it_starts(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    ipc_version_t before = ipc_shared_version(home->config.shared, 0, 5);
    keeper_process_t keeper = keeper_process_start(home);

    keeper_home_wait_ready(home);
    assert_true(ipc_shared_version(home->config.shared, 0, 5).epoch != before.epoch);
    keeper_process_stop(keeper);
}

static void wait_for_epoch_after(const keeper_home_t *home, apr_uint64_t before)
{
    apr_time_t end = apr_time_now() + UNIT_PATIENCE;

    while (ipc_shared_version(home->config.shared, 0, 0).epoch == before && apr_time_now() < end) {
        apr_sleep(apr_time_from_msec(5));
    }
    assert_true(ipc_shared_version(home->config.shared, 0, 0).epoch != before);
}

/* Children that have a room in memory do not look at the file themselves. */
static void moves_every_version_when_the_file_goes_though_nobody_posts(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    apr_uint64_t before;

    (void)keeper_home_post_ok(home, "a", "one");
    before = ipc_shared_version(home->config.shared, 0, 0).epoch;
    assert_int_equal(unlink(home->temp->path), 0);
    wait_for_epoch_after(home, before);
    assert_int_equal(keeper_home_post_ok(home, "a", "two").position, 3); /* above all older ones */
    keeper_process_stop(keeper);
}

static void moves_every_version_when_somebody_else_writes(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    apr_uint64_t before;

    if (!unit_sqlite_is_there()) {
        keeper_process_stop(keeper);
        skip();
    }
    (void)keeper_home_post_ok(home, "a", "one");
    before = ipc_shared_version(home->config.shared, 0, 0).epoch;
    (void)unit_sqlite(home->temp->path, "UPDATE grip_chat_message SET body = 'moderated'",
                      home->temp->pool);
    wait_for_epoch_after(home, before);
    assert_int_equal(keeper_home_post_ok(home, "a", "two").position, 2);
    keeper_process_stop(keeper);
}

static void makes_a_site_a_secret_and_keeps_it(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    const char *secret;

    keeper_home_wait_ready(home);
    secret = keeper_home_meta(home, IPC_SITE_SECRET_NAME);
    assert_non_null(secret);
    assert_int_equal(strlen(secret), 43); /* 32 bytes in base64url */
    keeper_process_stop(keeper);
    keeper = keeper_process_start(home);
    keeper_home_wait_ready(home);
    assert_string_equal(keeper_home_meta(home, IPC_SITE_SECRET_NAME), secret);
    keeper_process_stop(keeper);
}

static void refuses_jobs_that_are_not_for_it(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, "another site", "a", "al", "x", "k", "", "");
    gc_slice_t frame = frame_for(home, "one");
    ipc_reply_t reply;
    int fd = keeper_home_connect(home);

    assert_int_equal(ipc_client_call(home->client, &job, &reply, UNIT_PATIENCE, home->temp->pool),
                     APR_SUCCESS);
    assert_int_equal(reply.status, IPC_UNKNOWN_SITE);
    ((char *)frame.data)[4] = IPC_FRAME_VERSION + 1;
    keeper_child_send(fd, frame);
    assert_int_equal(keeper_child_receive(fd), IPC_MALFORMED);
    ((char *)frame.data)[4] = IPC_FRAME_VERSION;
    keeper_child_send(fd, frame);
    assert_int_equal(keeper_child_receive(fd), IPC_DONE);
    close(fd);
    keeper_process_stop(keeper);
}

static void closes_on_children_that_make_no_sense_and_serves_the_others(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    gc_slice_t frame = frame_for(home, "one");
    int oversize = keeper_home_connect(home);
    int half = keeper_home_connect(home);
    char c;

    keeper_child_send(half, gc_slice(frame.data, frame.len / 2));
    keeper_child_send(oversize, gc_slice("\xff\xff\xff\x7f", 4));
    assert_int_equal(recv(oversize, &c, 1, 0), 0);
    (void)keeper_home_post_ok(home, "a", "two");
    keeper_child_send(half, gc_slice(frame.data + frame.len / 2, frame.len - frame.len / 2));
    assert_int_equal(keeper_child_receive(half), IPC_DONE);
    close(half);
    close(oversize);
    keeper_home_assert_whole(home, "a", 2);
    keeper_process_stop(keeper);
}

/* Its job is done or not, and the keeper does not stumble over the end of it. */
static void survives_a_child_that_ends_while_its_job_is_under_way(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    int i;

    keeper_home_wait_ready(home);
    for (i = 1; i <= 20; i++) {
        int fd = keeper_home_connect(home);

        keeper_child_send(fd, frame_for(home, apr_psprintf(home->temp->pool, "text %d", i)));
        close(fd);
    }
    (void)keeper_home_post_ok(home, "b", "last");
    keeper_process_stop(keeper);
    keeper_home_assert_whole(home, "b", 1);
}

/* Its client was answered 503, and need not see its message appear when the database is free again. */
static void stores_nothing_for_a_child_that_gave_up_while_it_waited(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_home_t *home = keeper_home_make(temp, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    chat_database_t *other =
        chat_database_create(&home->site.database, CHAT_DATABASE_WRITER, temp->pool);
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, home->site.identity, "a", "al", "x", "x", "", "");
    ipc_reply_t reply;
    int fd = keeper_home_connect(home);

    keeper_home_wait_ready(home);
    assert_int_equal(chat_database_begin(other, temp->pool), APR_SUCCESS);
    keeper_child_send(fd, frame_for(home, "one"));
    apr_sleep(apr_time_from_msec(50)); /* it waits for the other's transaction */
    assert_int_equal(
        ipc_client_call(home->client, &job, &reply, apr_time_from_msec(100), temp->pool),
        APR_TIMEUP);
    apr_sleep(apr_time_from_msec(50)); /* the loop sees that the child has gone */
    assert_int_equal(chat_database_run(other, "COMMIT"), APR_SUCCESS);
    assert_int_equal(keeper_child_receive(fd), IPC_DONE);
    assert_int_equal(keeper_home_post_ok(home, "a", "two").position, 2);
    keeper_process_stop(keeper);
    keeper_home_assert_whole(home, "a", 2);
    close(fd);
}

static void finishes_the_jobs_that_have_arrived_when_it_is_to_stop(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_home_t *home = keeper_home_make(temp, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    chat_database_t *other =
        chat_database_create(&home->site.database, CHAT_DATABASE_WRITER, temp->pool);
    int fd = keeper_home_connect(home);

    keeper_home_wait_ready(home);
    assert_int_equal(chat_database_begin(other, temp->pool), APR_SUCCESS);
    keeper_child_send(fd, frame_for(home, "one"));
    apr_sleep(apr_time_from_msec(50)); /* it waits for the other's transaction */
    keeper_process_tell_to_stop(&keeper);
    apr_sleep(apr_time_from_msec(400)); /* longer than it goes on publishing */
    assert_int_equal(chat_database_run(other, "COMMIT"), APR_SUCCESS);
    assert_int_equal(keeper_child_receive(fd), IPC_DONE);
    keeper_process_join(keeper);
    close(fd);
    keeper_home_assert_whole(home, "a", 1);
}

static void wait_for_log_lines(const keeper_home_t *home, int count)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    while (__atomic_load_n(home->log_lines, __ATOMIC_SEQ_CST) < count && gc_clock_now() < end) {
        apr_sleep(apr_time_from_msec(2));
    }
    assert_true(__atomic_load_n(home->log_lines, __ATOMIC_SEQ_CST) >= count);
}

/* Let go of the keeper's lock, though a keeper that was forked has its file, too. */
static void let_go(write_lock_t *lock)
{
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    assert_int_equal(fcntl(lock->fd, F_OFD_SETLK, &whole), 0);
    assert_int_equal(write_lock_release(lock), APR_SUCCESS);
}

/* Start a keeper whose database is locked before it opens it. SQLite must not be in use when a process
 * forks, so the keeper waits for its lock meanwhile. */
static keeper_process_t start_locked_out(keeper_home_t *home, chat_database_t *other)
{
    apr_pool_t *pool = home->temp->pool;
    keeper_process_t keeper;
    write_lock_t lock;

    assert_int_equal(write_lock_try(&lock, home->temp->path, pool), APR_SUCCESS);
    keeper = keeper_process_start(home);
    assert_int_equal(chat_database_begin(other, pool), APR_SUCCESS);
    let_go(&lock);
    return keeper;
}

/* An order that comes while a job waits for the database is not forgotten. */
static void ends_though_it_was_told_to_while_it_opened_the_database(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_home_t *home = keeper_home_make(temp, "s", NULL);
    chat_database_t *other =
        chat_database_create(&home->site.database, CHAT_DATABASE_WRITER, temp->pool);
    keeper_process_t keeper = start_locked_out(home, other);
    int fd = keeper_home_connect(home);

    keeper_child_send(fd, frame_for(home, "one"));
    wait_for_log_lines(home, 1); /* that it is locked; it is tried again for the job */
    keeper_process_tell_to_stop(&keeper);
    apr_sleep(apr_time_from_msec(400)); /* longer than it goes on publishing */
    assert_int_equal(chat_database_run(other, "COMMIT"), APR_SUCCESS);
    assert_int_equal(keeper_child_receive(fd), IPC_DONE);
    keeper_process_join(keeper);
    close(fd);
    keeper_home_assert_whole(home, "a", 1);
}

static void publishes_what_it_stored_and_keeps_how_far_it_got(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_stub_t *stub = keeper_stub_start(temp->pool);
    keeper_home_t *home = keeper_home_make(temp, "s", keeper_stub_url(stub, temp->pool));
    keeper_process_t keeper = keeper_process_start(home);
    const char *name = apr_pstrcat(temp->pool, "published:", home->proxies[0]->log_uri, NULL);

    (void)keeper_home_post_ok(home, "a", "one");
    wait_for_posts(stub, 1);
    (void)keeper_home_post_ok(home, "a", "two");
    wait_for_posts(stub, 2);
    keeper_process_stop(keeper);
    assert_string_equal(keeper_home_meta(home, name), "2");
    assert_int_equal(keeper_stub_count(stub), 2);
    assert_non_null(strstr(keeper_stub_posts(stub, 1, temp->pool), "a:0-1="));
    assert_non_null(strstr(keeper_stub_posts(stub, 1, temp->pool), " | a:1-2="));
    keeper = keeper_process_start(home);
    keeper_home_wait_ready(home);
    (void)keeper_home_post_ok(home, "b", "three");
    wait_for_posts(stub, 3);
    assert_null(strstr(keeper_stub_posts(stub, 0, temp->pool), "hint"));
    keeper_process_stop(keeper);
    keeper_stub_stop(stub);
}

/* A repeat costs no more than a read: neither the proxy nor a child hears of it. */
static void tells_nobody_of_what_is_posted_again_under_its_key(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_stub_t *stub = keeper_stub_start(temp->pool);
    keeper_home_t *home = keeper_home_make(temp, "s", keeper_stub_url(stub, temp->pool));
    keeper_process_t keeper = keeper_process_start(home);
    unsigned slot = ipc_site_slot(&home->site, gc_slice_of("a"));
    ipc_version_t version = {0, 0};
    const char *posts;
    int i;

    for (i = 0; i < 3; i++) {
        ipc_job_t job = unit_job(IPC_JOB_APPEND, i == 2, home->site.identity, "a", "al", "one",
                                 i == 1 ? "j1" : "j0", "k", "d");
        ipc_reply_t reply;

        assert_int_equal(ipc_client_call(home->client, &job, &reply, UNIT_PATIENCE, temp->pool),
                         APR_SUCCESS);
        assert_int_equal(reply.status, IPC_DONE);
        assert_int_equal(reply.position, 1);
        wait_for_posts(stub, 1);
        version = i == 0 ? ipc_shared_version(home->config.shared, 0, slot) : version;
    }
    assert_true(ipc_shared_version(home->config.shared, 0, slot).generation == version.generation);
    assert_true(ipc_shared_version(home->config.shared, 0, slot).epoch == version.epoch);
    (void)keeper_home_post_ok(home, "b", "two");
    wait_for_posts(stub, 2);
    keeper_process_stop(keeper);
    posts = keeper_stub_posts(stub, 0, temp->pool);
    assert_memory_equal(posts, "a:0-1=", strlen("a:0-1="));
    assert_non_null(strstr(posts, " | b:0-1="));
    assert_int_equal(keeper_stub_count(stub), 2);
    keeper_stub_stop(stub);
}

static void answers_though_the_proxy_does_not(void **state)
{
    const unit_temp_t *temp = *state;
    keeper_stub_t *stub = keeper_stub_start(temp->pool);
    keeper_home_t *home = keeper_home_make(temp, "s", keeper_stub_url(stub, temp->pool));
    keeper_process_t keeper;
    gc_moment_t start;

    keeper_stub_answer(stub, KEEPER_STUB_WAITS);
    keeper = keeper_process_start(home);
    (void)keeper_home_post_ok(home, "a", "one");
    wait_for_posts(stub, 1);
    start = gc_clock_now();
    (void)keeper_home_post_ok(home, "a", "two");
    (void)keeper_home_post_ok(home, "b", "three");
    /* It would have waited so long for the proxy. */
    keeper_process_stop(keeper);
    assert_true(gc_clock_now() - start < PUBLISH_PROXY_TIMEOUT);
    keeper_stub_stop(stub);
}

/* More children than the keeper may have descriptors: it must not spin, and recover. */
static void waits_calmly_when_its_descriptors_run_out(void **state)
{
    enum { MANY = 60 };
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper;
    int fds[MANY];
    int i;

    home->descriptors_max = 40;
    keeper = keeper_process_start(home);
    keeper_home_wait_ready(home);
    for (i = 0; i < MANY; i++) {
        fds[i] = keeper_home_connect(home);
    }
    apr_sleep(apr_time_from_msec(150));
    assert_true(__atomic_load_n(home->log_lines, __ATOMIC_SEQ_CST) < 20);
    for (i = 0; i < MANY; i++) {
        close(fds[i]);
    }
    (void)keeper_home_post_ok(home, "a", "one");
    keeper_process_stop(keeper);
}

/* The writer takes nothing while it waits for the keeper before it, and its children give up one after the
 * other: their connections must not pile up. */
static void lets_go_of_children_that_gave_up_while_the_writer_is_held_up(void **state)
{
    enum { MANY = 300 };
    const unit_temp_t *temp = *state;
    keeper_home_t *home = keeper_home_make(temp, "s", NULL);
    keeper_process_t keeper;
    write_lock_t lock;
    int i;

    home->descriptors_max = 160;
    assert_int_equal(write_lock_try(&lock, temp->path, temp->pool), APR_SUCCESS);
    keeper = keeper_process_start(home);
    for (i = 0; i < MANY; i++) {
        int fd = keeper_home_connect(home);

        keeper_child_send(fd, frame_for(home, "one"));
        apr_sleep(apr_time_from_msec(2));
        close(fd);
    }
    apr_sleep(apr_time_from_msec(150));
    assert_int_equal(__atomic_load_n(home->log_lines, __ATOMIC_SEQ_CST), 0);
    let_go(&lock);
    assert_int_equal(keeper_home_post_ok(home, "a", "two").position, 1);
    keeper_process_stop(keeper);
    keeper_home_assert_whole(home, "a", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(stores_what_it_acknowledges_and_bumps_before_it_answers),
        TEMP_TEST(moves_every_version_when_it_starts),
        TEMP_TEST(moves_every_version_when_the_file_goes_though_nobody_posts),
        TEMP_TEST(moves_every_version_when_somebody_else_writes),
        TEMP_TEST(makes_a_site_a_secret_and_keeps_it),
        TEMP_TEST(refuses_jobs_that_are_not_for_it),
        TEMP_TEST(closes_on_children_that_make_no_sense_and_serves_the_others),
        TEMP_TEST(survives_a_child_that_ends_while_its_job_is_under_way),
        TEMP_TEST(stores_nothing_for_a_child_that_gave_up_while_it_waited),
        TEMP_TEST(finishes_the_jobs_that_have_arrived_when_it_is_to_stop),
        TEMP_TEST(ends_though_it_was_told_to_while_it_opened_the_database),
        TEMP_TEST(publishes_what_it_stored_and_keeps_how_far_it_got),
        TEMP_TEST(tells_nobody_of_what_is_posted_again_under_its_key),
        TEMP_TEST(answers_though_the_proxy_does_not),
        TEMP_TEST(lets_go_of_children_that_gave_up_while_the_writer_is_held_up),
        TEMP_TEST(waits_calmly_when_its_descriptors_run_out),
    };

    return UNIT_RUN(tests);
}
