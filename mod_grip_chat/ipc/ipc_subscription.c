#include "ipc_subscription.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "gc_assert.h"
#include "ipc_frame.h"
#include "ipc_slots.h"

/* How long it waits before it connects again, at first, and at most. */
#define PAUSE_MIN apr_time_from_msec(5)
#define PAUSE_MAX apr_time_from_msec(500)

typedef enum state_e {
    APART,   /* there is no connection */
    GREETED, /* the keeper is to answer yet */
    TOLD     /* it tells which slots move */
} state_e;

struct ipc_subscription_t {
    const char *socket_path;
    ipc_subscription_hooks_t hooks;
    gc_owner_t owner; /* the thread that works for it */
    state_e state;
    int fd; /* -1 if APART */
    gc_moment_t due;
    apr_interval_time_t pause;
    int is_waiting; /* the socket is full */
    char reply[IPC_FRAME_REPLY_BYTES];
    apr_size_t have; /* bytes of it */
    ipc_slot_set_t wanted;
    ipc_slots_in_t in;
    ipc_slots_out_t out;
};

static apr_status_t close_connection(void *data)
{
    ipc_subscription_t *subscription = data;

    if (subscription->fd >= 0) {
        close(subscription->fd);
        subscription->fd = -1;
    }
    return APR_SUCCESS;
}

apr_status_t ipc_subscription_create(ipc_subscription_t **out, const char *socket_path,
                                     const ipc_subscription_hooks_t *hooks, apr_pool_t *pool)
{
    ipc_subscription_t *subscription;
    struct sockaddr_un address;

    if (strlen(socket_path) >= sizeof(address.sun_path)) {
        return APR_ENAMETOOLONG;
    }
    subscription = apr_pcalloc(pool, sizeof(*subscription));
    subscription->socket_path = socket_path;
    subscription->hooks = *hooks;
    subscription->state = APART;
    subscription->fd = -1;
    subscription->pause = PAUSE_MIN;
    subscription->due = 1;
    apr_pool_cleanup_register(pool, subscription, close_connection, apr_pool_cleanup_null);
    *out = subscription;
    return APR_SUCCESS;
}

void ipc_subscription_want(ipc_subscription_t *subscription, unsigned slot, int is_wanted)
{
    GC_ASSERT_OWNER(&subscription->owner);
    ipc_slot_set_put(&subscription->wanted, slot, is_wanted);
    if (subscription->state == TOLD) {
        ipc_slots_add(&subscription->out, slot);
    }
}

/* The keeper is gone, or of another version. */
static void part(ipc_subscription_t *subscription, gc_moment_t now)
{
    (void)close_connection(subscription); /* cannot fail */
    subscription->state = APART;
    subscription->due = now + subscription->pause;
    subscription->pause = subscription->pause * 2 < PAUSE_MAX ? subscription->pause * 2 : PAUSE_MAX;
    memset(&subscription->in, 0, sizeof(subscription->in));
    memset(&subscription->out, 0, sizeof(subscription->out));
    subscription->have = 0;
    subscription->is_waiting = 0;
}

