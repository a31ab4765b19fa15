/* The directive handlers. Each checks what can be judged from its own arguments; what depends on
 * other directives is checked when all are read, in conf_site.c. */
#include "conf_server.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <apr_lib.h>

#include "chat_database.h"
#include "chat_retention.h"
#include "chat_validate.h"
#include "conf_argument.h"
#include "conf_env.h"
#include "conf_mounts.h"
#include "grip_hold.h"
#include "ipc_site.h"

/* A hundred years, and what no room will ever have. */
#define RETENTION_MAX_SECS  (APR_INT64_C(36500) * 24 * 60 * 60)
#define RETENTION_MAX_COUNT APR_INT64_C(1000000000000)

#define SITE_NAME_MAX      64
#define CHANNEL_PREFIX_MAX 64

/* Less than one room's worth is no cache, and what is above was meant in another unit. */
#define CACHE_MIN_BYTES (64 * 1024)
#define CACHE_MAX_BYTES (APR_INT64_C(64) * 1024 * 1024 * 1024)

static const char *cmd_database(cmd_parms *cmd, void *unused, const char *driver,
                                const char *params)
{
    conf_server_t *conf = conf_server_get(cmd->server);
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
    conf->database_driver = driver;
    conf->database_params = params;
    return NULL;
}

static const char *cmd_site(cmd_parms *cmd, void *unused, const char *arg)
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
    conf_server_get(cmd->server)->site_name = arg;
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

static const char *cmd_mount(cmd_parms *cmd, void *unused, const char *arg)
{
    conf_server_t *conf = conf_server_get(cmd->server);
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
        return apr_psprintf(
            cmd->pool, "GripChatMount: '%s' ends in rooms/; write what stands before it, '%.*s'",
            arg, (int)len - 6, mount);
    }
    if (!conf->mounts_written) {
        conf->mounts_written = apr_array_make(cmd->pool, 1, sizeof(const char *));
    }
    APR_ARRAY_PUSH(conf->mounts_written, const char *) = mount;
    return NULL;
}

static const char *cmd_env_file(cmd_parms *cmd, void *unused, const char *arg)
{
    conf_server_t *conf = conf_server_get(cmd->server);
    const char *error = conf_argument_undefined(cmd, arg);

    if (error) {
        return error;
    }
    conf->env_file = ap_server_root_relative(cmd->pool, arg);
    if (!conf->env_file) {
        return "GripChatEnvFile: the path cannot be used; write an absolute one";
    }
    error = conf_env_read(&conf->env, conf->env_file, cmd->pool);
    return error ? apr_pstrcat(cmd->pool, "GripChatEnvFile: ", error, NULL) : NULL;
}

/* Whether a GRIP_URL is one is checked with all that belongs to it, when the site is made. */
static const char *cmd_grip_url(cmd_parms *cmd, void *unused, const char *arg)
{
    conf_server_t *conf = conf_server_get(cmd->server);
    int is_none = gc_slice_equal_nocase(gc_slice_of(arg), "none");
    const char *url = NULL;
    const char *error = conf_argument_value(cmd, arg, &url);

    if (error) {
        return error;
    }
    if (conf->grip_urls && (is_none || conf->grip_urls->nelts == 0)) {
        return "GripChatGripURL: 'none' stands beside other values; write it alone, or the URLs "
               "without it";
    }
    if (!conf->grip_urls) {
        conf->grip_urls = apr_array_make(cmd->pool, 2, sizeof(const char *));
    }
    if (!is_none) {
        APR_ARRAY_PUSH(conf->grip_urls, const char *) = url;
    }
    return NULL;
}

static const char *cmd_verify_key(cmd_parms *cmd, void *unused, const char *arg)
{
    return conf_argument_value(cmd, arg, &conf_server_get(cmd->server)->verify_key);
}

static const char *cmd_secret_key(cmd_parms *cmd, void *unused, const char *arg)
{
    return conf_argument_value(cmd, arg, &conf_server_get(cmd->server)->secret_key);
}

static const char *cmd_channel_prefix(cmd_parms *cmd, void *unused, const char *arg)
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
    conf_server_get(cmd->server)->channel_prefix = arg;
    return NULL;
}

static const char *cmd_socket(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
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
    conf_server_get(cmd->server)->socket_path = path;
    return NULL;
}

static const char *cmd_cache_size(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_int64_t bytes = 0;

    if (error) {
        return error;
    }
    if (!gc_slice_equal_nocase(gc_slice_of(arg), "off") &&
        (!conf_argument_bytes(arg, CACHE_MAX_BYTES, &bytes) ||
         (bytes > 0 && bytes < CACHE_MIN_BYTES)))
    {
        return apr_psprintf(cmd->pool,
                            "GripChatCacheSize: '%s' must be Off, or bytes from 64K to 64G, for "
                            "example 32M",
                            arg);
    }
    conf_server_get(cmd->server)->cache_bytes = bytes;
    return NULL;
}

