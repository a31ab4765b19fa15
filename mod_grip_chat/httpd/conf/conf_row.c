#include "conf_row.h"

#include "conf_argument.h"
#include "gc_slice.h"

/* A field of a configuration that begins with the bits of its rows. */
static void *field_at(void *block, const conf_row_t *row)
{
    return (char *)block + row->offset;
}

static const void *const_field_at(const void *block, const conf_row_t *row)
{
    return (const char *)block + row->offset;
}

/* The bit of a row. */
static apr_uint64_t bit_of(const command_rec *directive)
{
    return APR_UINT64_C(1) << (directive - conf_directives);
}

/* The row of a directive, NULL for one that is not of the module. */
static const conf_row_t *row_of(const command_rec *directive)
{
    return directive->cmd_data;
}

const conf_row_t *conf_row_of(const cmd_parms *cmd)
{
    return row_of(cmd->cmd);
}

const char *conf_row_misplaced(cmd_parms *cmd)
{
    return conf_row_of(cmd)->scope == CONF_SCOPE_MAIN ? ap_check_cmd_context(cmd, GLOBAL_ONLY)
                                                      : NULL;
}

conf_settings_t *conf_row_write(const cmd_parms *cmd)
{
    conf_settings_t *settings = &conf_server_get(cmd->server)->settings;

    settings->written |= bit_of(cmd->cmd);
    return settings;
}

/* The field that a directive is written into. */
static void *write_field(const cmd_parms *cmd, void *dir_conf)
{
    const conf_row_t *row = conf_row_of(cmd);

    if (row->scope == CONF_SCOPE_LOCATION) {
        conf_dir_t *dir = dir_conf;

        dir->written |= bit_of(cmd->cmd);
        return field_at(dir, row);
    }
    return field_at(conf_row_write(cmd), row);
}

static const char *write_number(const cmd_parms *cmd, void *dir_conf, apr_int64_t number)
{
    *(apr_int64_t *)write_field(cmd, dir_conf) = number;
    return NULL;
}

static int is_off(const conf_row_t *row, const char *arg)
{
    return row->may_be_off && gc_slice_equal_nocase(gc_slice_of(arg), "off");
}

const char *conf_row_number(cmd_parms *cmd, void *dir_conf, const char *arg)
{
    const conf_row_t *row = conf_row_of(cmd);
    const char *error = conf_row_misplaced(cmd);
    apr_int64_t number = 0;

    if (!error && !is_off(row, arg)) {
        error = conf_argument_number(cmd, arg, row->min, row->max, row->example, &number);
    }
    return error ? error : write_number(cmd, dir_conf, number);
}

const char *conf_row_bytes(cmd_parms *cmd, void *dir_conf, const char *arg)
{
    const conf_row_t *row = conf_row_of(cmd);
    const char *error = conf_row_misplaced(cmd);
    apr_int64_t bytes = 0;

    if (error) {
        return error;
    }
    if (!is_off(row, arg) && (!conf_argument_bytes(arg, row->max, &bytes) ||
                              (bytes < row->min && !(row->may_be_off && bytes == 0))))
    {
        return apr_psprintf(cmd->pool, "%s: '%s' must be %sbytes from %s to %s, for example %s",
                            cmd->cmd->name, arg, row->may_be_off ? "Off, or " : "",
                            conf_argument_of_bytes(row->min, cmd->temp_pool),
                            conf_argument_of_bytes(row->max, cmd->temp_pool),
                            conf_argument_of_bytes(row->example, cmd->temp_pool));
    }
    return write_number(cmd, dir_conf, bytes);
}

const char *conf_row_time(cmd_parms *cmd, void *dir_conf, const char *arg)
{
    const conf_row_t *row = conf_row_of(cmd);
    const char *error = conf_row_misplaced(cmd);
    apr_interval_time_t time = 0;

    if (!error) {
        error = conf_argument_time(cmd, arg, row->min, row->max, row->example, &time);
    }
    return error ? error : write_number(cmd, dir_conf, time);
}

const char *conf_row_flag(cmd_parms *cmd, void *dir_conf, int is_on)
{
    const char *error = conf_row_misplaced(cmd);

    return error ? error : write_number(cmd, dir_conf, is_on != 0);
}

const char *conf_row_value(cmd_parms *cmd, void *dir_conf, const char *arg)
{
    const char *error = conf_row_misplaced(cmd);

    return error ? error : conf_argument_value(cmd, arg, (const char **)write_field(cmd, dir_conf));
}

static void begin(void *block, int is_dir)
{
    const command_rec *directive;

    for (directive = conf_directives; directive->name; directive++) {
        const conf_row_t *row = row_of(directive);

        if (row && (row->scope == CONF_SCOPE_LOCATION) == is_dir &&
            row->field == CONF_FIELD_NUMBERS) {
            memcpy(field_at(block, row), row->fallback, row->size);
        }
    }
}

void conf_row_begin_settings(conf_settings_t *settings)
{
    begin(settings, 0);
}

void conf_row_begin_dir(conf_dir_t *dir)
{
    begin(dir, 1);
}

static void merge(void *block, const void *over, apr_uint64_t written)
{
    const command_rec *directive;

    for (directive = conf_directives; directive->name; directive++) {
        const conf_row_t *row = row_of(directive);

        if (written & bit_of(directive)) {
            memcpy(field_at(block, row), const_field_at(over, row), row->size);
        }
    }
}

void conf_row_merge_settings(conf_settings_t *settings, const conf_settings_t *over)
{
    merge(settings, over, over->written);
    settings->written |= over->written;
}

void conf_row_merge_dir(conf_dir_t *dir, const conf_dir_t *over)
{
    merge(dir, over, over->written);
    dir->written |= over->written;
}

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int same_texts(const apr_array_header_t *a, const apr_array_header_t *b)
{
    int i;

    if (!a || !b || a->nelts != b->nelts) {
        return a == b;
    }
    for (i = 0; i < a->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(a, i, const char *), APR_ARRAY_IDX(b, i, const char *)) != 0) {
            return 0;
        }
    }
    return 1;
}

static int is_same(const conf_row_t *row, const void *a, const void *b)
{
    switch (row->field) {
    case CONF_FIELD_TEXT:
        return same_text(*(const char *const *)a, *(const char *const *)b);
    case CONF_FIELD_TEXTS:
        return same_texts(*(const apr_array_header_t *const *)a,
                          *(const apr_array_header_t *const *)b);
    default:
        return memcmp(a, b, row->size) == 0;
    }
}

const char *conf_row_difference(const conf_settings_t *a, const conf_settings_t *b)
{
    const command_rec *directive;

    for (directive = conf_directives; directive->name; directive++) {
        const conf_row_t *row = row_of(directive);

        if (row && row->scope == CONF_SCOPE_SITE &&
            !is_same(row, const_field_at(a, row), const_field_at(b, row)))
        {
            return directive->name;
        }
    }
    return NULL;
}
