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
    keeper_subscribers_t *subscribers;
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
    keeper_subscribers_t *subscribers = apr_pcalloc(pool, sizeof(*subscribers));
    apr_status_t rv = apr_thread_mutex_create(&subscribers->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    subscribers->poll = poll;
    subscribers->log = log;
    if (rv == APR_SUCCESS) {
        *out = subscribers;
    }
    return rv;
}

static void end(keeper_subscriber_t *subscriber)
{
    apr_status_t rv;

    GC_ASSERT_LOCKED(subscriber->subscribers->mutex);
    rv = keeper_poll_watch(subscriber->subscribers->poll, KEEPER_FD_WATCH, subscriber->fd, NULL, 0);

    if (rv != APR_SUCCESS) {
        gc_log_line(subscriber->subscribers->log, GC_LOG_DEBUG, rv,
                    "GC0218: a watching child's connection is gone");
    }
    close(subscriber->fd);
    *subscriber->link = subscriber->next;
    if (subscriber->next) {
        subscriber->next->link = subscriber->link;
    }
    free(subscriber);
}

/* Watch for the events that are wanted now. @return 0 if the child cannot be served any more */
static int watch_for(keeper_subscriber_t *subscriber, int is_waiting)
{
    apr_int16_t events = (apr_int16_t)(APR_POLLIN | (is_waiting ? APR_POLLOUT : 0));

    subscriber->is_waiting = is_waiting;
    return keeper_poll_watch(subscriber->subscribers->poll, KEEPER_FD_WATCH, subscriber->fd,
                             subscriber, events) == APR_SUCCESS;
}

void keeper_subscribers_add(keeper_subscribers_t *subscribers, int fd)
{
    keeper_subscriber_t *subscriber = calloc(1, sizeof(*subscriber));
    char bytes[IPC_FRAME_REPLY_BYTES + 1];
    gc_buffer_t frame = {bytes, 0, sizeof(bytes), NULL};
    ipc_reply_t reply = {IPC_DONE, 0, 0, 0};

    ipc_frame_append_reply(&frame, &reply);
    if (!subscriber || send(fd, frame.data, frame.len, MSG_NOSIGNAL) != (ssize_t)frame.len) {
        close(fd);
        free(subscriber);
        return;
    }
    gc_lock_enter(subscribers->mutex);
    subscriber->subscribers = subscribers;
    subscriber->fd = fd;
    subscriber->next = subscribers->first;
    subscriber->link = &subscribers->first;
    if (subscribers->first) {
        subscribers->first->link = &subscriber->next;
    }
    subscribers->first = subscriber;
    if (!watch_for(subscriber, 0)) {
        end(subscriber);
    }
    gc_lock_leave(subscribers->mutex);
}

/* Send the waiting bytes. @return 0 if the child is gone */
static int tell(keeper_subscriber_t *subscriber)
{
    apr_status_t rv;

    GC_ASSERT_LOCKED(subscriber->subscribers->mutex);
    rv = ipc_slots_send(&subscriber->out, subscriber->fd, NULL);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EAGAIN(rv)) {
        return 0;
    }
    return subscriber->is_waiting == (rv != APR_SUCCESS) ||
           watch_for(subscriber, rv != APR_SUCCESS);
}

/* A slot that a child begins to want is told at once: a message that was stored before the wish
 * was known here may have come after the child looked. */
static void take(unsigned slot, int is_wanted, void *baton)
{
    keeper_subscriber_t *subscriber = baton;

    GC_ASSERT_LOCKED(subscriber->subscribers->mutex);
    ipc_slot_set_put(&subscriber->wanted, slot, is_wanted);
    if (is_wanted) {
        ipc_slots_add(&subscriber->out, slot);
    }
}

void keeper_subscribers_ready(keeper_subscriber_t *subscriber, int is_ended)
{
    keeper_subscribers_t *subscribers = subscriber->subscribers;
    ipc_slots_taker_t taker = {take, NULL, subscriber};
    apr_status_t rv = APR_EOF;

    gc_lock_enter(subscribers->mutex);
    if (!is_ended) {
        rv = ipc_slots_receive(&subscriber->in, subscriber->fd, &taker);
    }
    if (rv != APR_SUCCESS || !tell(subscriber)) {
        end(subscriber);
    }
    gc_lock_leave(subscribers->mutex);
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

static void add_moved(keeper_subscriber_t *subscriber, unsigned slot, gc_slice_t event)
{
    if (event.len == 0 || event.len > IPC_SLOTS_EVENT_BYTES) {
        ipc_slots_add(&subscriber->out, slot);
    }
    else if (!ipc_slots_add_event(&subscriber->out, slot, event)) {
        /* The loop sends the bytes that the socket does not take. */
        if (subscriber->is_waiting ||
            ipc_slots_send(&subscriber->out, subscriber->fd, NULL) != APR_SUCCESS ||
            !ipc_slots_add_event(&subscriber->out, slot, event))
        {
            ipc_slots_add(&subscriber->out, slot);
        }
    }
}

int keeper_subscribers_moved(keeper_subscribers_t *subscribers, const ipc_moved_t *moved, int count,
                             apr_pool_t *pool)
{
    gc_buffer_t *events = apr_pcalloc(pool, sizeof(*events) * (apr_size_t)count);
    keeper_subscriber_t *subscriber;
    int is_all_told = 1;
    int i;

    gc_lock_enter(subscribers->mutex);
    for (subscriber = subscribers->first; subscriber; subscriber = subscriber->next) {
        for (i = 0; i < count; i++) {
            if (ipc_slot_set_has(&subscriber->wanted, moved[i].slot)) {
                add_moved(subscriber, moved[i].slot, event_of(&moved[i], &events[i], pool));
            }
        }
        if (ipc_slots_wait(&subscriber->out) && !subscriber->is_waiting) {
            /* The loop, which owns the descriptors, finds the children that are gone. */
            is_all_told &= ipc_slots_send(&subscriber->out, subscriber->fd, NULL) == APR_SUCCESS;
        }
    }
    gc_lock_leave(subscribers->mutex);
    return is_all_told;
}

void keeper_subscribers_tell(keeper_subscribers_t *subscribers)
{
    keeper_subscriber_t *subscriber;
    keeper_subscriber_t *next;

    gc_lock_enter(subscribers->mutex);
    for (subscriber = subscribers->first; subscriber; subscriber = next) {
        next = subscriber->next;
        if (ipc_slots_wait(&subscriber->out) && !subscriber->is_waiting && !tell(subscriber)) {
            end(subscriber);
        }
    }
    gc_lock_leave(subscribers->mutex);
}
