/* The held connections of a loop, from when it took them over to when it gives them up: what each
 * waits for, when it is due, and how it ends. Belongs to the loop's thread. */
#ifndef MOD_GRIP_CHAT_CROWD_H
#define MOD_GRIP_CHAT_CROWD_H

#include "mod_grip_chat_queue.h"

/** Sites may have keep-alive intervals of their own; beyond so many they share the last one's. */
#define GRIP_CHAT_CROWD_QUEUES 16

/** What a crowd needs of the loop that it is in. */
typedef struct grip_chat_crowd_hooks_t {
    /** Write what a connection lacks that has been full and is not any more. */
    void (*more)(grip_chat_held_t *held, void *baton);
    /** Take a connection that is to be ended out of its room. */
    void (*left)(grip_chat_held_t *held, void *baton);
    /** Give up a connection: its request is to be ended, or it is to be freed; see mod_grip_chat_ender. */
    void (*give_up)(grip_chat_held_t *held, void *baton);
    void *baton;
} grip_chat_crowd_hooks_t;

/** A crowd. */
typedef struct grip_chat_crowd_t {
    server_rec *main;
    int epoll_fd;
    grip_chat_crowd_hooks_t hooks;
    grip_chat_queue_t idle[GRIP_CHAT_CROWD_QUEUES]; /**< until their keep-alive */
    int idle_count;
    grip_chat_queue_t busy;       /**< until their worker has let go, and then to be ended */
    grip_chat_queue_t lingering;  /**< until their peer has closed its side */
    int count;                    /**< of those that are not ended */
    int loops;                    /**< that there may be, of which each has its part of readers */
    apr_uint32_t retry_spread_ms; /**< how far apart those that are ended come back */
    gc_moment_t drain_due;        /**< when the next are to be ended, 0 while none is */
    int is_hurried;               /**< nobody is waited for */
    apr_uint64_t dice;
} grip_chat_crowd_t;

/**
 * Make an empty crowd.
 *
 * @param epoll_fd  gets the connections' descriptors, with a grip_chat_held_t each
 * @param loops     that there may be of all children, at least 1
 */
void grip_chat_crowd_init(grip_chat_crowd_t *crowd, server_rec *main, int epoll_fd, int loops,
                          const grip_chat_crowd_hooks_t *hooks);

/** Take over a parked connection. @return 0 if it will be ended at once */
int grip_chat_crowd_take(grip_chat_crowd_t *crowd, grip_chat_held_t *held, apr_thread_t *thread,
                         gc_moment_t now);

/**
 * Something was written: its keep-alive is due so much later, or more is to be written when there is room
 * for it, or the peer is gone.
 *
 * @param before  the state that it was in
 */
void grip_chat_crowd_settle(grip_chat_crowd_t *crowd, grip_chat_held_t *held,
                            grip_chat_held_state_e before, gc_moment_t now);

/** Have a connection ended as soon as its worker has let go of it. */
void grip_chat_crowd_dismiss(grip_chat_crowd_t *crowd, grip_chat_held_t *held, gc_moment_t now);

/** Something has happened at a connection, which may be destroyed by this. */
void grip_chat_crowd_serve(grip_chat_crowd_t *crowd, grip_chat_held_t *held, unsigned events,
                           gc_moment_t now);

/** Send the keep-alives that are due. */
void grip_chat_crowd_keep_alive(grip_chat_crowd_t *crowd, gc_moment_t now);

/** A connection's request is ended: its peer has time to close its side. */
void grip_chat_crowd_linger(grip_chat_crowd_t *crowd, grip_chat_held_t *held, gc_moment_t now);

/** Give up what is due for it. */
void grip_chat_crowd_end_due(grip_chat_crowd_t *crowd, gc_moment_t now);

/** Have some of the streams ended if it is time for that, or all. Call it again as grip_chat_crowd_next
 *  says. */
void grip_chat_crowd_drain(grip_chat_crowd_t *crowd, int is_hurried, gc_moment_t now);

/** When something is due next, 0 for never. */
gc_moment_t grip_chat_crowd_next(const grip_chat_crowd_t *crowd);

#endif
