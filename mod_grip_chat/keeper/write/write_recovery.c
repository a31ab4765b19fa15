#include "write_recovery.h"

#include "gc_b64url.h"
#include "grip_crypto.h"

/* A room on its way from the store to the caller. */
typedef struct found_t {
    const ipc_site_t *site;
    const gc_log_t *log;
    apr_size_t proxy;
    apr_int64_t watermark;
    write_recovery_fn *fn;
    void *baton;
} found_t;

/* The name under which a proxy's watermark is kept. */
static const char *watermark_name(const ipc_site_t *site, apr_size_t proxy, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "published:", site->proxies[proxy]->log_uri, NULL);
}

apr_status_t write_recovery_keep(chat_database_t *db, const ipc_site_t *site, apr_size_t proxy,
                                 apr_int64_t watermark, apr_pool_t *scratch_pool)
{
    return chat_store_meta_set(db, site->name, watermark_name(site, proxy, scratch_pool),
                               apr_psprintf(scratch_pool, "%" APR_INT64_T_FMT, watermark),
                               scratch_pool);
}

static void pass_on(const char *room, void *baton)
{
    found_t *found = baton;

    found->fn(found->site, found->proxy, room, found->watermark, found->baton);
}

static apr_status_t recover_proxy(chat_database_t *db, found_t *found, apr_pool_t *pool)
{
    const ipc_site_t *site = found->site;
    apr_int64_t newest = 0;
    const char *kept;
    apr_status_t rv =
        chat_store_meta_get(db, site->name, watermark_name(site, found->proxy, pool), &kept, pool);

    if (rv == APR_NOTFOUND) {
        /* A proxy that is new here has no readers who could have missed anything, up to now. */
        rv = chat_store_newest_id(db, &found->watermark, pool);
        if (rv == APR_SUCCESS) {
            rv = write_recovery_keep(db, site, found->proxy, found->watermark, pool);
        }
    }
    else if (rv == APR_SUCCESS) {
        found->watermark = apr_atoi64(kept);
        rv = chat_store_rooms_above(db, site->name, found->watermark, WRITE_RECOVERY_MESSAGES,
                                    pass_on, found, pool);
        if (rv == APR_SUCCESS) {
            rv = chat_store_newest_id(db, &newest, pool);
        }
        if (rv == APR_SUCCESS && newest - found->watermark > WRITE_RECOVERY_MESSAGES) {
            gc_log_line(
                found->log, GC_LOG_WARNING, APR_SUCCESS,
                "GC0308: %s has not been told of %" APR_INT64_T_FMT
                " messages; the rooms of the last %d are hinted, readers of others find out "
                "at the next message, or after GripChatLinkTimeout",
                site->proxies[found->proxy]->log_uri, newest - found->watermark,
                WRITE_RECOVERY_MESSAGES);
        }
    }
    if (rv == APR_SUCCESS) {
        pass_on(NULL, found);
    }
    return rv;
}

/* Make the secret of a site that has none configured: its children read it from the database. */
static apr_status_t make_secret(chat_database_t *db, const ipc_site_t *site, apr_pool_t *pool)
{
    unsigned char bytes[IPC_SITE_SECRET_BYTES];
    const char *secret;
    apr_status_t rv = chat_store_meta_get(db, site->name, IPC_SITE_SECRET_NAME, &secret, pool);

    if (rv != APR_NOTFOUND) {
        return rv;
    }
    rv = grip_crypto_random(bytes, sizeof(bytes));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    secret = gc_b64url_encode(gc_slice((const char *)bytes, sizeof(bytes)), pool);
    return chat_store_meta_set(db, site->name, IPC_SITE_SECRET_NAME, secret, pool);
}

apr_status_t write_recovery_run(chat_database_t *db, const ipc_site_t *site, const gc_log_t *log,
                                write_recovery_fn *fn, void *baton, apr_pool_t *scratch_pool)
{
    found_t found = {site, log, 0, 0, fn, baton};
    apr_status_t rv = make_secret(db, site, scratch_pool);

    for (; rv == APR_SUCCESS && found.proxy < site->proxy_count; found.proxy++) {
        found.watermark = 0;
        rv = recover_proxy(db, &found, scratch_pool);
    }
    return rv;
}
