/* The Grip-Sigs that a process has verified already. A proxy sends the same one for a while, and a
 * second verification cannot give another answer before its time is over. A cache belongs to the
 * proxies that it was made for: another site, with other keys, has another cache. */
#ifndef GRIP_SIG_CACHE_H
#define GRIP_SIG_CACHE_H

#include "grip_sig.h"

/** The longest signature that is kept, in bytes; a longer one is verified each time. */
#define GRIP_SIG_CACHE_TOKEN_MAX 768

/** How many signatures are kept. */
#define GRIP_SIG_CACHE_ENTRIES 64

typedef struct grip_sig_cache_t grip_sig_cache_t;

/** Counts of a cache's work. */
typedef struct grip_sig_cache_stats_t {
    apr_uint64_t hits;   /**< answered from memory */
    apr_uint64_t misses; /**< looked for and not found, so verified */
} grip_sig_cache_stats_t;

/**
 * Make a cache.
 *
 * @param out      untouched on failure
 * @param proxies  count proxies of a site; they and the array live as long as the cache
 * @param pool     owns it
 * @return APR_SUCCESS, or why the mutex or the seed could not be made
 */
apr_status_t grip_sig_cache_create(grip_sig_cache_t **out, const grip_proxy_t *const *proxies,
                                   apr_size_t count, apr_pool_t *pool);

/**
 * Judge a Grip-Sig header by the cache's proxies: the answer is always that of grip_sig_check at
 * the same time. Only a GRIP_SIG_VALID signature is kept, so a client without a key cannot fill
 * the cache.
 *
 * @param out           as grip_sig_check
 * @param header        as grip_sig_check; copied if it is kept
 * @param now           the time to judge by; may go back
 * @param scratch_pool  for temporaries; not used on a hit
 * @return as grip_sig_check. Thread-safe; does not log.
 */
apr_status_t grip_sig_cache_check(grip_sig_cache_t *cache, grip_sig_t *out, gc_slice_t header,
                                  apr_time_t now, apr_pool_t *scratch_pool);

/** The counts of a cache. Thread-safe. */
grip_sig_cache_stats_t grip_sig_cache_stats(grip_sig_cache_t *cache);

#endif
