/* The directives of one server, as written, merged with those of the main server. */
#ifndef CONF_SERVER_H
#define CONF_SERVER_H

#include <apr_hash.h>
#include <apr_tables.h>

#include "mod_grip_chat.h"

/** A number that no directive has set, where it has no default of its own. */
#define CONF_UNSET (-1)

/** How far GripChatMaxStreams and GripChatMaxStreamsPerClient may go. */
#define CONF_STREAMS_MAX 1000000

struct conf_site_t;

/**
 * The settings that directives make. A row in conf_directives.c names each field, with its range and
 * its default; see conf_row.h. Numbers that were not written have their default, pointers are NULL.
 */
typedef struct conf_settings_t {
    apr_uint64_t written;           /**< a bit for each row whose directive was written */
    const char *database_driver;    /**< GripChatDatabase, first argument */
    const char *database_params;    /**< its second argument; a path made absolute */
    const char *site_name;          /**< GripChatSite */
    apr_array_header_t *mounts;     /**< GripChatMount: of const char * */
    const char *env_file;           /**< GripChatEnvFile, made absolute */
    apr_hash_t *env;                /**< the pairs of that file */
    apr_array_header_t *grip_urls;  /**< GripChatGripURL: of const char *; empty for "none" */
    const char *verify_key;         /**< GripChatGripVerifyKey, a file's content if it names one */
    const char *secret_key;         /**< GripChatSecretKey, likewise */
    const char *channel_prefix;     /**< GripChatChannelPrefix */
    apr_int64_t history;            /**< GripChatHistory, messages */
    apr_int64_t list_bytes;         /**< GripChatListSize */
    apr_int64_t backlog;            /**< GripChatBacklog, events */
    apr_interval_time_t keep_alive; /**< GripChatKeepAlive */
    apr_interval_time_t link_timeout; /**< GripChatLinkTimeout */
    apr_int64_t publish_rate;         /**< GripChatPublishRate, per second, 0 for no limit */
    apr_int64_t publish_burst;        /**< its second argument */
    apr_int64_t item_bytes;           /**< GripChatItemSize */
    apr_int64_t retention_age_ms;     /**< GripChatRetention age=, 0 for all */
    apr_int64_t retention_count;      /**< GripChatRetention count=, 0 for all */
    apr_int64_t max_text_bytes;       /**< GripChatMaxText */
    apr_int64_t max_name_chars;       /**< GripChatMaxName */
    apr_int64_t streams;              /**< GripChatStreams, 0 or 1 */
    const char *socket_path;          /**< GripChatSocket, made absolute */
    apr_int64_t cache_bytes;          /**< GripChatCacheSize, 0 for no cache */
    apr_int64_t
        max_streams; /**< GripChatMaxStreams, CONF_UNSET for as many as the MPM has room for */
    apr_int64_t max_streams_per_client; /**< GripChatMaxStreamsPerClient, 0 for no limit */
} conf_settings_t;

/** A server: its configuration, and the things made from it. */
typedef struct conf_server_t {
    conf_settings_t settings;
    apr_array_header_t *sections; /**< where SetHandler names us; see conf_mounts.c */
    int stream_share; /**< streams that one child may hold: stream_capacity_work_out; of the main server */
    apr_array_header_t
        *mounts; /**< made by check_config from GripChatMount or the sections; NULL for no site */
    apr_uint32_t *told;       /**< the lines that were logged for this server; see process_once.h */
    struct conf_site_t *site; /**< made by check_config of all this; NULL for no site */
} conf_server_t;

/** httpd's create_server_config. */
void *conf_server_create(apr_pool_t *pool, server_rec *s);

/**
 * httpd's merge_server_config: a virtual host takes the settings that it does not write from the
 * main server.
 */
void *conf_server_merge(apr_pool_t *pool, void *base_conf, void *add_conf);

/** A section, or an .htaccess: its settings, and the notes of its SetHandler, the last that counts for
 *  a request. */
typedef struct conf_dir_t {
    apr_uint64_t written; /**< as of conf_settings_t */
    int has_handler;      /**< a SetHandler stands there, whatever it names */
    const char *folder;   /**< of the .htaccess in which it names us, else NULL */
#ifdef CONF_DIRECTIVES_OF_TESTS
    apr_int64_t test_number; /**< GripChatTestNumber; behind what files without it know */
#endif
} conf_dir_t;

/** httpd's create_dir_config. */
void *conf_dir_create(apr_pool_t *pool, char *path);

/** httpd's merge_dir_config. */
void *conf_dir_merge(apr_pool_t *pool, void *base_conf, void *add_conf);

/** The configuration of a server. */
conf_server_t *conf_server_get(const server_rec *s);

/** The bytes that each child's cache of rooms may take, 0 for no cache; of the main server. */
apr_size_t conf_server_cache_bytes(const server_rec *main);

/** Whether a server's event streams are held by this module where no proxy holds them. */
int conf_server_holds_streams(const server_rec *s);

/** The directives: of each that is ours the cmd_data is a conf_row_t. At most 64. */
extern const command_rec conf_directives[];

#endif
