/* The directives of one server, as written, with what was merged from the main server. */
#ifndef CONF_SERVER_H
#define CONF_SERVER_H

#include <apr_hash.h>
#include <apr_tables.h>

#include "mod_grip_chat.h"

/** A number that no directive has set. */
#define CONF_UNSET (-1)

/** Bytes of each child's cache of rooms, unless configured (GripChatCacheSize). */
#define CONF_CACHE_DEFAULT_BYTES (32 * 1024 * 1024)

/** How far GripChatMaxStreams and GripChatMaxStreamsPerClient may go. */
#define CONF_STREAMS_MAX 1000000

/** Streams of one client address, unless configured (GripChatMaxStreamsPerClient). */
#define CONF_STREAMS_PER_CLIENT_DEFAULT 100

struct conf_site_t;

/** What was configured; NULL or CONF_UNSET where it was not. */
typedef struct conf_server_t {
    const char *database_driver; /**< GripChatDatabase, first argument */
    const char *database_params; /**< GripChatDatabase, second argument; a path made absolute */
    const char *site_name;       /**< GripChatSite */
    apr_array_header_t *mounts_written; /**< GripChatMount: of const char * */
    apr_array_header_t *sections;       /**< where SetHandler names us; see conf_mounts.c */
    const char *env_file;               /**< GripChatEnvFile, made absolute */
    apr_hash_t *env;                    /**< what stands in that file */
    apr_array_header_t *grip_urls;      /**< GripChatGripURL: of const char *; empty for "none" */
    const char *verify_key;         /**< GripChatGripVerifyKey, a file's content if it names one */
    const char *secret_key;         /**< GripChatSecretKey, likewise */
    const char *channel_prefix;     /**< GripChatChannelPrefix */
    const char *socket_path;        /**< GripChatSocket, made absolute; of the main server */
    apr_int64_t cache_bytes;        /**< GripChatCacheSize, 0 for no cache; of the main server */
    int history;                    /**< GripChatHistory, messages */
    int list_bytes;                 /**< GripChatListSize */
    int backlog;                    /**< GripChatBacklog, events */
    apr_interval_time_t keep_alive; /**< GripChatKeepAlive */
    int publish_rate;               /**< GripChatPublishRate, per second, 0 for no limit */
    int publish_burst;              /**< GripChatPublishRate, second argument */
    int item_bytes;                 /**< GripChatItemSize */
    apr_int64_t retention_age_ms;   /**< GripChatRetention age=, 0 for all */
    apr_int64_t retention_count;    /**< GripChatRetention count=, 0 for all */
    int max_text_bytes;             /**< GripChatMaxText */
    int max_name_chars;             /**< GripChatMaxName */
    apr_interval_time_t link_timeout; /**< GripChatLinkTimeout */
    int streams;                      /**< GripChatStreams, 0 or 1 */
    int max_streams;                  /**< GripChatMaxStreams; of the main server */
    int max_streams_per_client; /**< GripChatMaxStreamsPerClient, 0 for no limit; of the main server */
    int stream_share; /**< how many of them one child may hold: stream_capacity_work_out; of the main server */
    apr_array_header_t
        *mounts;        /**< what check_config made of GripChatMount or found; NULL for no site */
    apr_uint32_t *told; /**< what was logged for this server; see process_once.h */
    struct conf_site_t *site; /**< what check_config made of all this; NULL for no site */
} conf_server_t;

/** httpd's create_server_config. */
void *conf_server_create(apr_pool_t *pool, server_rec *s);

/** httpd's merge_server_config: a virtual host takes from the main server what it does not say. */
void *conf_server_merge(apr_pool_t *pool, void *base_conf, void *add_conf);

/** What the SetHandler of a section, the last that counts for a request, has noted. */
typedef struct conf_dir_t {
    int has_handler;    /**< a SetHandler stands there, whatever it names */
    const char *folder; /**< of the .htaccess in which it names us, else NULL */
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

/** The directives. */
extern const command_rec conf_directives[];

#endif
