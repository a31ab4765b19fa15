#include "conf_site.h"

#include "conf_check.h"
#include "conf_env.h"
#include "conf_mounts.h"
#include "conf_row.h"
#include "conf_trust.h"
#include "gc_query.h"
#include "grip_hold.h"

/* The original has the same default: a Pushpin on this machine. */
#define DEFAULT_GRIP_URL "http://127.0.0.1:5561/"

/* The arguments of the making of one site. */
typedef struct making_t {
    server_rec *s;
    const conf_settings_t *settings;
    apr_pool_t *pool;
    apr_pool_t *temp;
} making_t;

static const char *server_name(const server_rec *s, apr_pool_t *pool)
{
    if (!s->defn_name) {
        return "the main server";
    }
    return apr_psprintf(pool, "%s (%s:%u)",
                        s->server_hostname ? s->server_hostname : "a virtual host", s->defn_name,
                        s->defn_line_number);
}

/* Log a sentence about a directive of a server, and make check_config fail. */
static int refuse(const making_t *making, const char *directive, const char *sentence)
{
    ap_log_error(APLOG_MARK, APLOG_CRIT | APLOG_NOERRNO, 0, making->s, "GC0101: %s of %s: %s",
                 directive, server_name(making->s, making->temp), sentence);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* The same of a place on a disk. A restart goes on: a disk that has become read-only must not end a server that
 * ran, and the keeper tries again until it can write. */
static int refuse_place(const making_t *making, const char *directive, const char *sentence)
{
    int status = refuse(making, directive, sentence);

    return ap_state_query(AP_SQ_CONFIG_GEN) > 1 ? OK : status;
}

/* directive, then the process's environment, then the .env file */
static const char *setting(const making_t *making, const char *directive_value, const char *key)
{
    return directive_value ? directive_value
                           : conf_env_get(making->settings->env, key, making->pool);
}

/* A path of DATABASE_URL is as the original took it: relative unless it begins with a second slash,
 * and then to the folder of the .env file. */
static const char *path_of_url(const making_t *making, const char *path)
{
    const char *folder = "";
    const char *slash;

    if (*path == '/') {
        return path;
    }
    slash = making->settings->env_file ? strrchr(making->settings->env_file, '/') : NULL;
    if (slash) {
        folder = apr_pstrmemdup(making->pool, making->settings->env_file,
                                (apr_size_t)(slash - making->settings->env_file) + 1);
    }
    return ap_server_root_relative(making->pool, apr_pstrcat(making->pool, folder, path, NULL));
}

/* Find the database; OK with a NULL driver where there is none, so that the server is no site. */
static int find_database(const making_t *making, chat_database_spec_t *spec)
{
    const char *url;

    spec->driver = making->settings->database_driver;
    spec->params = making->settings->database_params;
    if (spec->driver || !making->settings->env) {
        return OK;
    }
    url = conf_env_get(making->settings->env, "DATABASE_URL", making->pool);
    if (!url) {
        return OK; /* the file may be there for other servers: see check_any */
    }
    if (strncmp(url, "sqlite:///", 10) != 0 || !url[10]) {
        return refuse(making, "DATABASE_URL",
                      "it is not one that mod_grip_chat speaks; write sqlite:////path/to/file, or "
                      "GripChatDatabase sqlite3 /path/to/file");
    }
    spec->params = path_of_url(making, url + 10);
    if (!spec->params) {
        return refuse(making, "DATABASE_URL", "its path cannot be used; write a shorter one");
    }
    spec->driver = "sqlite3";
    return OK;
}

/* Whether the verify key can be one, so that a fault of it is said of the right setting. */
static int check_verify_key(const making_t *making, const char *verify_key)
{
    const grip_proxy_t *probe;
    const char *why = NULL;

    if (!verify_key ||
        grip_url_parse(&probe, &why, DEFAULT_GRIP_URL, verify_key, making->temp) == APR_SUCCESS)
    {
        return OK;
    }
    return refuse(making,
                  making->settings->verify_key ? "GripChatGripVerifyKey" : "GRIP_VERIFY_KEY", why);
}

/* Check one proxy against the world outside and the ones before it. */
static int check_proxy(const making_t *making, const char *source,
                       const grip_proxy_t *const *proxies, int i)
{
    const char *why = conf_check_proxy(proxies[i], making->pool);
    int j;

    if (why) {
        return refuse(making, source,
                      apr_pstrcat(making->temp, proxies[i]->log_uri, " ", why, NULL));
    }
    for (j = 0; j < i; j++) {
        if (strcmp(proxies[i]->log_uri, proxies[j]->log_uri) == 0) {
            return refuse(making, source,
                          apr_pstrcat(making->temp, proxies[i]->log_uri,
                                      " stands there twice; write each proxy once", NULL));
        }
    }
    if (conf_check_is_fastly(proxies[i], making->pool) &&
        (!proxies[i]->verify_key || grip_crypto_key_kind(proxies[i]->verify_key) == GRIP_KEY_HMAC))
    {
        ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_NOERRNO, 0, making->s,
                     "GC0104: %s of %s has no public key to verify Fastly's requests by, so it "
                     "will hold none of its streams; write GripChatGripVerifyKey and Fastly's "
                     "public key, as in .env.template",
                     source, server_name(making->s, making->temp));
    }
    return OK;
}

