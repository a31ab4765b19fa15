#include "process_hooks.h"

#include <mpm_common.h>

#include "process_features.h"
#include "process_once.h"
#include "process_retained.h"
#include "stream_capacity.h"
#include "stream_child.h"
#include "stream_quota.h"

/* The sites of this configuration, and this child. Both are gone with their pools: see forget. */
static conf_site_t *all_sites;
static process_child_t *this_child;

static apr_status_t forget(void *data)
{
    *(void **)data = NULL;
    return APR_SUCCESS;
}

const process_child_t *process_child(void)
{
    return this_child;
}

/* httpd -t comes as far as this: whatever can be found before the start is found here. */
static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    process_once_make(s, pconf);
    apr_pool_cleanup_register(pconf, &all_sites, forget, apr_pool_cleanup_null);
    return conf_sites_make(&all_sites, s, pconf, ptemp);
}

/* How many children and threads there are is known when the MPM has checked its own. */
static int check_streams(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    if (all_sites) {
        stream_capacity_work_out(s);
    }
    return OK;
}

/* A fault that stops a start must not end a server that runs: a restart goes on without the
 * missing part. */
static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    int is_restart = ap_state_query(AP_SQ_CONFIG_GEN) > 1;
    apr_status_t rv;

    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    if (!all_sites) {
        process_retained_drop();
        return OK;
    }
    process_features_map(all_sites, s, pconf);
    rv = stream_quota_map(s, pconf);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s,
                     "GC0177: no memory can be shared for the count of streams%s",
                     is_restart ? "; readers poll until the next restart" : "");
        conf_server_get(s)->stream_share = 0;
    }
    if (rv == APR_SUCCESS || is_restart) {
        rv = process_keeper_start(all_sites, s, pconf);
    }
    return rv == APR_SUCCESS || is_restart ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static apr_status_t make_child(apr_pool_t *pchild, server_rec *main)
{
    process_child_t *child = apr_pcalloc(pchild, sizeof(*child));
    conf_site_t *site;
    apr_status_t rv = chat_database_global_init(pchild);

    child->shared = process_retained_shared();
    if (!child->shared) {
        return APR_ENOMEM; /* a restart went on without */
    }
    child->cache_bytes = conf_server_cache_bytes(main);
    child->sites = all_sites;
    if (rv == APR_SUCCESS) {
        rv = ipc_client_create(&child->keeper, process_retained_socket_path(), pchild);
    }
    if (rv == APR_SUCCESS) {
        rv = chat_cache_create(&child->cache, child->cache_bytes, pchild);
    }
    for (site = all_sites; rv == APR_SUCCESS && site; site = site->next) {
        rv = room_view_create(&site->reader, &site->keeper, child->keeper, child->shared,
                              child->cache, (apr_size_t)site->settings.list_bytes, pchild);
        if (rv == APR_SUCCESS) {
            rv = grip_sig_cache_create(&site->signatures, site->keeper.proxies,
                                       site->keeper.proxy_count, pchild);
        }
    }
    if (rv == APR_SUCCESS) {
        rv = stream_child_child_init(child->shared, process_retained_socket_path(), pchild, main);
    }
    if (rv == APR_SUCCESS) {
        this_child = child;
    }
    return rv;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    apr_status_t rv;

    if (!all_sites) {
        return;
    }
    process_keeper_child_init();
    apr_pool_cleanup_register(pchild, &this_child, forget, apr_pool_cleanup_null);
    rv = make_child(pchild, s);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s,
                     "GC0121: this child cannot reach the keeper or the databases; it answers 503");
    }
}

static int monitor(apr_pool_t *pool, server_rec *s)
{
    process_keeper_monitor();
    return DECLINED;
}

void process_hooks_hooks(apr_pool_t *pool)
{
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_streams, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_monitor(monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
}