static const char *cmd_list_size(cmd_parms *cmd, void *unused, const char *arg)
{
    apr_int64_t bytes = 0;

    if (!conf_argument_bytes(arg, CHAT_LIST_MAX_BYTES, &bytes) || bytes < CHAT_LIST_MIN_BYTES) {
        return apr_psprintf(cmd->pool,
                            "GripChatListSize: '%s' must be bytes from 1K to 64M, for example 256K",
                            arg);
    }
    conf_server_get(cmd->server)->list_bytes = (int)bytes;
    return NULL;
}

static const char *cmd_history(cmd_parms *cmd, void *unused, const char *arg)
{
    return conf_argument_number(cmd, arg, 1, CHAT_HISTORY_MAX, CHAT_HISTORY_DEFAULT,
                                &conf_server_get(cmd->server)->history);
}

static const char *cmd_backlog(cmd_parms *cmd, void *unused, const char *arg)
{
    return conf_argument_number(cmd, arg, 1, CHAT_BACKLOG_MAX, CHAT_BACKLOG_DEFAULT,
                                &conf_server_get(cmd->server)->backlog);
}

static const char *cmd_publish_rate(cmd_parms *cmd, void *unused, const char *rate,
                                    const char *burst)
{
    conf_server_t *conf = conf_server_get(cmd->server);
    const char *error = NULL;

    conf->publish_burst = IPC_SITE_PUBLISH_BURST;
    if (gc_slice_equal_nocase(gc_slice_of(rate), "off") && !burst) {
        conf->publish_rate = 0;
        return NULL;
    }
    error = conf_argument_number(cmd, rate, 1, 1000, IPC_SITE_PUBLISH_RATE, &conf->publish_rate);
    if (!error && burst) {
        error =
            conf_argument_number(cmd, burst, 1, 1000, IPC_SITE_PUBLISH_BURST, &conf->publish_burst);
    }
    return error;
}