/* The verify key that replaces the one of a URL. A key in the URL of a directive wins over the
 * environment and the .env file. */
static const char *verify_key_for(const making_t *making, const conf_site_t *site, const char *url)
{
    const char *query = strchr(url, '?');
    gc_slice_t own;

    if (!making->settings->verify_key && making->settings->grip_urls && query &&
        gc_query_parameter(&own, query + 1, "verify-key") == APR_SUCCESS)
    {
        return NULL;
    }
    return site->settings.verify_key;
}

static int make_proxies(const making_t *making, conf_site_t *site)
{
    const char *one = setting(making, NULL, "GRIP_URL");
    apr_array_header_t *urls = making->settings->grip_urls;
    const grip_proxy_t **proxies;
    const char *source = "GripChatGripURL";
    int status;
    int i;

    if (!urls) {
        urls = apr_array_make(making->pool, 1, sizeof(const char *));
        if (!one || !gc_slice_equal_nocase(gc_slice_of(one), "none")) {
            APR_ARRAY_PUSH(urls, const char *) = one ? one : DEFAULT_GRIP_URL;
        }
        source = "GRIP_URL";
    }
    site->settings.grip_urls = urls;
    site->settings.verify_key = setting(making, making->settings->verify_key, "GRIP_VERIFY_KEY");
    status = check_verify_key(making, site->settings.verify_key);
    if (status != OK) {
        return status;
    }
    proxies = apr_pcalloc(making->pool, sizeof(*proxies) * (apr_size_t)(urls->nelts + 1));
    for (i = 0; i < urls->nelts; i++) {
        const char *why = NULL;

        if (grip_url_parse(&proxies[i], &why, APR_ARRAY_IDX(urls, i, const char *),
                           verify_key_for(making, site, APR_ARRAY_IDX(urls, i, const char *)),
                           making->pool) != APR_SUCCESS)
        {
            return refuse(making, source, why);
        }
        status = check_proxy(making, source, proxies, i);
        if (status != OK) {
            return status;
        }
    }
    site->keeper.proxies = proxies;
    site->keeper.proxy_count = (apr_size_t)urls->nelts;
    return OK;
}

static void make_secret(const making_t *making, conf_site_t *site)
{
    const char *source =
        making->settings->secret_key ? "GripChatSecretKey" : "GRIP_CHAT_SECRET_KEY";
    const char *secret = setting(making, making->settings->secret_key, "GRIP_CHAT_SECRET_KEY");

    if (!secret) {
        source = "DJANGO_SECRET_KEY";
        secret = setting(making, NULL, source);
    }
    if (secret) {
        conf_trust_warn_secret(making->s, site, source, secret);
    }
    site->settings.secret_key = secret;
}

