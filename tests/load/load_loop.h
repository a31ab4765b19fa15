/* One thread's wait for sockets and timers. */
#ifndef LOAD_LOOP_H
#define LOAD_LOOP_H

#include <stddef.h>
#include <stdint.h>

/** The struct that a member lies in. */
#define LOAD_OWNER(pointer, type, member)                                                          \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** A descriptor with what to do when it is ready. Lies in its owner, and is never freed. */
typedef struct load_source_t load_source_t;
struct load_source_t {
    int fd; /**< -1 while there is none */
    void (*ready)(load_source_t *source, uint32_t events);
};

/** A moment with what to do then. Lies in its owner. */
typedef struct load_timer_t load_timer_t;
struct load_timer_t {
    uint64_t at; /**< of load_now() */
    int place;   /**< in the heap, from 1 on; 0: not set */
    void (*fire)(load_timer_t *timer);
};

/** The loop. */
typedef struct load_loop_t {
    int epoll;
    load_timer_t **heap; /**< the earliest at 1 */
    int count;
    int room;
} load_loop_t;

/** Make a loop. @return 0, or -1 with errno */
int load_loop_init(load_loop_t *loop);

/** Watch source->fd for epoll's events, or for others than so far. @return 0, or -1 with errno */
int load_loop_watch(load_loop_t *loop, load_source_t *source, uint32_t events, int is_new);

/** Close the source's descriptor, which ends the watch; one that has none is left alone. */
void load_loop_close(load_source_t *source);

/** Set a timer, or set it anew. */
void load_loop_set(load_loop_t *loop, load_timer_t *timer, uint64_t at);

/** Have a timer not fire; one that is not set is left alone. */
void load_loop_unset(load_loop_t *loop, load_timer_t *timer);

/** Do what is due and what is ready, after a wait for it. @return 0, or -1 with errno */
int load_loop_turn(load_loop_t *loop);

#endif