static const char *cmd_item_size(cmd_parms *cmd, void *unused, const char *arg)
{
    return conf_argument_number(cmd, arg, IPC_SITE_ITEM_MIN_BYTES, IPC_SITE_ITEM_MAX_BYTES,
                                IPC_SITE_ITEM_DEFAULT_BYTES,
                                &conf_server_get(cmd->server)->item_bytes);
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

static const char *cmd_retention(cmd_parms *cmd, void *unused, const char *first,
                                 const char *second)
{
    conf_server_t *conf = conf_server_get(cmd->server);
    const char *args[] = {first, second};
    apr_int64_t number;
    int i;

    conf->retention_age_ms = 0;
    conf->retention_count = 0;
    if (gc_slice_equal_nocase(gc_slice_of(first), "all") && !second) {
        return NULL;
    }
    for (i = 0; i < 2 && args[i]; i++) {
        if (strncmp(args[i], "age=", 4) == 0 && !conf->retention_age_ms &&
            read_age(gc_slice_of(args[i] + 4), &number))
        {
            conf->retention_age_ms = number;
        }
        else if (strncmp(args[i], "count=", 6) == 0 && !conf->retention_count &&
                 gc_slice_number(gc_slice_of(args[i] + 6), RETENTION_MAX_COUNT, &number) ==
                     APR_SUCCESS &&
                 number > 0)
        {
            conf->retention_count = number;
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

static const char *cmd_max_text(cmd_parms *cmd, void *unused, const char *arg)
{
    return conf_argument_number(cmd, arg, 1, CHAT_TEXT_MAX_BYTES, CHAT_TEXT_DEFAULT_BYTES,
                                &conf_server_get(cmd->server)->max_text_bytes);
}

static const char *cmd_max_name(cmd_parms *cmd, void *unused, const char *arg)
{
    return conf_argument_number(cmd, arg, 1, CHAT_NAME_MAX_CHARS, CHAT_NAME_DEFAULT_CHARS,
                                &conf_server_get(cmd->server)->max_name_chars);
}

static const char *cmd_keep_alive(cmd_parms *cmd, void *unused, const char *arg)
{
    return conf_argument_timeout(cmd, arg, 20, &conf_server_get(cmd->server)->keep_alive);
}

static const char *cmd_link_timeout(cmd_parms *cmd, void *unused, const char *arg)
{
    return conf_argument_timeout(cmd, arg, 120, &conf_server_get(cmd->server)->link_timeout);
}

static const char *cmd_streams(cmd_parms *cmd, void *unused, int is_on)
{
    conf_server_get(cmd->server)->streams = is_on;
    return NULL;
}

static const char *cmd_max_streams(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    return error ? error
                 : conf_argument_number(cmd, arg, 1, CONF_STREAMS_MAX, 10000,
                                        &conf_server_get(cmd->server)->max_streams);
}

static const char *cmd_max_streams_per_client(cmd_parms *cmd, void *unused, const char *arg)
{
    conf_server_t *conf = conf_server_get(cmd->server);
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    if (!error && gc_slice_equal_nocase(gc_slice_of(arg), "off")) {
        conf->max_streams_per_client = 0;
        return NULL;
    }
    return error ? error
                 : conf_argument_number(cmd, arg, 1, CONF_STREAMS_MAX,
                                        CONF_STREAMS_PER_CLIENT_DEFAULT,
                                        &conf->max_streams_per_client);
}

/* All of our own are RSRC_CONF: keys, paths and limits are not for .htaccess files. */
const command_rec conf_directives[] = {
    AP_INIT_TAKE2("GripChatDatabase", cmd_database, NULL, RSRC_CONF,
                  "an APR DBD driver (sqlite3) and its parameters (the database file's path)"),
    AP_INIT_TAKE1("GripChatSite", cmd_site, NULL, RSRC_CONF,
                  "the site's name, where several sites share one database"),
    /* Beside httpd's own, which takes it: each module that has a directive is asked. */
    AP_INIT_TAKE1("SetHandler", conf_mounts_note, NULL, OR_FILEINFO,
                  "as of the core; noted here to know where the rooms are mounted"),
    AP_INIT_ITERATE("GripChatMount", cmd_mount, NULL, RSRC_CONF,
                    "the paths before rooms/ that the rooms of this host are mounted at"),
    AP_INIT_TAKE1("GripChatEnvFile", cmd_env_file, NULL, RSRC_CONF,
                  "a .env file with GRIP_URL, GRIP_VERIFY_KEY, GRIP_CHAT_SECRET_KEY, DATABASE_URL"),
    AP_INIT_ITERATE("GripChatGripURL", cmd_grip_url, NULL, RSRC_CONF,
                    "the GRIP_URL of each proxy, or none"),
    AP_INIT_TAKE1("GripChatGripVerifyKey", cmd_verify_key, NULL, RSRC_CONF,
                  "the key that verifies Grip-Sig, inline, as base64:… or as file:/path"),
    AP_INIT_TAKE1("GripChatSecretKey", cmd_secret_key, NULL, RSRC_CONF,
                  "the secret that signs next links, inline or as file:/path"),
    AP_INIT_TAKE1("GripChatChannelPrefix", cmd_channel_prefix, NULL, RSRC_CONF,
                  "what begins the names of the site's channels"),
    AP_INIT_TAKE1("GripChatSocket", cmd_socket, NULL, RSRC_CONF,
                  "the path of the keeper's Unix socket"),
    AP_INIT_TAKE1("GripChatCacheSize", cmd_cache_size, NULL, RSRC_CONF,
                  "how many bytes of rooms each child keeps in memory, or Off"),
    AP_INIT_TAKE1("GripChatHistory", cmd_history, NULL, RSRC_CONF,
                  "how many messages the list shows"),
    AP_INIT_TAKE1("GripChatListSize", cmd_list_size, NULL, RSRC_CONF,
                  "how many bytes the list has, unless one message has more"),
    AP_INIT_TAKE1("GripChatBacklog", cmd_backlog, NULL, RSRC_CONF,
                  "how many events a returning reader may be behind"),
    AP_INIT_TAKE1("GripChatKeepAlive", cmd_keep_alive, NULL, RSRC_CONF,
                  "the silence after which a stream has a keep-alive event"),
    AP_INIT_TAKE12("GripChatPublishRate", cmd_publish_rate, NULL, RSRC_CONF,
                   "how many publishes a second a room has in the long run (or Off), and how many "
                   "may come at once"),
    AP_INIT_TAKE1("GripChatItemSize", cmd_item_size, NULL, RSRC_CONF,
                  "how many bytes of event stream share one item of a publish"),
    AP_INIT_TAKE12("GripChatRetention", cmd_retention, NULL, RSRC_CONF,
                   "All, or how old and how many the messages of a room become (age=, count=)"),
    AP_INIT_TAKE1("GripChatMaxText", cmd_max_text, NULL, RSRC_CONF,
                  "the longest text, in bytes of UTF-8"),
    AP_INIT_TAKE1("GripChatMaxName", cmd_max_name, NULL, RSRC_CONF,
                  "the longest sender's name, in characters"),
    AP_INIT_TAKE1("GripChatLinkTimeout", cmd_link_timeout, NULL, RSRC_CONF,
                  "the silence after which a proxy asks through its next link"),
    AP_INIT_FLAG("GripChatStreams", cmd_streams, NULL, RSRC_CONF,
                 "whether the module holds the streams of readers that come without a proxy"),
    AP_INIT_TAKE1("GripChatMaxStreams", cmd_max_streams, NULL, RSRC_CONF,
                  "how many streams the server holds; readers beyond poll"),
    AP_INIT_TAKE1("GripChatMaxStreamsPerClient", cmd_max_streams_per_client, NULL, RSRC_CONF,
                  "how many of them one address has, or Off"),
    {NULL},
};
