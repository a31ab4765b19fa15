#include "conf_directive_limits.h"

#include <apr_lib.h>

#include "chat_retention.h"
#include "conf_argument.h"
#include "conf_row.h"

/* A hundred years, and more messages than a room will ever have. */
#define RETENTION_MAX_SECS  (APR_INT64_C(36500) * 24 * 60 * 60)
#define RETENTION_MAX_COUNT APR_INT64_C(1000000000000)

const char *conf_directive_limits_publish_rate(cmd_parms *cmd, void *unused, const char *rate,
                                               const char *burst)
{
    const conf_row_t *row = conf_row_of(cmd);
    conf_settings_t *settings = conf_row_write(cmd);
    const char *error = NULL;

    settings->publish_burst = row->fallback[1];
    if (gc_slice_equal_nocase(gc_slice_of(rate), "off") && !burst) {
        settings->publish_rate = 0;
        return NULL;
    }
    error = conf_argument_number(cmd, rate, row->min, row->max, row->fallback[0],
                                 &settings->publish_rate);
    if (!error && burst) {
        error = conf_argument_number(cmd, burst, row->min, row->max, row->fallback[1],
                                     &settings->publish_burst);
    }
    return error;
}

/* Read "30d": a whole number and its unit. */
static int read_age(gc_slice_t text, apr_int64_t *ms)
{
    static const struct {
        const char *name;
        apr_int64_t ms;
    } units[] = {
        {"s", 1000},
        {"min", 60 * 1000},
        {"h", 60 * 60 * 1000},
        {"d", 24 * 60 * 60 * 1000},
    };
    apr_size_t digits = 0;
    apr_int64_t number;
    unsigned i;

    while (digits < text.len && apr_isdigit(text.data[digits])) {
        digits++;
    }
    if (gc_slice_number(gc_slice(text.data, digits), RETENTION_MAX_SECS, &number) != APR_SUCCESS) {
        return 0;
    }
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text.data + digits, units[i].name) == 0) {
            *ms = number * units[i].ms;
            return *ms >= CHAT_RETENTION_MIN_AGE_MS && *ms <= RETENTION_MAX_SECS * 1000;
        }
    }
    return 0;
}

const char *conf_directive_limits_retention(cmd_parms *cmd, void *unused, const char *first,
                                            const char *second)
{
    conf_settings_t *settings = conf_row_write(cmd);
    const char *args[] = {first, second};
    apr_int64_t number;
    int i;

    settings->retention_age_ms = 0;
    settings->retention_count = 0;
    if (gc_slice_equal_nocase(gc_slice_of(first), "all") && !second) {
        return NULL;
    }
    for (i = 0; i < 2 && args[i]; i++) {
        if (strncmp(args[i], "age=", 4) == 0 && !settings->retention_age_ms &&
            read_age(gc_slice_of(args[i] + 4), &number))
        {
            settings->retention_age_ms = number;
        }
        else if (strncmp(args[i], "count=", 6) == 0 && !settings->retention_count &&
                 gc_slice_number(gc_slice_of(args[i] + 6), RETENTION_MAX_COUNT, &number) ==
                     APR_SUCCESS &&
                 number > 0)
        {
            settings->retention_count = number;
        }
        else {
            return apr_psprintf(cmd->pool,
                                "GripChatRetention: '%s' does not say what is kept of a room; "
                                "write All, or age= and a time from 10s (in s, min, h or d), or "
                                "count= and a number of messages, or both, for example age=90d "
                                "count=100000",
                                args[i]);
        }
    }
    return NULL;
}
