#include "conf_directive_site.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <apr_lib.h>

#include "chat_database.h"
#include "conf_argument.h"
#include "conf_env.h"
#include "conf_row.h"
#include "grip_hold.h"

#define SITE_NAME_MAX      64
#define CHANNEL_PREFIX_MAX 64

const char *conf_directive_site_database(cmd_parms *cmd, void *unused, const char *driver,
                                         const char *params)
{
    conf_settings_t *settings = conf_row_write(cmd);
    const char *error = conf_argument_undefined(cmd, params);
    const chat_sql_dialect_t *dialect = chat_sql_dialect(driver);

    if (error) {
        return error;
    }
    if (!dialect) {
        return apr_psprintf(cmd->pool,
                            "GripChatDatabase: '%s' is not a driver that mod_grip_chat "
                            "speaks; write sqlite3 and the path of the database file",
                            driver);
    }
    if (dialect->is_file) {
        if (!*params || *params == ':' || strncmp(params, "file:", 5) == 0) {
            return apr_psprintf(cmd->pool,
                                "GripChatDatabase: '%s' is not a file's path; write for "
                                "example sqlite3 /var/lib/grip-chat/example.db",
                                params);
        }
        params = ap_server_root_relative(cmd->pool, params);
        if (!params) {
            return "GripChatDatabase: the path cannot be used; write an absolute one";
        }
    }
    settings->database_driver = driver;
    settings->database_params = params;
    return NULL;
}

const char *conf_directive_site_name(cmd_parms *cmd, void *unused, const char *arg)
{
    apr_size_t len = strlen(arg);

    if (len == 0 || len > SITE_NAME_MAX ||
        strspn(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != len)
    {
        return apr_psprintf(cmd->pool,
                            "GripChatSite: '%s' is not a site's name; write 1 to %d "
                            "letters, digits, dots, dashes or underscores",
                            arg, SITE_NAME_MAX);
    }
    conf_row_write(cmd)->site_name = arg;
    return NULL;
}

/* Whether a request's path may be like that when it is compared: decoded and normalised. */
static int is_compared_like_that(const char *path, apr_pool_t *pool)
{
    char *normal = apr_pstrdup(pool, path);
    const char *at;

    for (at = path; (at = strchr(at, '%')); at++) {
        if (apr_isxdigit(at[1]) && apr_isxdigit(at[2])) {
            return 0;
        }
    }
    return *path == '/' &&
           ap_normalize_path(normal, AP_NORMALIZE_NOT_ABOVE_ROOT | AP_NORMALIZE_MERGE_SLASHES) &&
           strcmp(normal, path) == 0;
}

const char *conf_directive_site_mount(cmd_parms *cmd, void *unused, const char *arg)
{
    conf_settings_t *settings = conf_row_write(cmd);
    const char *error = conf_argument_undefined(cmd, arg);
    apr_size_t len = strlen(arg);
    const char *mount;

    if (error) {
        return error;
    }
    if (!is_compared_like_that(arg, cmd->temp_pool)) {
        return apr_psprintf(cmd->pool,
                            "GripChatMount: '%s' is not a path that rooms can be mounted at; write "
                            "it from its first slash on and not percent-encoded, for example "
                            "/chat/",
                            arg);
    }
    mount = apr_pstrcat(cmd->pool, arg, arg[len - 1] == '/' ? NULL : "/", NULL);
    len = strlen(mount);
    if (len >= 7 && strcmp(mount + len - 7, "/rooms/") == 0) {
        return apr_psprintf(cmd->pool,
                            "GripChatMount: '%s' ends in rooms/; write the part before it, '%.*s'",
                            arg, (int)len - 6, mount);
    }
    if (!settings->mounts) {
        settings->mounts = apr_array_make(cmd->pool, 1, sizeof(const char *));
    }
    APR_ARRAY_PUSH(settings->mounts, const char *) = mount;
    return NULL;
}

const char *conf_directive_site_env_file(cmd_parms *cmd, void *unused, const char *arg)
{
    conf_settings_t *settings = conf_row_write(cmd);
    const char *error = conf_argument_undefined(cmd, arg);

    if (error) {
        return error;
    }
    settings->env_file = ap_server_root_relative(cmd->pool, arg);
    if (!settings->env_file) {
        return "GripChatEnvFile: the path cannot be used; write an absolute one";
    }
    error = conf_env_read(&settings->env, settings->env_file, cmd->pool);
    return error ? apr_pstrcat(cmd->pool, "GripChatEnvFile: ", error, NULL) : NULL;
}

/* Whether a GRIP_URL is one is checked with all that belongs to it, when the site is made. */
const char *conf_directive_site_grip_url(cmd_parms *cmd, void *unused, const char *arg)
{
    conf_settings_t *settings = conf_row_write(cmd);
    int is_none = gc_slice_equal_nocase(gc_slice_of(arg), "none");
    const char *url = NULL;
    const char *error = conf_argument_value(cmd, arg, &url);

    if (error) {
        return error;
    }
    if (settings->grip_urls && (is_none || settings->grip_urls->nelts == 0)) {
        return "GripChatGripURL: 'none' stands beside other values; write it alone, or the URLs "
               "without it";
    }
    if (!settings->grip_urls) {
        settings->grip_urls = apr_array_make(cmd->pool, 2, sizeof(const char *));
    }
    if (!is_none) {
        APR_ARRAY_PUSH(settings->grip_urls, const char *) = url;
    }
    return NULL;
}

const char *conf_directive_site_channel_prefix(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = conf_argument_undefined(cmd, arg);
    const char *name;

    if (error) {
        return error;
    }
    if (strlen(arg) > CHANNEL_PREFIX_MAX ||
        grip_hold_channel_name(&name, gc_slice_of(arg), gc_slice_of("events"), cmd->temp_pool) !=
            APR_SUCCESS)
    {
        return apr_psprintf(cmd->pool,
                            "GripChatChannelPrefix: '%s' cannot begin a channel's name; "
                            "write up to %d letters, digits, dots, dashes or underscores",
                            arg, CHANNEL_PREFIX_MAX);
    }
    conf_row_write(cmd)->channel_prefix = arg;
    return NULL;
}

const char *conf_directive_site_socket(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = conf_row_misplaced(cmd);
    struct sockaddr_un address;
    const char *path;

    if (!error) {
        error = conf_argument_undefined(cmd, arg);
    }
    if (error) {
        return error;
    }
    path = ap_runtime_dir_relative(cmd->pool, arg);
    if (!path || strlen(path) >= sizeof(address.sun_path)) {
        return apr_psprintf(cmd->pool,
                            "GripChatSocket: '%s' is too long for a Unix socket; write a "
                            "path of at most %d bytes",
                            arg, (int)sizeof(address.sun_path) - 1);
    }
    conf_row_write(cmd)->socket_path = path;
    return NULL;
}
