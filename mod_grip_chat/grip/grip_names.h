/* The addresses of the hosts that a transport posts to: those that were found lately, and the lookups under
 * way. Only for a libcurl that cannot be trusted with lookups; see grip_lookup.h. */
#ifndef GRIP_NAMES_H
#define GRIP_NAMES_H

#include "grip_transport.h"

/** How long found addresses are used, as in libcurl's own cache. */
#define GRIP_NAMES_LIFETIME apr_time_from_sec(60)

/** How many hosts are remembered; more are looked up anew each time. */
#define GRIP_NAMES_MAX 8

/** It belongs to the thread of its transport. */
typedef struct grip_names_t grip_names_t;

/** One caller that waits for a lookup. */
typedef struct grip_names_ask_t grip_names_ask_t;

/**
 * The end of a lookup, called from grip_names_ready. The ask is gone.
 *
 * @param rv     APR_SUCCESS, APR_EHOSTUNREACH or APR_TIMEUP, as of grip_lookup_end
 * @param entry  on APR_SUCCESS "host:port:addresses" as CURLOPT_RESOLVE takes it; valid during the call
 */
typedef void grip_names_found_fn(apr_status_t rv, const char *entry, void *baton);

/**
 * Make an empty one.
 *
 * @param loop  watches the lookups; copied
 * @param pool  owns it
 */
grip_names_t *grip_names_create(const grip_transport_loop_t *loop, apr_pool_t *pool);

/**
 * Ask for the addresses of a URI's host.
 *
 * @param entry    if they are known, an entry owned by pool; NULL if the host needs none, or if *ask is set
 * @param ask      if a lookup was started, good until found is called or it is given up; else NULL
 * @param uri      http or https
 * @param timeout  for the lookup, in MICROSECONDS, above 0
 * @param found    called later, once, from grip_names_ready; never from here
 * @return APR_SUCCESS, APR_EINVAL for no URI, or as grip_lookup_start
 */
apr_status_t grip_names_ask(grip_names_t *names, const char **entry, grip_names_ask_t **ask,
                            const char *uri, apr_interval_time_t timeout,
                            grip_names_found_fn *found, void *baton, apr_pool_t *pool);

/** Give up an ask: found is not called. */
void grip_names_forget(grip_names_t *names, grip_names_ask_t *ask);

/** The loop is about to end, and is not told of anything any more; asks are still to be given up. */
void grip_names_end(grip_names_t *names);

/** Whether fd is a lookup's, which then has been ended. */
int grip_names_ready(grip_names_t *names, int fd);

#endif
