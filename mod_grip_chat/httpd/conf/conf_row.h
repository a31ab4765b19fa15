/* A row of the table of directives, and the work that rows do. They read an argument into a field,
 * begin a configuration, merge it with another and compare it with another. So a directive with a
 * plain argument is a row in conf_directives.c and a field in conf_server.h, and nothing else.
 *
 * Rows are constant. The parent makes configurations, before it forks; the thread of a request
 * merges those of sections again. */
#ifndef CONF_ROW_H
#define CONF_ROW_H

#include "conf_server.h"

/** Where a directive may stand; none may in an .htaccess. */
typedef enum conf_scope_e {
    CONF_SCOPE_MAIN,    /**< in the main server alone */
    CONF_SCOPE_SITE,    /**< in a virtual host too; the hosts of one site have to agree in it */
    CONF_SCOPE_HOST,    /**< in a virtual host too; the hosts of one site may differ in it */
    CONF_SCOPE_LOCATION /**< in a section too, such as a Location; its field is one of conf_dir_t */
} conf_scope_e;

/** The type of a field. */
typedef enum conf_field_e {
    CONF_FIELD_NUMBERS, /**< one or two apr_int64_t; 0 or 1 for a flag, microseconds for a time */
    CONF_FIELD_TEXT,    /**< const char *, NULL where nothing was written */
    CONF_FIELD_TEXTS,   /**< apr_array_header_t * of const char *, likewise */
    CONF_FIELD_OTHER    /**< other pointers, likewise; for scopes that are not compared */
} conf_field_e;

/** The module's part of a row; httpd's has the name, the form of the arguments, the text. */
typedef struct conf_row_t {
    conf_scope_e scope;
    conf_field_e field;
    apr_size_t offset;       /**< of the field in conf_settings_t, or in conf_dir_t */
    apr_size_t size;         /**< of the field, or of several that one directive sets */
    apr_int64_t fallback[2]; /**< of CONF_FIELD_NUMBERS: the default */
    apr_int64_t example;     /**< a value that a refusal shows */
    apr_int64_t min;         /**< the least that is taken, in the field's unit */
    apr_int64_t max;         /**< the most */
    int may_be_off;          /**< "Off" is taken for 0 */
} conf_row_t;

/* Handlers, of httpd's form: each reads the one argument of a row into its field. They answer NULL,
 * or a sentence for httpd, owned by cmd->pool. */

/** Read a whole number. */
const char *conf_row_number(cmd_parms *cmd, void *dir_conf, const char *arg);

/** Read a number of bytes, which may have K, M or G behind it. */
const char *conf_row_bytes(cmd_parms *cmd, void *dir_conf, const char *arg);

/** Read a time, in seconds unless it has a unit. */
const char *conf_row_time(cmd_parms *cmd, void *dir_conf, const char *arg);

/** Read On or Off. */
const char *conf_row_flag(cmd_parms *cmd, void *dir_conf, int is_on);

/** Read a text, or the content of the file that "file:…" names. */
const char *conf_row_value(cmd_parms *cmd, void *dir_conf, const char *arg);

/** The row of a directive that is being read. */
const conf_row_t *conf_row_of(const cmd_parms *cmd);

/**
 * Refuse a directive that stands in a virtual host and is of the main server alone.
 *
 * @return NULL, or a sentence for httpd
 */
const char *conf_row_misplaced(cmd_parms *cmd);

/**
 * Note that a directive is written, and find where: a handler of its own begins by it.
 *
 * @return the settings of its server
 */
conf_settings_t *conf_row_write(const cmd_parms *cmd);

/** Give each number its default; all else is zero already. */
void conf_row_begin_settings(conf_settings_t *settings);

/** The same of the configuration of a section. */
void conf_row_begin_dir(conf_dir_t *dir);

/** Put the written fields of other settings over these. */
void conf_row_merge_settings(conf_settings_t *settings, const conf_settings_t *over);

/** The same of the configuration of a section. */
void conf_row_merge_dir(conf_dir_t *dir, const conf_dir_t *over);

/**
 * Compare the fields in which hosts of one site have to agree.
 *
 * @return the first directive in which they differ, NULL where they agree
 */
const char *conf_row_difference(const conf_settings_t *a, const conf_settings_t *b);

#endif
