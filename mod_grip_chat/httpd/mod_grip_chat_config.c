#include "mod_grip_chat_config.h"

void *grip_chat_conf_create(apr_pool_t *pool, server_rec *s)
{
    grip_chat_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    conf->database_driver = NULL;
    conf->database_params = NULL;
    conf->site_name = NULL;
    conf->mounts_written = NULL;
    conf->sections = NULL;
    conf->env_file = NULL;
    conf->env = NULL;
    conf->grip_urls = NULL;
    conf->verify_key = NULL;
    conf->secret_key = NULL;
    conf->channel_prefix = NULL;
    conf->socket_path = NULL;
    conf->cache_bytes = GRIP_CHAT_UNSET;
    conf->history = GRIP_CHAT_UNSET;
    conf->list_bytes = GRIP_CHAT_UNSET;
    conf->backlog = GRIP_CHAT_UNSET;
    conf->keep_alive = GRIP_CHAT_UNSET;
    conf->publish_rate = GRIP_CHAT_UNSET;
    conf->publish_burst = GRIP_CHAT_UNSET;
    conf->item_bytes = GRIP_CHAT_UNSET;
    conf->retention_age_ms = GRIP_CHAT_UNSET;
    conf->retention_count = GRIP_CHAT_UNSET;
    conf->max_text_bytes = GRIP_CHAT_UNSET;
    conf->max_name_chars = GRIP_CHAT_UNSET;
    conf->link_timeout = GRIP_CHAT_UNSET;
    conf->streams = GRIP_CHAT_UNSET;
    conf->max_streams = GRIP_CHAT_UNSET;
    conf->max_streams_per_client = GRIP_CHAT_UNSET;
    conf->stream_share = 0;
    conf->mounts = NULL;
    conf->told = NULL;
    conf->site = NULL;
    return conf;
}

#define MERGE_POINTER(member) conf->member = add->member ? add->member : base->member
#define MERGE_NUMBER(member)                                                                       \
    conf->member = add->member != GRIP_CHAT_UNSET ? add->member : base->member

void *grip_chat_conf_merge(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    grip_chat_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));
    const grip_chat_conf_t *base = base_conf;
    const grip_chat_conf_t *add = add_conf;

    MERGE_POINTER(database_driver);
    MERGE_POINTER(database_params);
    MERGE_POINTER(site_name);
    MERGE_POINTER(mounts_written);
    conf->sections = base->sections && add->sections
                         ? apr_array_append(pool, base->sections, add->sections)
                     : add->sections ? add->sections
                                     : base->sections;
    MERGE_POINTER(env_file);
    MERGE_POINTER(env);
    MERGE_POINTER(grip_urls);
    MERGE_POINTER(verify_key);
    MERGE_POINTER(secret_key);
    MERGE_POINTER(channel_prefix);
    MERGE_POINTER(socket_path);
    MERGE_NUMBER(cache_bytes);
    MERGE_NUMBER(history);
    MERGE_NUMBER(list_bytes);
    MERGE_NUMBER(backlog);
    MERGE_NUMBER(keep_alive);
    MERGE_NUMBER(publish_rate);
    MERGE_NUMBER(publish_burst);
    MERGE_NUMBER(item_bytes);
    MERGE_NUMBER(retention_age_ms);
    MERGE_NUMBER(retention_count);
    MERGE_NUMBER(max_text_bytes);
    MERGE_NUMBER(max_name_chars);
    MERGE_NUMBER(link_timeout);
    MERGE_NUMBER(streams);
    MERGE_NUMBER(max_streams);
    MERGE_NUMBER(max_streams_per_client);
    conf->stream_share = 0;
    /* check_config decides, when all servers are merged */
    conf->mounts = NULL;
    conf->told = NULL;
    conf->site = NULL;
    return conf;
}

void *grip_chat_dir_conf_create(apr_pool_t *pool, char *path)
{
    return apr_pcalloc(pool, sizeof(grip_chat_dir_conf_t));
}

void *grip_chat_dir_conf_merge(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    const grip_chat_dir_conf_t *add = add_conf;

    return add->has_handler ? add_conf : base_conf;
}

grip_chat_conf_t *grip_chat_conf_get(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &grip_chat_module);
}

apr_size_t grip_chat_conf_cache_bytes(const server_rec *main)
{
    apr_int64_t bytes = grip_chat_conf_get(main)->cache_bytes;

    if (bytes == GRIP_CHAT_UNSET) {
        return GRIP_CHAT_CACHE_DEFAULT_BYTES;
    }
    return (apr_uint64_t)bytes < APR_SIZE_MAX ? (apr_size_t)bytes : APR_SIZE_MAX;
}

int grip_chat_conf_holds_streams(const server_rec *s)
{
    return grip_chat_conf_get(s)->streams != 0;
}
