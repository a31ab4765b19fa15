/* How long a publisher waits after a failure: longer each time, or as the proxy says. A limit
 * (status 429) is waited out more patiently than anything else, because a try may count against it.
 * Lives in the keeper, in the loop's thread, as a part of a publisher. */
#ifndef PUBLISH_BACKOFF_H
#define PUBLISH_BACKOFF_H

#include "grip_transport.h"

/** Pauses after a failure: the first, doubled up to the last. */
#define PUBLISH_BACKOFF_MIN apr_time_from_msec(100)
#define PUBLISH_BACKOFF_MAX apr_time_from_sec(5)

/**
 * The same after a limit is reached. No wait for a limit's end is longer than the second one
 * either: the clock may be wrong, or the limit raised.
 */
#define PUBLISH_BACKOFF_LIMIT_MIN apr_time_from_sec(1)
#define PUBLISH_BACKOFF_LIMIT_MAX apr_time_from_sec(60)

/**
 * The longest pause that a proxy gets, even if it asks for more: an answer that was meant for a
 * moment must not silence it for an hour.
 */
#define PUBLISH_BACKOFF_ASKED_MAX apr_time_from_sec(60)

typedef struct publish_backoff_t {
    apr_interval_time_t
        pause; /**< after the next failure, in MICROSECONDS, if the proxy asks for none */
} publish_backoff_t;

/** Begin anew, after a success. */
void publish_backoff_reset(publish_backoff_t *backoff);

/** Whether a POST was refused because of a limit, even if the rest of its answer was lost. */
int publish_backoff_is_limit(const grip_transport_result_t *result);

/** Whether a POST was refused for its items, and not because of us or the moment: most of 4xx. */
int publish_backoff_is_refusal(const grip_transport_result_t *result);

/**
 * Tell how long to wait after a failure. Retry-After is obeyed where it is longer than the pause that would
 * be made anyway; so is the end of a limit; both up to PUBLISH_BACKOFF_ASKED_MAX.
 *
 * @param jitter  any byte: moves a pause of ours by up to a quarter, so that many keepers do not come at once
 * @return MICROSECONDS
 */
apr_interval_time_t publish_backoff_next(publish_backoff_t *backoff,
                                         const grip_transport_result_t *result,
                                         unsigned char jitter);

#endif
