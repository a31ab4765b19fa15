/* The table of directives: a row each, which says all of its directive: the command of httpd, the
 * field, the range, the default, the places where it may stand. The lint
 * check_directives_documented.sh compares the manual and the sample configuration with it.
 *
 * A number, a time, a flag or a text needs a row, and a field of its name in conf_settings_t, and no
 * more. Another form needs a handler, in a file conf_directive_*.c. */
#include "conf_row.h"

#include <stddef.h>

#include "chat_types.h"
#include "conf_directive_limits.h"
#include "conf_directive_site.h"
#include "conf_mounts.h"
#include "grip_hold.h"
#include "ipc_site.h"

/* Where httpd takes a directive: keys, paths and limits are not for .htaccess files. */
#define WHERE_MAIN     RSRC_CONF
#define WHERE_SITE     RSRC_CONF
#define WHERE_HOST     RSRC_CONF
#define WHERE_LOCATION (RSRC_CONF | ACCESS_CONF)

/* The struct that the fields of a scope are in. */
#define BLOCK_MAIN     conf_settings_t
#define BLOCK_SITE     conf_settings_t
#define BLOCK_HOST     conf_settings_t
#define BLOCK_LOCATION conf_dir_t

#define SIZE_OF(type, member) sizeof(((type *)0)->member)

