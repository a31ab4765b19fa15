#include "publish_backoff.h"

void publish_backoff_reset(publish_backoff_t *backoff)
{
    backoff->pause = PUBLISH_BACKOFF_MIN;
}

int publish_backoff_is_limit(const grip_transport_result_t *result)
{
    return result->http_status == 429;
}

int publish_backoff_is_refusal(const grip_transport_result_t *result)
{
    return result->outcome == GRIP_TRANSPORT_ANSWERED && result->http_status >= 400 &&
           result->http_status < 500 && result->http_status != 401 && result->http_status != 403 &&
           result->http_status != 404 && result->http_status != 408 && result->http_status != 429;
}

static apr_interval_time_t within(apr_interval_time_t pause, apr_interval_time_t min,
                                  apr_interval_time_t max)
{
    return pause < min ? min : pause > max ? max : pause;
}

apr_interval_time_t publish_backoff_next(publish_backoff_t *backoff,
                                         const grip_transport_result_t *result,
                                         unsigned char jitter)
{
    int is_limit = publish_backoff_is_limit(result);
    apr_interval_time_t min = is_limit ? PUBLISH_BACKOFF_LIMIT_MIN : PUBLISH_BACKOFF_MIN;
    apr_interval_time_t max = is_limit ? PUBLISH_BACKOFF_LIMIT_MAX : PUBLISH_BACKOFF_MAX;
    apr_interval_time_t pause = within(backoff->pause, min, max);
    apr_interval_time_t retry_after = apr_time_from_sec(result->retry_after_secs);
    apr_interval_time_t ends = is_limit ? apr_time_from_sec(result->limit_ends_secs) : -1;

    if (retry_after <= 0 && ends >= max) {
        /* One of several waits for the same end, no further failure. */
        return max;
    }
    backoff->pause = within(pause * 2, min, max);
    if (retry_after > pause) {
        return retry_after < PUBLISH_BACKOFF_ASKED_MAX ? retry_after : PUBLISH_BACKOFF_ASKED_MAX;
    }
    if (retry_after <= 0 && ends > pause) {
        return ends;
    }
    return pause + (pause / 2) * jitter / 255 - pause / 4;
}
