#include "process_features.h"

#include <apr_atomic.h>
#include <apr_shm.h>

#include <http_log.h>

/* Newer proxies have longer lists; no list is as long as this. */
#define TOLD_MAX_BYTES 400

void process_features_map(conf_site_t *sites, server_rec *s, apr_pool_t *pconf)
{
    apr_size_t count = 0;
    volatile apr_uint32_t *marks;
    conf_site_t *site;
    apr_shm_t *memory;
    apr_status_t rv;

    for (site = sites; site; site = site->next) {
        count += site->keeper.proxy_count;
    }
    if (!count) {
        return;
    }
    rv = apr_shm_create(&memory, count * sizeof(*marks), NULL, pconf);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_DEBUG, rv, s,
                     "GC0124: no memory can be shared for notes about proxies");
        return;
    }
    marks = apr_shm_baseaddr_get(memory);
    memset((void *)marks, 0, count * sizeof(*marks));
    for (site = sites; site; site = site->next) {
        site->told_features = marks;
        marks += site->keeper.proxy_count;
    }
}

void process_features_note(const conf_site_t *site, const grip_proxy_t *proxy, request_rec *r)
{
    const char *features;
    apr_size_t i;

    if (!proxy || !site->told_features) {
        return;
    }
    for (i = 0; i < site->keeper.proxy_count && site->keeper.proxies[i] != proxy; i++) {
    }
    if (i == site->keeper.proxy_count || apr_atomic_read32(&site->told_features[i])) {
        return;
    }
    features = apr_table_get(r->headers_in, "Grip-Feature");
    if (features && !apr_atomic_xchg32(&site->told_features[i], 1)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, APR_SUCCESS, r, "GC0123: the proxy %s can do: %.*s",
                      proxy->log_uri, TOLD_MAX_BYTES, features);
    }
}
