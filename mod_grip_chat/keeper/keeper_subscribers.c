#include "keeper_subscribers.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gc_lock.h"
#include "ipc_frame.h"
#include "ipc_slots.h"

/* A child that watches. Lies outside pools, since children come and go. */
struct keeper_subscriber_t {
    keeper_subscriber_t *next;
    keeper_subscriber_t **link; /* the pointer to this one */
    keeper_subscribers_t *watch;
    int fd;
    int is_waiting; /* the socket is full; it is sent on when it is not */
    ipc_slot_set_t wanted;
    ipc_slots_in_t in;
    ipc_slots_out_t out;
};

struct keeper_subscribers_t {
    keeper_poll_t *poll;
    const gc_log_t *log;
    apr_thread_mutex_t *mutex; /* guards the next fields, and all of the children */
    keeper_subscriber_t *first;
};

apr_status_t keeper_subscribers_create(keeper_subscribers_t **out, keeper_poll_t *poll,
                                       const gc_log_t *log, apr_pool_t *pool)
{
    keeper_subscribers_t *watch = apr_pcalloc(pool, sizeof(*watch));
    apr_status_t rv = apr_thread_mutex_create(&watch->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    watch->poll = poll;
    watch->log = log;
    if (rv == APR_SUCCESS) {
        *out = watch;
    }
    return rv;
}

static void end(keeper_subscriber_t *watching)
{
    apr_status_t rv;

    GC_ASSERT_LOCKED(watching->watch->mutex);
    rv = keeper_poll_watch(watching->watch->poll, KEEPER_FD_WATCH, watching->fd, NULL, 0);

    if (rv != APR_SUCCESS) {
        gc_log_line(watching->watch->log, GC_LOG_DEBUG, rv,
                    "GC0218: a watching child's connection is gone");
    }
    close(watching->fd);
    *watching->link = watching->next;
    if (watching->next) {
        watching->next->link = watching->link;
    }
    free(watching);
}

/* Watch for the events that are wanted now. @return 0 if the child cannot be served any more */
static int watch_for(keeper_subscriber_t *watching, int is_waiting)
{
    apr_int16_t events = (apr_int16_t)(APR_POLLIN | (is_waiting ? APR_POLLOUT : 0));

    watching->is_waiting = is_waiting;
    return keeper_poll_watch(watching->watch->poll, KEEPER_FD_WATCH, watching->fd, watching,
                             events) == APR_SUCCESS;
}

void keeper_subscribers_add(keeper_subscribers_t *watch, int fd)
{
    keeper_subscriber_t *watching = calloc(1, sizeof(*watching));
    char bytes[IPC_FRAME_REPLY_BYTES + 1];
    gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};
    ipc_reply_t reply = {IPC_DONE, 0, 0, 0};

    ipc_frame_append_reply(&frame, &reply);
    if (!watching || send(fd, frame.data, frame.len, MSG_NOSIGNAL) != (ssize_t)frame.len) {
        close(fd);
        free(watching);
        return;
    }
    gc_lock_enter(watch->mutex);
    watching->watch = watch;
    watching->fd = fd;
    watching->next = watch->first;
    watching->link = &watch->first;
    if (watch->first) {
        watch->first->link = &watching->next;
    }
    watch->first = watching;
    if (!watch_for(watching, 0)) {
        end(watching);
    }
    gc_lock_leave(watch->mutex);
}

/* Send the waiting bytes. @return 0 if the child is gone */
static int tell(keeper_subscriber_t *watching)
{
    apr_status_t rv;

    GC_ASSERT_LOCKED(watching->watch->mutex);
    rv = ipc_slots_send(&watching->out, watching->fd, NULL);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EAGAIN(rv)) {
        return 0;
    }
    return watching->is_waiting == (rv != APR_SUCCESS) || watch_for(watching, rv != APR_SUCCESS);
}

/* A slot that a child begins to want is told at once: a message that was stored before the wish
 * was known here may have come after the child looked. */
static void take(unsigned slot, int is_wanted, void *baton)
{
    keeper_subscriber_t *watching = baton;

    GC_ASSERT_LOCKED(watching->watch->mutex);
    ipc_slot_set_put(&watching->wanted, slot, is_wanted);
    if (is_wanted) {
        ipc_slots_add(&watching->out, slot);
    }
}

void keeper_subscribers_ready(keeper_subscriber_t *watching, int is_ended)
{
    keeper_subscribers_t *watch = watching->watch;
    ipc_slots_taker_t taker = {take, NULL, watching};
    apr_status_t rv = APR_EOF;

    gc_lock_enter(watch->mutex);
    if (!is_ended) {
        rv = ipc_slots_receive(&watching->in, watching->fd, &taker);
    }
    if (rv != APR_SUCCESS || !tell(watching)) {
        end(watching);
    }
    gc_lock_leave(watch->mutex);
}

/* Make the event of a room that has moved, once for all children. @return nothing where there is none */
static gc_slice_t event_of(const ipc_moved_t *moved, gc_buffer_t *event, apr_pool_t *pool)
{
    if (!event->data) {
        int may_fit = moved->append->outcome == CHAT_APPEND_NEW &&
                      moved->append->event.payload.len <= IPC_SLOTS_EVENT_BYTES;

        *event = gc_buffer_make(may_fit ? moved->append->event.payload.len + 512 : 1, pool);
        if (!may_fit || ipc_notice_append(event, moved) != APR_SUCCESS) {
            event->len = 0;
        }
    }
    return gc_buffer_slice(event);
}

static void add_moved(keeper_subscriber_t *watching, unsigned slot, gc_slice_t event)
{
    if (event.len == 0 || event.len > IPC_SLOTS_EVENT_BYTES) {
        ipc_slots_add(&watching->out, slot);
    }
    else if (!ipc_slots_add_event(&watching->out, slot, event)) {
        /* The loop sends the bytes that the socket does not take. */
        if (watching->is_waiting ||
            ipc_slots_send(&watching->out, watching->fd, NULL) != APR_SUCCESS ||
            !ipc_slots_add_event(&watching->out, slot, event))
        {
            ipc_slots_add(&watching->out, slot);
        }
    }
}

int keeper_subscribers_moved(keeper_subscribers_t *watch, const ipc_moved_t *moved, int count,
                             apr_pool_t *pool)
{
    gc_buffer_t *events = apr_pcalloc(pool, sizeof(*events) * (apr_size_t)count);
    keeper_subscriber_t *watching;
    int is_all_told = 1;
    int i;

    gc_lock_enter(watch->mutex);
    for (watching = watch->first; watching; watching = watching->next) {
        for (i = 0; i < count; i++) {
            if (ipc_slot_set_has(&watching->wanted, moved[i].slot)) {
                add_moved(watching, moved[i].slot, event_of(&moved[i], &events[i], pool));
            }
        }
        if (ipc_slots_wait(&watching->out) && !watching->is_waiting) {
            /* The loop, which owns the descriptors, finds the children that are gone. */
            is_all_told &= ipc_slots_send(&watching->out, watching->fd, NULL) == APR_SUCCESS;
        }
    }
    gc_lock_leave(watch->mutex);
    return is_all_told;
}

void keeper_subscribers_tell(keeper_subscribers_t *watch)
{
    keeper_subscriber_t *watching;
    keeper_subscriber_t *next;

    gc_lock_enter(watch->mutex);
    for (watching = watch->first; watching; watching = next) {
        next = watching->next;
        if (ipc_slots_wait(&watching->out) && !watching->is_waiting && !tell(watching)) {
            end(watching);
        }
    }
    gc_lock_leave(watch->mutex);
}