static void make_limits(conf_site_t *site)
{
    const conf_settings_t *settings = &site->settings;
    apr_int64_t rate = settings->publish_rate;

    site->keeper.publish_interval = rate ? apr_time_from_sec(1) / rate : 0;
    site->keeper.publish_gap = site->keeper.publish_interval < IPC_SITE_PUBLISH_GAP
                                   ? site->keeper.publish_interval
                                   : IPC_SITE_PUBLISH_GAP;
    site->keeper.post_interval = site->keeper.publish_interval < IPC_SITE_POST_INTERVAL
                                     ? site->keeper.publish_interval
                                     : IPC_SITE_POST_INTERVAL;
    site->keeper.publish_burst = (int)settings->publish_burst;
    site->keeper.item_bytes = (apr_size_t)settings->item_bytes;
    site->keeper.retention.max_age_ms = settings->retention_age_ms;
    site->keeper.retention.max_count = settings->retention_count;
    site->keeper.link_timeout = settings->link_timeout;
    site->keeper.hint_interval = IPC_SITE_HINT_INTERVAL;
}

/* The proxy that two sites would both publish the same channels to, NULL where there is none. */
static const char *shared_channels(const conf_site_t *a, const conf_site_t *b, apr_pool_t *pool)
{
    apr_size_t i;
    apr_size_t j;

    if (strcmp(a->keeper.channel_prefix, b->keeper.channel_prefix) != 0) {
        return NULL;
    }
    for (i = 0; i < a->keeper.proxy_count; i++) {
        for (j = 0; j < b->keeper.proxy_count; j++) {
            if (conf_check_same_proxy(a->keeper.proxies[i], b->keeper.proxies[j], pool)) {
                return a->keeper.proxies[i]->log_uri;
            }
        }
    }
    return NULL;
}

static int make_site(const making_t *making, const chat_database_spec_t *spec, conf_site_t **out)
{
    conf_site_t *site = apr_pcalloc(making->pool, sizeof(*site));
    const char *why;
    int status;

    site->server_name = server_name(making->s, making->pool);
    site->host = making->s->server_hostname ? making->s->server_hostname : "";
    site->keeper.name = making->settings->site_name ? making->settings->site_name : "";
    site->keeper.database = *spec;
    site->keeper.database.params = conf_check_real_path(spec->params, making->pool);
    site->keeper.identity = apr_psprintf(making->pool, "%s\n%s\n%s", spec->driver,
                                         site->keeper.database.params, site->keeper.name);
    site->settings = *making->settings;
    if (!site->settings.channel_prefix) {
        site->settings.channel_prefix = "";
    }
    site->keeper.channel_prefix = site->settings.channel_prefix;
    status = make_proxies(making, site);
    if (status != OK) {
        return status;
    }
    make_secret(making, site);
    make_limits(site);
    if (grip_hold_keep_alive_format(&site->keep_alive_header, gc_slice_of(CONF_SITE_KEEP_ALIVE),
                                    site->settings.keep_alive, making->pool) != APR_SUCCESS)
    {
        return refuse(making, "GripChatKeepAlive", "it is out of bounds; write for example 20s");
    }
    why = conf_check_database(&site->keeper.database, making->temp);
    if (why && refuse_place(making, "GripChatDatabase", why) != OK) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (conf_env_get(making->settings->env, "CSP", making->temp)) {
        ap_log_error(APLOG_MARK, APLOG_INFO | APLOG_NOERRNO, 0, making->s,
                     "GC0103: CSP is not read; the page's Content-Security-Policy is a Header "
                     "directive, as in the sample configuration");
    }
    *out = site;
    return OK;
}

