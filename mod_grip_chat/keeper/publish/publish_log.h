/* The log lines of one proxy that does not take publishes: each kind of trouble once, until it is
 * over.
 * Lives in the keeper, in the loop's thread, as a part of a publisher. */
#ifndef PUBLISH_LOG_H
#define PUBLISH_LOG_H

#include "gc_clock.h"
#include "gc_log.h"
#include "grip_transport.h"

/** How often it is logged that items are refused: a proxy that refuses everything does so many times a
 *  second. */
#define PUBLISH_LOG_REFUSED_PERIOD apr_time_from_sec(60)

/** Zeros but for the first two. */
typedef struct publish_log_t {
    const gc_log_t *log;
    const char *proxy; /**< its name, as it may be logged */
    int is_failure_logged;
    int is_pause_logged;
    int is_limit_logged;
    unsigned refused;           /**< items, since that was logged */
    gc_moment_t refused_logged; /**< 0 for never */
    unsigned forgotten;         /**< rooms, since that was logged */
    gc_moment_t forgotten_logged;
} publish_log_t;

/** A POST failed; its rooms will get hints. A pause that the proxy asks for is logged too.
 *
 *  @param pause  until the next try, in MICROSECONDS */
void publish_log_failure(publish_log_t *trouble, const grip_transport_result_t *result,
                         apr_interval_time_t pause);

/** After failures the proxy takes publishes again. */
void publish_log_end(publish_log_t *trouble);

/** As publish_log_end, for a proxy that answers but has taken nothing: logs nothing. */
void publish_log_forget(publish_log_t *trouble);

/** Rooms, count of them, are no longer known to wait for anything: there are too many. */
void publish_log_forgotten(publish_log_t *trouble, unsigned count, gc_moment_t now);

/** An item of a channel was refused for itself. */
void publish_log_refused(publish_log_t *trouble, const char *channel,
                         const grip_transport_result_t *result, gc_moment_t now);

#endif
