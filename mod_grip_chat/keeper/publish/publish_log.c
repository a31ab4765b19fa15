#include "publish_log.h"

#include "publish_backoff.h"

void publish_log_failure(publish_log_t *trouble, const grip_transport_result_t *result,
                         apr_interval_time_t pause)
{
    if (publish_backoff_is_limit(result)) {
        if (!trouble->is_limit_logged) {
            trouble->is_limit_logged = 1;
            gc_log_line(
                trouble->log, GC_LOG_WARNING, result->rv,
                "GC0305: %s takes no more publishes for now (HTTP status %d) %s; trying again "
                "in %.1f s; then its readers are told to ask for events that they miss",
                trouble->proxy, result->http_status, result->excerpt,
                (double)pause / APR_USEC_PER_SEC);
        }
        return;
    }
    if (!trouble->is_failure_logged) {
        trouble->is_failure_logged = 1;
        gc_log_line(
            trouble->log, GC_LOG_WARNING, result->rv,
            "GC0301: publishing to %s failed (HTTP status %d) %s%s; trying again in %.1f s; "
            "then its readers are told to ask for events that they miss",
            trouble->proxy, result->http_status, result->error, result->excerpt,
            (double)pause / APR_USEC_PER_SEC);
    }
    if (!trouble->is_pause_logged && apr_time_from_sec(result->retry_after_secs) > pause) {
        trouble->is_pause_logged = 1;
        gc_log_line(trouble->log, GC_LOG_WARNING, APR_SUCCESS,
                    "GC0306: %s asks for a pause of %" APR_INT64_T_FMT
                    " s (HTTP status %d); trying "
                    "again in %.1f s all the same",
                    trouble->proxy, result->retry_after_secs, result->http_status,
                    (double)pause / APR_USEC_PER_SEC);
    }
}

void publish_log_end(publish_log_t *trouble)
{
    publish_log_forget(trouble);
    gc_log_line(trouble->log, GC_LOG_NOTICE, APR_SUCCESS, "GC0302: %s takes publishes again",
                trouble->proxy);
}

void publish_log_forget(publish_log_t *trouble)
{
    trouble->is_failure_logged = 0;
    trouble->is_limit_logged = 0;
    trouble->is_pause_logged = 0;
}

void publish_log_forgotten(publish_log_t *trouble, unsigned count, gc_moment_t now)
{
    trouble->forgotten += count;
    if (trouble->forgotten_logged && now - trouble->forgotten_logged < PUBLISH_LOG_REFUSED_PERIOD) {
        return;
    }
    gc_log_line(
        trouble->log, GC_LOG_WARNING, APR_SUCCESS,
        "GC0307: more rooms wait for %s than are remembered; readers of %u of them find out "
        "at the next message, or after GripChatLinkTimeout",
        trouble->proxy, trouble->forgotten);
    trouble->forgotten_logged = now;
    trouble->forgotten = 0;
}

void publish_log_refused(publish_log_t *trouble, const char *channel,
                         const grip_transport_result_t *result, gc_moment_t now)
{
    trouble->refused++;
    if (trouble->refused_logged && now - trouble->refused_logged < PUBLISH_LOG_REFUSED_PERIOD) {
        return;
    }
    gc_log_line(
        trouble->log, GC_LOG_ERR, APR_SUCCESS,
        "GC0304: %s refuses an item of channel %s (HTTP status %d) %s; its readers are told "
        "to ask for it (%u refused since the last such line)",
        trouble->proxy, channel, result->http_status, result->excerpt, trouble->refused);
    trouble->refused_logged = now;
    trouble->refused = 0;
}