/* Take a server's site into the list, or find that it is there already. */
static int join(const making_t *making, conf_site_t **first, conf_site_t *site)
{
    conf_site_t **end = first;

    for (; *end; end = &(*end)->next) {
        const char *differs;

        if (strcmp((*end)->keeper.identity, site->keeper.identity) == 0) {
            differs = conf_row_difference(&(*end)->settings, &site->settings);
            if (differs) {
                return refuse(making, differs,
                              apr_psprintf(making->temp,
                                           "it differs from that of %s, although both "
                                           "name the same GripChatDatabase and "
                                           "GripChatSite; write the same, or give one "
                                           "of them another GripChatSite",
                                           (*end)->server_name));
            }
            conf_server_get(making->s)->site = *end;
            return OK;
        }
        differs = shared_channels(*end, site, making->temp);
        if (differs) {
            return refuse(making, "GripChatChannelPrefix",
                          apr_psprintf(making->temp,
                                       "another site, of %s, publishes the same "
                                       "channels to %s; write a GripChatChannelPrefix "
                                       "for one of them",
                                       (*end)->server_name, differs));
        }
    }
    conf_trust_warn_keys(making->s, site,
                         making->settings->grip_urls ? "GripChatGripURL" : "GRIP_URL");
    *end = site;
    conf_server_get(making->s)->site = site;
    return OK;
}

/* Find where the rooms of a server are mounted. */
static int find_mounts(const making_t *making)
{
    conf_server_t *conf = conf_server_get(making->s);
    const char *why = NULL;

    conf->mounts = conf->settings.mounts;
    if (!conf->mounts) {
        why = conf_mounts_find(&conf->mounts, making->s, making->pool);
    }
    return why ? refuse(making, "GripChatMount", why) : OK;
}

/* A .env file that leads to no site at all is a mistake. */
static int check_any(server_rec *main, apr_pool_t *pool, apr_pool_t *temp)
{
    server_rec *s;

    for (s = main; s; s = s->next) {
        making_t making = {s, &conf_server_get(s)->settings, pool, temp};

        if (making.settings->env) {
            return refuse(&making, "GripChatEnvFile",
                          "neither GripChatDatabase nor DATABASE_URL names a database; write for "
                          "example GripChatDatabase sqlite3 /var/lib/grip-chat/example.db");
        }
    }
    return OK;
}

/* Each database has a number in shared memory. */
static int check_count(const conf_site_t *first, server_rec *main, apr_pool_t *pool,
                       apr_pool_t *temp)
{
    const conf_site_t *site;
    apr_hash_t *databases = apr_hash_make(temp);

    for (site = first; site; site = site->next) {
        apr_hash_set(databases, site->keeper.database.params, APR_HASH_KEY_STRING, "");
    }
    if (apr_hash_count(databases) > IPC_SHARED_DATABASES) {
        making_t making = {main, &conf_server_get(main)->settings, pool, temp};

        return refuse(&making, "GripChatDatabase",
                      "there are more than " APR_STRINGIFY(
                          IPC_SHARED_DATABASES) " databases; "
                                                "write the same one for several sites, each "
                                                "with a GripChatSite of its own");
    }
    return OK;
}

int conf_sites_make(conf_site_t **first, server_rec *main, apr_pool_t *pool, apr_pool_t *temp)
{
    server_rec *s;

    const char *why = conf_check_socket(conf_server_get(main)->settings.socket_path, temp);

    *first = NULL;
    if (why) {
        making_t making = {main, &conf_server_get(main)->settings, pool, temp};

        if (refuse_place(&making, "GripChatSocket", why) != OK) {
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    for (s = main; s; s = s->next) {
        making_t making = {s, &conf_server_get(s)->settings, pool, temp};
        chat_database_spec_t spec;
        conf_site_t *site = NULL;
        int status = find_database(&making, &spec);

        if (status == OK && spec.driver) {
            status = make_site(&making, &spec, &site);
            if (status == OK) {
                status = join(&making, first, site);
            }
            if (status == OK) {
                status = find_mounts(&making);
            }
        }
        if (status != OK) {
            return status;
        }
    }
    return *first ? check_count(*first, main, pool, temp) : check_any(main, pool, temp);
}
