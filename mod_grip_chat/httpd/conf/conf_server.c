#include "conf_server.h"

void *conf_server_create(apr_pool_t *pool, server_rec *s)
{
    conf_server_t *conf = apr_pcalloc(pool, sizeof(*conf));

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
    conf->cache_bytes = CONF_UNSET;
    conf->history = CONF_UNSET;
    conf->list_bytes = CONF_UNSET;
    conf->backlog = CONF_UNSET;
    conf->keep_alive = CONF_UNSET;
    conf->publish_rate = CONF_UNSET;
    conf->publish_burst = CONF_UNSET;
    conf->item_bytes = CONF_UNSET;
    conf->retention_age_ms = CONF_UNSET;
    conf->retention_count = CONF_UNSET;
    conf->max_text_bytes = CONF_UNSET;
    conf->max_name_chars = CONF_UNSET;
    conf->link_timeout = CONF_UNSET;
    conf->streams = CONF_UNSET;
    conf->max_streams = CONF_UNSET;
    conf->max_streams_per_client = CONF_UNSET;
    conf->stream_share = 0;
    conf->mounts = NULL;
    conf->told = NULL;
    conf->site = NULL;
    return conf;
}

#define MERGE_POINTER(member) conf->member = add->member ? add->member : base->member
#define MERGE_NUMBER(member)  conf->member = add->member != CONF_UNSET ? add->member : base->member

void *conf_server_merge(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    conf_server_t *conf = apr_pcalloc(pool, sizeof(*conf));
    const conf_server_t *base = base_conf;
    const conf_server_t *add = add_conf;

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

void *conf_dir_create(apr_pool_t *pool, char *path)
{
    return apr_pcalloc(pool, sizeof(conf_dir_t));
}

void *conf_dir_merge(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    const conf_dir_t *add = add_conf;

    return add->has_handler ? add_conf : base_conf;
}

conf_server_t *conf_server_get(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &grip_chat_module);
}

apr_size_t conf_server_cache_bytes(const server_rec *main)
{
    apr_int64_t bytes = conf_server_get(main)->cache_bytes;

    if (bytes == CONF_UNSET) {
        return CONF_CACHE_DEFAULT_BYTES;
    }
    return (apr_uint64_t)bytes < APR_SIZE_MAX ? (apr_size_t)bytes : APR_SIZE_MAX;
}

int conf_server_holds_streams(const server_rec *s)
{
    return conf_server_get(s)->streams != 0;
}
