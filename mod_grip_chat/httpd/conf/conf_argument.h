/* Forms of arguments that several directives share. Each function reads one, and returns NULL, or
 * a sentence for httpd that names the directive and says what to write, owned by cmd->pool. */
#ifndef CONF_ARGUMENT_H
#define CONF_ARGUMENT_H

#include "mod_grip_chat.h"

/** Refuse an argument with an undefined ${VAR}, which httpd leaves as it is, with no more than a warning. */
const char *conf_argument_undefined(cmd_parms *cmd, const char *arg);

/**
 * Read a value, or the content of the file that "file:…" names.
 *
 * @param out  the value, owned by cmd->pool; undefined on failure
 */
const char *conf_argument_value(cmd_parms *cmd, const char *arg, const char **out);

/**
 * Read a whole number from min to max.
 * @param example  the value in the sentence
 * @param out      the number; untouched on failure
 */
const char *conf_argument_number(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max,
                                 apr_int64_t example, apr_int64_t *out);

/**
 * Read a number of bytes, which may have K, M or G behind it for 1024 of the one before.
 *
 * @param max  the largest that is taken
 * @param out  untouched on failure
 * @return whether it is one
 */
int conf_argument_bytes(const char *arg, apr_int64_t max, apr_int64_t *out);

/** Write a number of bytes as an argument, in the largest unit that it is a multiple of; owned by pool. */
const char *conf_argument_of_bytes(apr_int64_t bytes, apr_pool_t *pool);

/**
 * Read a time from min to max, in seconds unless it has a unit.
 *
 * @param example  the value in the sentence; like the bounds whole seconds, in microseconds
 * @param out      the time; untouched on failure
 */
const char *conf_argument_time(cmd_parms *cmd, const char *arg, apr_interval_time_t min,
                               apr_interval_time_t max, apr_interval_time_t example,
                               apr_interval_time_t *out);

#endif
