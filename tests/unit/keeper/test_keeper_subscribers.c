/* Both sides of watching: a subscription and a keeper in a process of its own. */
#include "ipc_subscription.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc_slots.h"
#include "keeper_process.h"
#include "unit_events.h"

/* A subscription in a loop that is no more than it needs, and what it was told. */
typedef struct child_t {
    ipc_subscription_t *subscription;
    struct pollfd waiting;
    int told[IPC_SHARED_SLOTS]; /* with an event or without */
    int all_told;
    int events;
    apr_int64_t position; /* of the last one, and what else it said */
    const char *site;
    const char *room;
    const char *text;
    apr_pool_t *pool;
} child_t;

static void wait_for(int fd, int want_write, void *baton)
{
    child_t *child = baton;

    child->waiting.fd = fd;
    child->waiting.events = (short)(POLLIN | (want_write ? POLLOUT : 0));
}

static void moved(unsigned slot, void *baton)
{
    child_t *child = baton;

    child->told[slot]++;
    child->all_told++;
}

static void stored(unsigned slot, const ipc_notice_t *notice, void *baton)
{
    child_t *child = baton;

    moved(slot, child);
    child->events++;
    child->position = notice->position;
    child->site = apr_pstrdup(child->pool, notice->site);
    child->room = apr_pstrdup(child->pool, notice->room);
    child->text = gc_slice_dup(notice->text, child->pool);
}

static child_t *make_child(const char *socket_path, apr_pool_t *pool)
{
    child_t *child = apr_pcalloc(pool, sizeof(*child));
    ipc_subscription_hooks_t hooks = {wait_for, moved, stored, child};

    child->pool = pool;
    child->waiting.fd = -1;
    assert_int_equal(ipc_subscription_create(&child->subscription, socket_path, &hooks, pool),
                     APR_SUCCESS);
    return child;
}

/* One turn of the loop, of some milliseconds at most. */
static void turn(child_t *child)
{
    ipc_subscription_work(child->subscription, gc_clock_now());
    if (ipc_subscription_due(child->subscription)) {
        apr_sleep(apr_time_from_msec(2)); /* there is no connection to wait for */
    }
    else if (poll(&child->waiting, 1, 5) > 0) {
        ipc_subscription_ready(child->subscription);
    }
}

/* Go on until a slot was told so often. */
static void wait_told(child_t *child, unsigned slot, int times)
{
    gc_moment_t end = gc_clock_now() + UNIT_PATIENCE;

    while (child->told[slot] < times && gc_clock_now() < end) {
        turn(child);
    }
    assert_int_equal(child->told[slot], times);
}

/* Go on until all that was said on the connection has been taken: a slot that begins to be wanted is
 * answered, and in order. */
static void settle(child_t *child, unsigned unused_slot)
{
    int before = child->told[unused_slot];

    ipc_subscription_want(child->subscription, unused_slot, 1);
    wait_told(child, unused_slot, before + 1);
    ipc_subscription_want(child->subscription, unused_slot, 0);
}

static unsigned slot_of(const keeper_home_t *home, const char *room)
{
    return ipc_site_slot(&home->site, gc_slice_of(room));
}

static void tells_what_is_stored_in_a_room_that_is_wanted(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    child_t *child = make_child(home->socket_path, home->temp->pool);

    keeper_home_wait_ready(home);
    ipc_subscription_want(child->subscription, slot_of(home, "a"), 1);
    wait_told(child, slot_of(home, "a"), 1); /* it was not known before what had moved */
    (void)keeper_home_post_ok(home, "a", "one");
    wait_told(child, slot_of(home, "a"), 2);
    assert_true(ipc_subscription_is_told(child->subscription));
    assert_int_equal(child->events, 1);
    assert_int_equal(child->position, 1);
    assert_string_equal(child->site, home->site.identity);
    assert_string_equal(child->room, "a");
    assert_non_null(strstr(child->text, "\"text\": \"one\""));
    keeper_process_stop(keeper);
}

static void tells_of_long_events_only_that_they_came(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    child_t *child = make_child(home->socket_path, home->temp->pool);
    char text[IPC_SLOTS_EVENT_BYTES + 1];
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, home->site.identity, "a", "al", "", "long", "", "");
    ipc_reply_t reply;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    job.append.event.payload = gc_slice_of(text);
    keeper_home_wait_ready(home);
    ipc_subscription_want(child->subscription, slot_of(home, "a"), 1);
    wait_told(child, slot_of(home, "a"), 1);
    assert_int_equal(ipc_client_call(home->client, &job, &reply, UNIT_PATIENCE, child->pool),
                     APR_SUCCESS);
    wait_told(child, slot_of(home, "a"), 2);
    (void)keeper_home_post_ok(home, "a", "short");
    wait_told(child, slot_of(home, "a"), 3);
    assert_int_equal(child->events, 1);
    assert_int_equal(child->position, 2);
    keeper_process_stop(keeper);
}

