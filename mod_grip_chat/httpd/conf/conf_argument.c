#include "conf_argument.h"

#include "conf_env.h"
#include "grip_crypto.h"

const char *conf_argument_undefined(cmd_parms *cmd, const char *arg)
{
    if (strstr(arg, "${")) {
        return apr_psprintf(cmd->pool,
                            "%s: '${…}' names a variable that is not defined; Define it "
                            "first, or set it in httpd's environment",
                            cmd->cmd->name);
    }
    return NULL;
}

const char *conf_argument_value(cmd_parms *cmd, const char *arg, const char **out)
{
    const char *error = conf_argument_undefined(cmd, arg);
    const char *path;
    char reason[120];
    apr_status_t rv;

    if (error) {
        return error;
    }
    if (strncmp(arg, "file:", 5) != 0) {
        *out = arg;
        return *arg ? NULL
                    : apr_psprintf(cmd->pool, "%s: '' is empty; write the key, or file:/path/to/it",
                                   cmd->cmd->name);
    }
    path = ap_server_root_relative(cmd->pool, arg + 5);
    rv = path ? conf_env_read_text(out, path, GRIP_CRYPTO_KEY_MAX_BYTES, cmd->pool) : APR_EBADPATH;
    if (rv != APR_SUCCESS) {
        return apr_psprintf(cmd->pool,
                            "%s: cannot read the file of '%s': %s; write file: and the "
                            "path of a file that holds nothing but the key",
                            cmd->cmd->name, arg, apr_strerror(rv, reason, sizeof(reason)));
    }
    if (!**out) {
        return apr_psprintf(cmd->pool, "%s: the file of '%s' is empty; put the key into it",
                            cmd->cmd->name, arg);
    }
    return NULL;
}

const char *conf_argument_number(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max,
                                 apr_int64_t example, apr_int64_t *out)
{
    apr_int64_t value;

    if (gc_slice_number(gc_slice_of(arg), max, &value) != APR_SUCCESS || value < min) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' must be a whole number from %" APR_INT64_T_FMT
                            " to %" APR_INT64_T_FMT ", for example %" APR_INT64_T_FMT,
                            cmd->cmd->name, arg, min, max, example);
    }
    *out = value;
    return NULL;
}

int conf_argument_bytes(const char *arg, apr_int64_t max, apr_int64_t *out)
{
    static const char *const units[] = {"k", "m", "g"};
    gc_slice_t digits = gc_slice_of(arg);
    apr_int64_t factor = 1;
    apr_int64_t value;
    unsigned i;

    for (i = 0; i < 3 && factor == 1 && digits.len > 0; i++) {
        if (gc_slice_equal_nocase(gc_slice(digits.data + digits.len - 1, 1), units[i])) {
            factor = APR_INT64_C(1) << (10 * (i + 1));
            digits.len--;
        }
    }
    if (gc_slice_number(digits, max / factor, &value) != APR_SUCCESS) {
        return 0;
    }
    *out = value * factor;
    return 1;
}

const char *conf_argument_of_bytes(apr_int64_t bytes, apr_pool_t *pool)
{
    static const char *const units[] = {"", "K", "M", "G"};
    unsigned i = 0;

    while (i < 3 && bytes > 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        i++;
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "%s", bytes, units[i]);
}

/* A bound of a time: in hours, or in seconds where it is none. */
static const char *of_time(apr_interval_time_t time, apr_pool_t *pool)
{
    apr_int64_t secs = apr_time_sec(time);

    return secs % 3600 == 0 ? apr_psprintf(pool, "%" APR_INT64_T_FMT "h", secs / 3600)
                            : apr_psprintf(pool, "%" APR_INT64_T_FMT "s", secs);
}

const char *conf_argument_time(cmd_parms *cmd, const char *arg, apr_interval_time_t min,
                               apr_interval_time_t max, apr_interval_time_t example,
                               apr_interval_time_t *out)
{
    apr_interval_time_t value;

    if (ap_timeout_parameter_parse(arg, &value, "s") != APR_SUCCESS || value < min || value > max) {
        return apr_psprintf(
            cmd->pool, "%s: '%s' must be a time from %s to %s, for example %" APR_INT64_T_FMT "s",
            cmd->cmd->name, arg, of_time(min, cmd->temp_pool), of_time(max, cmd->temp_pool),
            (apr_int64_t)apr_time_sec(example));
    }
    *out = value;
    return NULL;
}