/* The cmd_data of a directive that sets the fields from the first to the last. */
#define FIELDS(scope_, field_, first, last, ...)                                                   \
    ((void *)&(const conf_row_t){.scope = CONF_SCOPE_##scope_,                                     \
                                 .field = CONF_FIELD_##field_,                                     \
                                 .offset = offsetof(BLOCK_##scope_, first),                        \
                                 .size = offsetof(BLOCK_##scope_, last) +                          \
                                         SIZE_OF(BLOCK_##scope_, last) -                           \
                                         offsetof(BLOCK_##scope_, first),                          \
                                 __VA_ARGS__})

/* The same of one number. */
#define ONE(scope, member, min_, max_, fallback_, example_, off)                                   \
    FIELDS(scope, NUMBERS, member, member, .min = (min_), .max = (max_), .fallback = {fallback_},  \
           .example = (example_), .may_be_off = (off))

/* A number; one for which Off is 0; one that has an example, but no default. */
#define NUMBER(name, scope, member, min, max, fallback, text)                                      \
    AP_INIT_TAKE1(name, conf_row_number, ONE(scope, member, min, max, fallback, fallback, 0),      \
                  WHERE_##scope, text)
#define NUMBER_OR_OFF(name, scope, member, min, max, fallback, text)                               \
    AP_INIT_TAKE1(name, conf_row_number, ONE(scope, member, min, max, fallback, fallback, 1),      \
                  WHERE_##scope, text)
#define NUMBER_OR_NONE(name, scope, member, min, max, example, text)                               \
    AP_INIT_TAKE1(name, conf_row_number, ONE(scope, member, min, max, CONF_UNSET, example, 0),     \
                  WHERE_##scope, text)

/* A number of bytes, with units; one for which Off is 0. */
#define BYTES(name, scope, member, min, max, fallback, text)                                       \
    AP_INIT_TAKE1(name, conf_row_bytes, ONE(scope, member, min, max, fallback, fallback, 0),       \
                  WHERE_##scope, text)
#define BYTES_OR_OFF(name, scope, member, min, max, fallback, text)                                \
    AP_INIT_TAKE1(name, conf_row_bytes, ONE(scope, member, min, max, fallback, fallback, 1),       \
                  WHERE_##scope, text)

/* A time. */
#define TIME(name, scope, member, min, max, fallback, text)                                        \
    AP_INIT_TAKE1(name, conf_row_time, ONE(scope, member, min, max, fallback, fallback, 0),        \
                  WHERE_##scope, text)

/* On or Off. */
#define FLAG(name, scope, member, fallback, text)                                                  \
    AP_INIT_FLAG(name, conf_row_flag, ONE(scope, member, 0, 1, fallback, fallback, 0),             \
                 WHERE_##scope, text)

/* A text, or the file that has it. */
#define VALUE(name, scope, member, text)                                                           \
    AP_INIT_TAKE1(name, conf_row_value, FIELDS(scope, TEXT, member, member), WHERE_##scope, text)

/* A directive with a handler of its own: its arguments as httpd names them, the handler, the text,
 * the fields from the first to the last. */
#define CUSTOM(name, scope, arguments, handler, text, field, first, ...)                           \
    AP_INIT_##arguments(name, conf_directive_##handler, FIELDS(scope, field, first, __VA_ARGS__),  \
                        WHERE_##scope, text)

const command_rec conf_directives[] = {
    CUSTOM("GripChatDatabase", HOST, TAKE2, site_database,
           "an APR DBD driver (sqlite3) and its parameters (the database file's path)", TEXT,
           database_driver, database_params),
    CUSTOM("GripChatSite", HOST, TAKE1, site_name,
           "the site's name, where several sites share one database", TEXT, site_name, site_name),
    /* No row: a directive of httpd's, which calls every module that has it. */
    AP_INIT_TAKE1("SetHandler", conf_mounts_note, NULL, OR_FILEINFO,
                  "as of the core; noted here to know where the rooms are mounted"),
    CUSTOM("GripChatMount", HOST, ITERATE, site_mount,
           "the paths before rooms/ that the rooms of this host are mounted at", TEXTS, mounts,
           mounts),
    CUSTOM("GripChatEnvFile", HOST, TAKE1, site_env_file,
           "a .env file with GRIP_URL, GRIP_VERIFY_KEY, GRIP_CHAT_SECRET_KEY, DATABASE_URL", OTHER,
           env_file, env),
    CUSTOM("GripChatGripURL", SITE, ITERATE, site_grip_url, "the GRIP_URL of each proxy, or none",
           TEXTS, grip_urls, grip_urls),
    VALUE("GripChatGripVerifyKey", SITE, verify_key,
          "the key that verifies Grip-Sig, inline, as base64:… or as file:/path"),
    VALUE("GripChatSecretKey", SITE, secret_key,
          "the secret that signs next links, inline or as file:/path"),
    CUSTOM("GripChatChannelPrefix", SITE, TAKE1, site_channel_prefix,
           "the prefix of the names of the site's channels", TEXT, channel_prefix, channel_prefix),
    NUMBER("GripChatHistory", SITE, history, 1, CHAT_HISTORY_MAX, 50,
           "how many messages the list shows"),
    BYTES("GripChatListSize", SITE, list_bytes, CHAT_LIST_MIN_BYTES, CHAT_LIST_MAX_BYTES,
          256 * 1024, "how many bytes the list has, unless one message has more"),
    NUMBER("GripChatBacklog", SITE, backlog, 1, 10000000, 100000,
           "how many events a returning reader may be behind"),
    TIME("GripChatKeepAlive", SITE, keep_alive, GRIP_HOLD_TIMEOUT_MIN, GRIP_HOLD_TIMEOUT_MAX,
         apr_time_from_sec(20), "the silence after which a stream has a keep-alive event"),
    TIME("GripChatLinkTimeout", SITE, link_timeout, GRIP_HOLD_TIMEOUT_MIN, GRIP_HOLD_TIMEOUT_MAX,
         apr_time_from_sec(120), "the silence after which a proxy asks through its next link"),
    /* By default Pushpin delivers 2,500 items a second to all readers of all rooms, and loses items
     * beyond that. */
    CUSTOM("GripChatPublishRate", SITE, TAKE12, limits_publish_rate,
           "how many publishes a second a room has in the long run (or Off), and how many "
           "may come at once",
           NUMBERS, publish_rate, publish_burst, .min = 1, .max = 1000, .fallback = {4, 4}),
    NUMBER("GripChatItemSize", SITE, item_bytes, IPC_SITE_ITEM_MIN_BYTES, IPC_SITE_ITEM_MAX_BYTES,
           64 * 1024, "how many bytes of event stream share one item of a publish"),
    CUSTOM("GripChatRetention", SITE, TAKE12, limits_retention,
           "All, or how old and how many the messages of a room become (age=, count=)", NUMBERS,
           retention_age_ms, retention_count),
    NUMBER("GripChatMaxText", SITE, max_text_bytes, 1, CHAT_TEXT_MAX_BYTES, 64 * 1024,
           "the longest text, in bytes of UTF-8"),
    NUMBER("GripChatMaxName", SITE, max_name_chars, 1, CHAT_NAME_MAX_CHARS, 64,
           "the longest sender's name, in characters"),
    FLAG("GripChatStreams", HOST, streams, 1,
         "whether the module holds the streams of readers that come without a proxy"),
    CUSTOM("GripChatSocket", MAIN, TAKE1, site_socket, "the path of the keeper's Unix socket", TEXT,
           socket_path, socket_path),
    /* Less than one room's worth is no cache, and more was meant in another unit. */
    BYTES_OR_OFF("GripChatCacheSize", MAIN, cache_bytes, 64 * 1024,
                 APR_INT64_C(64) * 1024 * 1024 * 1024, 32 * 1024 * 1024,
                 "how many bytes of rooms each child keeps in memory, or Off"),
    NUMBER_OR_NONE("GripChatMaxStreams", MAIN, max_streams, 1, CONF_STREAMS_MAX, 10000,
                   "how many streams the server holds; readers beyond poll"),
    NUMBER_OR_OFF("GripChatMaxStreamsPerClient", MAIN, max_streams_per_client, 1, CONF_STREAMS_MAX,
                  100, "how many of them one address has, or Off"),
#ifdef CONF_DIRECTIVES_OF_TESTS
    NUMBER("GripChatTestNumber", LOCATION, test_number, 1, 1000, 7, "a number of a section"),
#endif
    {NULL},
};

/* Each row has a bit. */
_Static_assert(sizeof(conf_directives) / sizeof(conf_directives[0]) <= 64, "too many directives");
