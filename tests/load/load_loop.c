#include "load_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load_clock.h"

/* Few at a time: posts and timers must not wait for hundreds of readers with full buffers. */
#define READY_MAX   64
#define WAIT_MAX_MS 100

int load_loop_init(load_loop_t *loop)
{
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->heap = NULL;
    loop->count = 0;
    loop->room = 0;
    return loop->epoll < 0 ? -1 : 0;
}

int load_loop_watch(load_loop_t *loop, load_source_t *source, uint32_t events, int is_new)
{
    struct epoll_event event = {0};

    event.events = events;
    event.data.ptr = source;
    return epoll_ctl(loop->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, source->fd, &event);
}

void load_loop_close(load_source_t *source)
{
    if (source->fd >= 0) {
        close(source->fd);
        source->fd = -1;
    }
}

static void put(load_loop_t *loop, load_timer_t *timer, int place)
{
    loop->heap[place] = timer;
    timer->place = place;
}

static void rise(load_loop_t *loop, load_timer_t *timer, int place)
{
    while (place > 1 && loop->heap[place / 2]->at > timer->at) {
        put(loop, loop->heap[place / 2], place);
        place /= 2;
    }
    put(loop, timer, place);
}

static void sink(load_loop_t *loop, load_timer_t *timer, int place)
{
    int child;

    while ((child = place * 2) <= loop->count) {
        if (child < loop->count && loop->heap[child + 1]->at < loop->heap[child]->at) {
            child++;
        }
        if (loop->heap[child]->at >= timer->at) {
            break;
        }
        put(loop, loop->heap[child], place);
        place = child;
    }
    put(loop, timer, place);
}

void load_loop_set(load_loop_t *loop, load_timer_t *timer, uint64_t at)
{
    load_loop_unset(loop, timer);
    if (loop->count + 2 > loop->room) {
        int room = loop->room * 2 + 64;
        load_timer_t **heap = realloc(loop->heap, (size_t)room * sizeof(*heap));

        if (!heap) {
            abort();
        }
        loop->heap = heap;
        loop->room = room;
    }
    timer->at = at;
    loop->count++;
    rise(loop, timer, loop->count);
}

void load_loop_unset(load_loop_t *loop, load_timer_t *timer)
{
    int place = timer->place;
    load_timer_t *last;

    if (!place) {
        return;
    }
    timer->place = 0;
    last = loop->heap[loop->count--];
    if (last != timer) {
        rise(loop, last, place);
        sink(loop, last, last->place);
    }
}

static void fire_due(load_loop_t *loop)
{
    uint64_t now = load_now();

    while (loop->count && loop->heap[1]->at <= now) {
        load_timer_t *timer = loop->heap[1];

        load_loop_unset(loop, timer);
        timer->fire(timer);
    }
}

/* Rounded up, or the last millisecond before a timer would be spent spinning. */
static int wait_ms(const load_loop_t *loop)
{
    uint64_t now = load_now();
    uint64_t wait;

    if (!loop->count) {
        return WAIT_MAX_MS;
    }
    if (loop->heap[1]->at <= now) {
        return 0;
    }
    wait = (loop->heap[1]->at - now + LOAD_MS - 1) / LOAD_MS;
    return wait < WAIT_MAX_MS ? (int)wait : WAIT_MAX_MS;
}

int load_loop_turn(load_loop_t *loop)
{
    struct epoll_event ready[READY_MAX];
    int count = epoll_wait(loop->epoll, ready, READY_MAX, wait_ms(loop));
    int i;

    if (count < 0) {
        return errno == EINTR ? 0 : -1;
    }
    for (i = 0; i < count; i++) {
        load_source_t *source = ready[i].data.ptr;

        /* An earlier one of this round may have closed it. */
        if (source->fd >= 0) {
            source->ready(source, ready[i].events);
        }
    }
    fire_due(loop);
    return 0;
}
