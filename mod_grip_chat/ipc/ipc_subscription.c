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
    ipc_subscription_t *watcher = data;

    if (watcher->fd >= 0) {
        close(watcher->fd);
        watcher->fd = -1;
    }
    return APR_SUCCESS;
}

apr_status_t ipc_subscription_create(ipc_subscription_t **out, const char *socket_path,
                                     const ipc_subscription_hooks_t *hooks, apr_pool_t *pool)
{
    ipc_subscription_t *watcher;
    struct sockaddr_un address;

    if (strlen(socket_path) >= sizeof(address.sun_path)) {
        return APR_ENAMETOOLONG;
    }
    watcher = apr_pcalloc(pool, sizeof(*watcher));
    watcher->socket_path = socket_path;
    watcher->hooks = *hooks;
    watcher->state = APART;
    watcher->fd = -1;
    watcher->pause = PAUSE_MIN;
    watcher->due = 1;
    apr_pool_cleanup_register(pool, watcher, close_connection, apr_pool_cleanup_null);
    *out = watcher;
    return APR_SUCCESS;
}

void ipc_subscription_want(ipc_subscription_t *watcher, unsigned slot, int is_wanted)
{
    GC_ASSERT_OWNER(&watcher->owner);
    ipc_slot_set_put(&watcher->wanted, slot, is_wanted);
    if (watcher->state == TOLD) {
        ipc_slots_add(&watcher->out, slot);
    }
}

/* The keeper is gone, or of another version. */
static void part(ipc_subscription_t *watcher, gc_moment_t now)
{
    (void)close_connection(watcher); /* cannot fail */
    watcher->state = APART;
    watcher->due = now + watcher->pause;
    watcher->pause = watcher->pause * 2 < PAUSE_MAX ? watcher->pause * 2 : PAUSE_MAX;
    memset(&watcher->in, 0, sizeof(watcher->in));
    memset(&watcher->out, 0, sizeof(watcher->out));
    watcher->have = 0;
    watcher->is_waiting = 0;
}

static int greet(ipc_subscription_t *watcher)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char bytes[IPC_FRAME_WATCH_BYTES + 1];
    gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};

    watcher->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    apr_cpystrn(address.sun_path, watcher->socket_path, sizeof(address.sun_path));
    ipc_frame_append_watch(&frame);
    return watcher->fd >= 0 && fcntl(watcher->fd, F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(watcher->fd, F_SETFL, O_NONBLOCK) == 0 &&
           connect(watcher->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
           send(watcher->fd, frame.data, frame.len, MSG_NOSIGNAL) == (ssize_t)frame.len;
}

/* The keeper takes words from now on: all that is wanted, to begin with, and it answers each with
 * a notice. */
static void begin(ipc_subscription_t *watcher)
{
    unsigned slot;

    GC_ASSERT(watcher->state == GREETED && watcher->fd >= 0);
    watcher->state = TOLD;
    watcher->pause = PAUSE_MIN;
    for (slot = 0; slot < IPC_SHARED_SLOTS; slot++) {
        if (ipc_slot_set_has(&watcher->wanted, slot)) {
            ipc_slots_add(&watcher->out, slot);
        }
    }
}

/* Read the answer to the greeting. */
static apr_status_t read_reply(ipc_subscription_t *watcher)
{
    ipc_reply_t reply;
    apr_status_t rv;
    ssize_t got;

    do {
        got = recv(watcher->fd, watcher->reply + watcher->have,
                   sizeof(watcher->reply) - watcher->have, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return got == 0 ? APR_EOF : errno == EAGAIN ? APR_SUCCESS : errno;
    }
    watcher->have += (apr_size_t)got;
    if (watcher->have < sizeof(watcher->reply)) {
        return APR_SUCCESS;
    }
    rv = ipc_frame_read_reply(&reply, gc_slice(watcher->reply, sizeof(watcher->reply)));
    if (rv == APR_SUCCESS && reply.status != IPC_DONE) {
        rv = APR_EINVAL;
    }
    if (rv == APR_SUCCESS) {
        begin(watcher);
    }
    return rv;
}

static void tell_moved(unsigned slot, int has_flag, void *baton)
{
    ipc_subscription_t *watcher = baton;

    watcher->hooks.moved(slot, watcher->hooks.baton);
}

static void tell_stored(unsigned slot, gc_slice_t bytes, void *baton)
{
    ipc_subscription_t *watcher = baton;
    ipc_notice_t notice;

    if (ipc_notice_read(&notice, bytes) == APR_SUCCESS) {
        watcher->hooks.stored(slot, &notice, watcher->hooks.baton);
    }
    else {
        watcher->hooks.moved(slot, watcher->hooks.baton);
    }
}

void ipc_subscription_ready(ipc_subscription_t *watcher)
{
    ipc_slots_taker_t taker = {tell_moved, tell_stored, watcher};
    gc_moment_t now = gc_clock_now();
    apr_status_t rv = APR_SUCCESS;

    GC_ASSERT_OWNER(&watcher->owner);
    if (watcher->state == GREETED) {
        rv = read_reply(watcher);
    }
    else if (watcher->state == TOLD) {
        rv = ipc_slots_receive(&watcher->in, watcher->fd, &taker);
    }
    watcher->is_waiting = 0; /* maybe: it is tried by the next work */
    if (rv != APR_SUCCESS) {
        part(watcher, now);
    }
}

static void send_wanted(ipc_subscription_t *watcher, gc_moment_t now)
{
    apr_status_t rv = ipc_slots_send(&watcher->out, watcher->fd, &watcher->wanted);

    if (rv == APR_SUCCESS || APR_STATUS_IS_EAGAIN(rv)) {
        watcher->is_waiting = rv != APR_SUCCESS;
        watcher->hooks.wait(watcher->fd, watcher->is_waiting, watcher->hooks.baton);
    }
    else {
        part(watcher, now);
    }
}

void ipc_subscription_work(ipc_subscription_t *watcher, gc_moment_t now)
{
    GC_ASSERT_OWNER(&watcher->owner);
    gc_owner_take(&watcher->owner);
    if (watcher->state == APART && watcher->due <= now) {
        if (greet(watcher)) {
            watcher->state = GREETED;
            watcher->hooks.wait(watcher->fd, 0, watcher->hooks.baton);
        }
        else {
            part(watcher, now);
        }
    }
    if (watcher->state == TOLD && !watcher->is_waiting && ipc_slots_wait(&watcher->out)) {
        send_wanted(watcher, now);
    }
}

gc_moment_t ipc_subscription_due(const ipc_subscription_t *watcher)
{
    return watcher->state == APART ? watcher->due : 0;
}

int ipc_subscription_is_told(const ipc_subscription_t *watcher)
{
    return watcher->state == TOLD;
}
