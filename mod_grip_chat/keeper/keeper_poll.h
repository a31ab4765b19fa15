/* The file descriptors that the keeper's loop waits for, each with its kind.
 * Lives in the keeper: the loop has one set, each writer another; one thread waits with it. Freed
 * with its pool. */
#ifndef KEEPER_POLL_H
#define KEEPER_POLL_H

#include <apr_poll.h>

/** The kind of a file descriptor. */
typedef enum keeper_fd_kind_e {
    KEEPER_FD_NONE,
    KEEPER_FD_LISTEN,   /**< the socket that children connect to */
    KEEPER_FD_STOP,     /**< the parent's wish to end */
    KEEPER_FD_CHILD,    /**< object is a keeper_connection_t */
    KEEPER_FD_WATCH,    /**< object is a keeper_subscriber_t */
    KEEPER_FD_TRANSPORT /**< the publishing transport's */
} keeper_fd_kind_e;

/** One watched descriptor; valid until it is forgotten. */
typedef struct keeper_fd_t {
    keeper_fd_kind_e kind;
    int fd;
    void *object;
    apr_int16_t events;   /**< the events that are watched for now, 0 for none */
    apr_socket_t *socket; /**< APR's view of the number, made once */
    apr_pollfd_t poll;
} keeper_fd_t;

typedef struct keeper_poll_t keeper_poll_t;

/** Make a set that can be woken from other threads. */
apr_status_t keeper_poll_create(keeper_poll_t **out, apr_pool_t *pool);

/**
 * Watch a descriptor, or watch it for something else.
 *
 * @param events  APR_POLLIN, APR_POLLOUT, both, or 0 to forget it before it is closed
 */
apr_status_t keeper_poll_watch(keeper_poll_t *set, keeper_fd_kind_e kind, int fd, void *object,
                               apr_int16_t events);

/**
 * Wait until something is ready.
 *
 * @param timeout  in MICROSECONDS, negative for as long as it takes
 * @param ready    count descriptors; client_data is the keeper_fd_t
 * @return APR_SUCCESS, also when woken or nothing came in time (count 0), or why waiting is impossible
 */
apr_status_t keeper_poll_wait(keeper_poll_t *set, apr_interval_time_t timeout,
                              const apr_pollfd_t **ready, apr_int32_t *count);

/** The next descriptor of a kind that is watched after this one, NULL for none; begin with NULL. The one
 *  before may have been forgotten meanwhile. */
keeper_fd_t *keeper_poll_next(const keeper_poll_t *set, keeper_fd_kind_e kind,
                              const keeper_fd_t *after);

/** End a wait, from any thread. */
void keeper_poll_wake(keeper_poll_t *set);

#endif
