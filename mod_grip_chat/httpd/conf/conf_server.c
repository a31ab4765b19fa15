#include "conf_server.h"

#include <apr_strings.h>

#include "conf_row.h"

void *conf_server_create(apr_pool_t *pool, server_rec *s)
{
    conf_server_t *conf = apr_pcalloc(pool, sizeof(*conf));

    conf_row_begin_settings(&conf->settings);
    return conf;
}

/* check_config fills in the rest when all servers are merged. */
void *conf_server_merge(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    conf_server_t *conf = apr_pcalloc(pool, sizeof(*conf));
    const conf_server_t *base = base_conf;
    const conf_server_t *add = add_conf;

    conf->settings = base->settings;
    conf_row_merge_settings(&conf->settings, &add->settings);
    conf->sections = base->sections && add->sections
                         ? apr_array_append(pool, base->sections, add->sections)
                     : add->sections ? add->sections
                                     : base->sections;
    return conf;
}

void *conf_dir_create(apr_pool_t *pool, char *path)
{
    conf_dir_t *dir = apr_pcalloc(pool, sizeof(*dir));

    conf_row_begin_dir(dir);
    return dir;
}

/* Most sections have nothing of ours but a handler; then no request makes a new configuration. */
void *conf_dir_merge(apr_pool_t *pool, void *base_conf, void *add_conf)
{
    const conf_dir_t *base = base_conf;
    const conf_dir_t *add = add_conf;
    const conf_dir_t *handler = add->has_handler ? add : base;
    conf_dir_t *dir;

    if (!base->written && !add->written) {
        return add->has_handler ? add_conf : base_conf;
    }
    dir = apr_pmemdup(pool, base, sizeof(*dir));
    dir->has_handler = handler->has_handler;
    dir->folder = handler->folder;
    conf_row_merge_dir(dir, add);
    return dir;
}

conf_server_t *conf_server_get(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &grip_chat_module);
}

apr_size_t conf_server_cache_bytes(const server_rec *main)
{
    apr_int64_t bytes = conf_server_get(main)->settings.cache_bytes;

    return (apr_uint64_t)bytes < APR_SIZE_MAX ? (apr_size_t)bytes : APR_SIZE_MAX;
}

int conf_server_holds_streams(const server_rec *s)
{
    return conf_server_get(s)->settings.streams != 0;
}
