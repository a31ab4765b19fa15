/* Looks up a host's addresses without blocking an event loop. It is for a libcurl before 7.87, which waits
 * for the resolver when a transfer is given up; a newer one does its lookups itself. */
#ifndef GRIP_LOOKUP_H
#define GRIP_LOOKUP_H

#include <apr_pools.h>
#include <apr_time.h>

/** How many addresses of a host are told. */
#define GRIP_LOOKUP_ADDRESSES_MAX 8

/** One lookup under way. It belongs to the thread that started it. */
typedef struct grip_lookup_t grip_lookup_t;

/** Whether a host has to be looked up: it is no IPv4 or IPv6 address. */
int grip_lookup_is_name(const char *host);

/**
 * Start a lookup, in a thread of its own that lasts as long as the resolver takes.
 *
 * @param out      to be given to grip_lookup_end, once; untouched on failure
 * @param host     a name, copied
 * @param timeout  after this grip_lookup_fd is readable even without an answer, in MICROSECONDS, above 0
 * @return APR_SUCCESS, APR_ENOMEM, or the system's status if it has no descriptor or thread
 */
apr_status_t grip_lookup_start(grip_lookup_t **out, const char *host, apr_interval_time_t timeout);

/** The descriptor to watch: readable once grip_lookup_end has an answer. */
int grip_lookup_fd(const grip_lookup_t *lookup);

/**
 * End a lookup, also one that is not done: its thread then ends by itself. Close the descriptor; the lookup
 * is gone.
 *
 * @param addresses  on APR_SUCCESS one or more as CURLOPT_RESOLVE takes them, with commas between
 * @param pool       owns addresses
 * @return APR_SUCCESS, APR_EHOSTUNREACH if the name is not known or cannot be looked up, or APR_TIMEUP if the
 *         resolver has not answered
 */
apr_status_t grip_lookup_end(grip_lookup_t *lookup, const char **addresses, apr_pool_t *pool);

#endif