static void tells_nothing_of_other_rooms(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    child_t *child = make_child(home->socket_path, home->temp->pool);

    keeper_home_wait_ready(home);
    ipc_subscription_want(child->subscription, slot_of(home, "a"), 1);
    wait_told(child, slot_of(home, "a"), 1);
    (void)keeper_home_post_ok(home, "b", "one");
    ipc_subscription_want(child->subscription, slot_of(home, "a"), 0);
    settle(child, slot_of(home, "c"));
    (void)keeper_home_post_ok(home, "a", "two");
    settle(child, slot_of(home, "c"));
    assert_int_equal(child->told[slot_of(home, "b")], 0);
    assert_int_equal(child->told[slot_of(home, "a")], 1);
    keeper_process_stop(keeper);
}

static void tells_all_that_is_wanted_when_another_keeper_is_there(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    child_t *child = make_child(home->socket_path, home->temp->pool);

    keeper_home_wait_ready(home);
    ipc_subscription_want(child->subscription, slot_of(home, "a"), 1);
    ipc_subscription_want(child->subscription, slot_of(home, "b"), 1);
    wait_told(child, slot_of(home, "a"), 1);
    wait_told(child, slot_of(home, "b"), 1);
    keeper_process_kill(keeper);
    keeper = keeper_process_start(home);
    wait_told(child, slot_of(home, "a"), 2);
    wait_told(child, slot_of(home, "b"), 2);
    (void)keeper_home_post_ok(home, "b", "one");
    wait_told(child, slot_of(home, "b"), 3);
    keeper_process_stop(keeper);
}

static void goes_on_with_the_others_when_a_child_takes_nothing(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    child_t *child = make_child(home->socket_path, home->temp->pool);
    char bytes[IPC_FRAME_WATCH_BYTES + 1];
    gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};
    char reply[IPC_FRAME_REPLY_BYTES];
    apr_uint32_t word = slot_of(home, "a") | IPC_SLOTS_FLAG;
    int deaf = keeper_home_connect(home);
    ssize_t sent = 0;
    int i;

    keeper_home_wait_ready(home);
    ipc_frame_append_watch(&frame);
    assert_int_equal(send(deaf, frame.data, frame.len, 0), frame.len);
    assert_int_equal(recv(deaf, reply, sizeof(reply), MSG_WAITALL), sizeof(reply));
    /* Each of these is answered, and none of the answers is taken. */
    for (i = 0; i < 2000000 && sent >= 0; i++) {
        sent = send(deaf, &word, sizeof(word), MSG_DONTWAIT);
    }
    ipc_subscription_want(child->subscription, slot_of(home, "a"), 1);
    wait_told(child, slot_of(home, "a"), 1);
    (void)keeper_home_post_ok(home, "a", "one");
    wait_told(child, slot_of(home, "a"), 2);
    close(deaf);
    keeper_process_stop(keeper);
}

static void waits_for_a_keeper_that_counts_slots_as_it_does(void **state)
{
    keeper_home_t *home = keeper_home_make(*state, "s", NULL);
    keeper_process_t keeper = keeper_process_start(home);
    char bytes[IPC_FRAME_WATCH_BYTES + 1];
    gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};
    char answer[IPC_FRAME_REPLY_BYTES];
    ipc_reply_t reply;
    int fd = keeper_home_connect(home);

    keeper_home_wait_ready(home);
    ipc_frame_append_watch(&frame);
    assert_true(ipc_frame_is_watch(gc_buffer_slice(&frame)));
    frame.data[6] = (char)(frame.data[6] + 1);
    assert_false(ipc_frame_is_watch(gc_buffer_slice(&frame)));
    assert_int_equal(send(fd, frame.data, frame.len, 0), frame.len);
    assert_int_equal(recv(fd, answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
    assert_int_equal(ipc_frame_read_reply(&reply, gc_slice(answer, sizeof(answer))), APR_SUCCESS);
    assert_int_equal(reply.status, IPC_MALFORMED);
    close(fd);
    keeper_process_stop(keeper);
}

/* The pauses grow, so that a child without a keeper does not spin. */
static void tries_again_calmly_while_nobody_listens(void **state)
{
    const unit_temp_t *temp = *state;
    child_t *child = make_child(apr_pstrcat(temp->pool, temp->dir, "/none", NULL), temp->pool);
    gc_moment_t end = gc_clock_now() + apr_time_from_sec(1);
    int works = 0;

    while (gc_clock_now() < end) {
        gc_moment_t due = ipc_subscription_due(child->subscription);

        assert_true(due > 0);
        assert_false(ipc_subscription_is_told(child->subscription));
        if (due <= gc_clock_now()) {
            ipc_subscription_work(child->subscription, gc_clock_now());
            works++;
        }
        apr_sleep(apr_time_from_msec(1));
    }
    assert_in_range(works, 3, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(tells_what_is_stored_in_a_room_that_is_wanted),
        TEMP_TEST(tells_of_long_events_only_that_they_came),
        TEMP_TEST(tells_nothing_of_other_rooms),
        TEMP_TEST(tells_all_that_is_wanted_when_another_keeper_is_there),
        TEMP_TEST(goes_on_with_the_others_when_a_child_takes_nothing),
        TEMP_TEST(waits_for_a_keeper_that_counts_slots_as_it_does),
        TEMP_TEST(tries_again_calmly_while_nobody_listens),
    };

    return UNIT_RUN(tests);
}
