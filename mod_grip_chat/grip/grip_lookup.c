#include "grip_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>

/* Two owners: its starter and its thread. The last one frees it. It is not of a pool, for the
 * thread may outlive every pool. */
struct grip_lookup_t {
    pthread_mutex_t mutex;      /* of the next fields, except host */
    int is_done;                /* the thread has ended */
    int is_abandoned;           /* no caller waits any more: the descriptor is closed */
    int fd;                     /* a timer, which the thread lets run out when it is done */
    struct addrinfo *addresses; /* of the resolver; NULL until it is done, or if there are none */
    char host[];
};

int grip_lookup_is_name(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) != 1 && inet_pton(AF_INET6, host, &address) != 1;
}

static void free_lookup(grip_lookup_t *lookup)
{
    if (lookup->addresses) {
        freeaddrinfo(lookup->addresses);
    }
    /* No thread holds it, for both owners have gone. */
    (void)pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

/* Make the descriptor readable after so many microseconds. */
static int set_timer(int fd, apr_interval_time_t after)
{
    struct itimerspec when = {{0, 0}, {apr_time_sec(after), (long)apr_time_usec(after) * 1000}};

    return timerfd_settime(fd, 0, &when, NULL);
}

static void *look_up(void *data)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    grip_lookup_t *lookup = data;
    struct addrinfo *found = NULL;
    int is_abandoned;

    if (getaddrinfo(lookup->host, NULL, &hints, &found) != 0) {
        found = NULL;
    }
    (void)pthread_mutex_lock(&lookup->mutex);
    lookup->addresses = found;
    lookup->is_done = 1;
    is_abandoned = lookup->is_abandoned;
    if (!is_abandoned) {
        /* If it fails, the caller that waits has the timeout. */
        (void)set_timer(lookup->fd, 1);
    }
    (void)pthread_mutex_unlock(&lookup->mutex);
    if (is_abandoned) {
        free_lookup(lookup);
    }
    return NULL;
}

/* Signals are for the thread that has the loop. */
static int start_thread(grip_lookup_t *lookup)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);

    if (error) {
        return error;
    }
    (void)sigfillset(&all);
    error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (!error) {
        error = pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    if (!error) {
        error = pthread_create(&thread, &attributes, look_up, lookup);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    return error;
}

apr_status_t grip_lookup_start(grip_lookup_t **out, const char *host, apr_interval_time_t timeout)
{
    size_t len = strlen(host) + 1;
    grip_lookup_t *lookup = calloc(1, sizeof(*lookup) + len);
    int error;

    if (!lookup) {
        return APR_ENOMEM;
    }
    memcpy(lookup->host, host, len);
    /* With default attributes it cannot fail. */
    (void)pthread_mutex_init(&lookup->mutex, NULL);
    lookup->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (lookup->fd < 0 || set_timer(lookup->fd, timeout) != 0) {
        error = APR_FROM_OS_ERROR(errno);
    }
    else {
        error = start_thread(lookup);
    }
    if (error) {
        if (lookup->fd >= 0) {
            close(lookup->fd);
        }
        free_lookup(lookup);
        return error;
    }
    *out = lookup;
    return APR_SUCCESS;
}

int grip_lookup_fd(const grip_lookup_t *lookup)
{
    return lookup->fd;
}

/* Without a scope, which libcurl would not take. */
static const char *print_address(char *text, socklen_t size, const struct addrinfo *found)
{
    const struct sockaddr *address = found->ai_addr;

    if (address->sa_family == AF_INET6) {
        return inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                         text, size);
    }
    return inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text,
                     size);
}

static const char *print(const struct addrinfo *found, apr_pool_t *pool)
{
    const char *list = NULL;
    int count;

    for (count = 0; found && count < GRIP_LOOKUP_ADDRESSES_MAX; found = found->ai_next, count++) {
        char text[INET6_ADDRSTRLEN];
        int is_long = found->ai_addr->sa_family == AF_INET6;

        if (print_address(text, sizeof(text), found)) {
            list = apr_pstrcat(pool, list ? list : "", list ? "," : "", is_long ? "[" : "", text,
                               is_long ? "]" : "", NULL);
        }
    }
    return list;
}

apr_status_t grip_lookup_end(grip_lookup_t *lookup, const char **addresses, apr_pool_t *pool)
{
    apr_status_t rv = APR_TIMEUP;
    int is_done;

    (void)pthread_mutex_lock(&lookup->mutex);
    is_done = lookup->is_done;
    lookup->is_abandoned = 1;
    (void)pthread_mutex_unlock(&lookup->mutex);
    close(lookup->fd);
    if (is_done) {
        const char *list = print(lookup->addresses, pool);

        rv = list ? APR_SUCCESS : APR_EHOSTUNREACH;
        if (list) {
            *addresses = list;
        }
        free_lookup(lookup);
    }
    return rv;
}