static int greet(ipc_subscription_t *subscription)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char bytes[IPC_FRAME_WATCH_BYTES + 1];
    gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};

    subscription->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    apr_cpystrn(address.sun_path, subscription->socket_path, sizeof(address.sun_path));
    ipc_frame_append_watch(&frame);
    return subscription->fd >= 0 && fcntl(subscription->fd, F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(subscription->fd, F_SETFL, O_NONBLOCK) == 0 &&
           connect(subscription->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
           send(subscription->fd, frame.data, frame.len, MSG_NOSIGNAL) == (ssize_t)frame.len;
}

/* The keeper takes words from now on: all that is wanted, to begin with, and it answers each with
 * a notice. */
static void begin(ipc_subscription_t *subscription)
{
    unsigned slot;

    GC_ASSERT(subscription->state == GREETED && subscription->fd >= 0);
    subscription->state = TOLD;
    subscription->pause = PAUSE_MIN;
    for (slot = 0; slot < IPC_SHARED_SLOTS; slot++) {
        if (ipc_slot_set_has(&subscription->wanted, slot)) {
            ipc_slots_add(&subscription->out, slot);
        }
    }
}

/* Read the answer to the greeting. */
static apr_status_t read_reply(ipc_subscription_t *subscription)
{
    ipc_reply_t reply;
    apr_status_t rv;
    ssize_t got;

    do {
        got = recv(subscription->fd, subscription->reply + subscription->have,
                   sizeof(subscription->reply) - subscription->have, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return got == 0 ? APR_EOF : errno == EAGAIN ? APR_SUCCESS : errno;
    }
    subscription->have += (apr_size_t)got;
    if (subscription->have < sizeof(subscription->reply)) {
        return APR_SUCCESS;
    }
    rv = ipc_frame_read_reply(&reply, gc_slice(subscription->reply, sizeof(subscription->reply)));
    if (rv == APR_SUCCESS && reply.status != IPC_DONE) {
        rv = APR_EINVAL;
    }
    if (rv == APR_SUCCESS) {
        begin(subscription);
    }
    return rv;
}

static void tell_moved(unsigned slot, int has_flag, void *baton)
{
    ipc_subscription_t *subscription = baton;

    subscription->hooks.moved(slot, subscription->hooks.baton);
}

static void tell_stored(unsigned slot, gc_slice_t bytes, void *baton)
{
    ipc_subscription_t *subscription = baton;
    ipc_notice_t notice;

    if (ipc_notice_read(&notice, bytes) == APR_SUCCESS) {
        subscription->hooks.stored(slot, &notice, subscription->hooks.baton);
    }
    else {
        subscription->hooks.moved(slot, subscription->hooks.baton);
    }
}

void ipc_subscription_ready(ipc_subscription_t *subscription)
{
    ipc_slots_taker_t taker = {tell_moved, tell_stored, subscription};
    gc_moment_t now = gc_clock_now();
    apr_status_t rv = APR_SUCCESS;

    GC_ASSERT_OWNER(&subscription->owner);
    if (subscription->state == GREETED) {
        rv = read_reply(subscription);
    }
    else if (subscription->state == TOLD) {
        rv = ipc_slots_receive(&subscription->in, subscription->fd, &taker);
    }
    subscription->is_waiting = 0; /* maybe: it is tried by the next work */
    if (rv != APR_SUCCESS) {
        part(subscription, now);
    }
}

static void send_wanted(ipc_subscription_t *subscription, gc_moment_t now)
{
    apr_status_t rv = ipc_slots_send(&subscription->out, subscription->fd, &subscription->wanted);

    if (rv == APR_SUCCESS || APR_STATUS_IS_EAGAIN(rv)) {
        subscription->is_waiting = rv != APR_SUCCESS;
        subscription->hooks.wait(subscription->fd, subscription->is_waiting,
                                 subscription->hooks.baton);
    }
    else {
        part(subscription, now);
    }
}

void ipc_subscription_work(ipc_subscription_t *subscription, gc_moment_t now)
{
    GC_ASSERT_OWNER(&subscription->owner);
    gc_owner_take(&subscription->owner);
    if (subscription->state == APART && subscription->due <= now) {
        if (greet(subscription)) {
            subscription->state = GREETED;
            subscription->hooks.wait(subscription->fd, 0, subscription->hooks.baton);
        }
        else {
            part(subscription, now);
        }
    }
    if (subscription->state == TOLD && !subscription->is_waiting &&
        ipc_slots_wait(&subscription->out)) {
        send_wanted(subscription, now);
    }
}

gc_moment_t ipc_subscription_due(const ipc_subscription_t *subscription)
{
    return subscription->state == APART ? subscription->due : 0;
}

int ipc_subscription_is_told(const ipc_subscription_t *subscription)
{
    return subscription->state == TOLD;
}
