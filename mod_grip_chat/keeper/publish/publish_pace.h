/* A pace: so many at once after a pause, and in the long run one an interval. It is a token bucket,
 * in the form of the generic cell rate algorithm (ITU-T I.371).
 * Lives in the keeper, in the loop's thread. Two numbers of their owner's. */
#ifndef PUBLISH_PACE_H
#define PUBLISH_PACE_H

#include "gc_clock.h"

/** When the next one may go. `until` is ahead of now by as much as the sender is ahead of the pace.
 * Pure.
 *
 *  @param interval  in MICROSECONDS; with 0 there is no pace
 *  @param burst     how many may go at once, from 1 */
static inline gc_moment_t publish_pace_due(gc_moment_t until, apr_interval_time_t interval,
                                           int burst)
{
    return interval ? until - interval * (burst - 1) : 0;
}

/** One goes now. @return the new `until`. Pure. */
static inline gc_moment_t publish_pace_spend(gc_moment_t until, apr_interval_time_t interval,
                                             gc_moment_t now)
{
    return (until > now ? until : now) + interval;
}

#endif
