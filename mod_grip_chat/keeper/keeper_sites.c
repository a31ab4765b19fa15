#include "keeper_sites.h"

#include <stdlib.h>

#include <apr_tables.h>

#include "chat_sse.h"
#include "gc_assert.h"

/* From the end of a sweep through a site's rooms to the next. */
#define SWEEP_PERIOD apr_time_from_sec(5)

struct keeper_sites_t {
    const keeper_config_t *config;
    keeper_served_t *served;     /* config->site_count of them, in the same order */
    apr_array_header_t *writers; /* of write_thread_t * */
    apr_pool_t *scratch;
};

keeper_served_t *keeper_sites_find(keeper_sites_t *sites, const char *identity)
{
    apr_size_t i;

    for (i = 0; i < sites->config->site_count; i++) {
        if (strcmp(sites->served[i].site->identity, identity) == 0) {
            return &sites->served[i];
        }
    }
    return NULL;
}

write_thread_t *keeper_sites_writer(const keeper_sites_t *sites, const ipc_site_t *site)
{
    return sites->served[site->index].writer;
}

keeper_task_t *keeper_sites_done(keeper_sites_t *sites)
{
    int i;

    for (i = 0; i < sites->writers->nelts; i++) {
        keeper_task_t *task = write_thread_done(APR_ARRAY_IDX(sites->writers, i, write_thread_t *));

        if (task) {
            return task;
        }
    }
    return NULL;
}

void keeper_sites_publish(keeper_sites_t *sites, const keeper_task_t *task)
{
    const chat_append_t *append = &task->append;
    keeper_served_t *served = &sites->served[task->site->index];
    gc_buffer_t text;
    apr_status_t rv;
    apr_size_t i;

    GC_ASSERT(task->kind == KEEPER_TASK_STORED && append->outcome == CHAT_APPEND_NEW);
    apr_pool_clear(sites->scratch);
    text = gc_buffer_make(append->event.payload.len + 512, sites->scratch);
    rv = chat_sse_append_event(&text, gc_slice_of(append->room), &append->event);
    if (rv != APR_SUCCESS) {
        gc_log_line(sites->config->log, GC_LOG_ERR, rv,
                    "GC0214: message %" APR_INT64_T_FMT " cannot be written as an event",
                    append->event.id);
        return;
    }
    for (i = 0; i < served->site->proxy_count; i++) {
        publish_proxy_add(served->publishers[i], append->room, &append->event,
                          gc_buffer_slice(&text));
    }
}

void keeper_sites_add_behind(keeper_sites_t *sites, const keeper_task_t *task)
{
    keeper_served_t *served = &sites->served[task->site->index];

    GC_ASSERT(task->kind == KEEPER_TASK_BEHIND && task->proxy < served->site->proxy_count);
    publish_proxy_add_behind(served->publishers[task->proxy], task->room, task->watermark);
}

/* Call fn for every publisher until it answers 0. */
static void each_publisher(const keeper_sites_t *sites,
                           int (*fn)(keeper_served_t *served, apr_size_t proxy, void *baton),
                           void *baton)
{
    apr_size_t i;
    apr_size_t proxy;

    for (i = 0; i < sites->config->site_count; i++) {
        for (proxy = 0; proxy < sites->served[i].site->proxy_count; proxy++) {
            if (!fn(&sites->served[i], proxy, baton)) {
                return;
            }
        }
    }
}

static int work_one(keeper_served_t *served, apr_size_t proxy, void *baton)
{
    publish_proxy_work(served->publishers[proxy], *(gc_moment_t *)baton);
    return 1;
}

void keeper_sites_work(keeper_sites_t *sites, gc_moment_t now)
{
    each_publisher(sites, work_one, &now);
}

static int find_soonest(keeper_served_t *served, apr_size_t proxy, void *baton)
{
    gc_moment_t due = publish_proxy_next(served->publishers[proxy]);
    gc_moment_t *soonest = baton;

    if (due && (!*soonest || due < *soonest)) {
        *soonest = due;
    }
    return 1;
}

gc_moment_t keeper_sites_next(const keeper_sites_t *sites)
{
    gc_moment_t soonest = 0;

    each_publisher(sites, find_soonest, &soonest);
    return soonest;
}

static int check_drained(keeper_served_t *served, apr_size_t proxy, void *baton)
{
    int *is_drained = baton;

    *is_drained = publish_proxy_is_drained(served->publishers[proxy]);
    return *is_drained;
}

int keeper_sites_are_drained(const keeper_sites_t *sites)
{
    int is_drained = 1;

    each_publisher(sites, check_drained, &is_drained);
    return is_drained;
}

static int keep_one(keeper_served_t *served, apr_size_t proxy, void *baton)
{
    apr_size_t *pushed = baton;
    apr_int64_t watermark;
    keeper_task_t *task;

    if (!publish_proxy_progress(served->publishers[proxy], &watermark)) {
        return 1;
    }
    task = calloc(1, sizeof(*task));
    if (!task) {
        return 0; /* an older watermark costs hints, nothing else */
    }
    task->kind = KEEPER_TASK_PROGRESS;
    task->site = served->site;
    task->proxy = proxy;
    task->watermark = watermark;
    write_thread_push(served->writer, task);
    ++*pushed;
    return 1;
}

apr_size_t keeper_sites_keep_progress(keeper_sites_t *sites)
{
    apr_size_t pushed = 0;

    each_publisher(sites, keep_one, &pushed);
    return pushed;
}

apr_size_t keeper_sites_sweep(keeper_sites_t *sites, gc_moment_t now)
{
    apr_size_t pushed = 0;
    apr_size_t i;

    for (i = 0; i < sites->config->site_count; i++) {
        keeper_served_t *served = &sites->served[i];
        const chat_retention_t *retention = &served->site->retention;

        if ((retention->max_age_ms || retention->max_count) && !served->is_sweeping &&
            served->sweep_due <= now)
        {
            memset(&served->sweep_task, 0, sizeof(served->sweep_task));
            served->sweep_task.kind = KEEPER_TASK_SWEEP;
            served->sweep_task.owner = served;
            served->sweep_task.site = served->site;
            served->sweep_task.sweep = &served->sweep;
            served->is_sweeping = 1;
            write_thread_push(served->writer, &served->sweep_task);
            pushed++;
        }
    }
    return pushed;
}

int keeper_sites_swept(keeper_sites_t *sites, keeper_task_t *task, gc_moment_t now)
{
    keeper_served_t *served = task->owner;

    GC_ASSERT(task == &served->sweep_task && served->is_sweeping);
    if (task->status == IPC_DONE && !task->is_swept) {
        write_thread_push(served->writer, task);
        return 1;
    }
    served->is_sweeping = 0;
    served->sweep_due = now + SWEEP_PERIOD;
    return 0;
}

void keeper_sites_look(keeper_sites_t *sites)
{
    int i;

    for (i = 0; i < sites->writers->nelts; i++) {
        write_thread_look(APR_ARRAY_IDX(sites->writers, i, write_thread_t *));
    }
}

apr_size_t keeper_sites_close(keeper_sites_t *sites)
{
    int i;

    for (i = 0; i < sites->writers->nelts; i++) {
        write_thread_close(APR_ARRAY_IDX(sites->writers, i, write_thread_t *));
    }
    return (apr_size_t)sites->writers->nelts;
}

apr_status_t keeper_sites_stop(keeper_sites_t *sites)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < sites->writers->nelts; i++) {
        apr_status_t stopped =
            write_thread_stop(APR_ARRAY_IDX(sites->writers, i, write_thread_t *));

        rv = rv == APR_SUCCESS ? stopped : rv;
    }
    return rv;
}

/* Start the writer of a site's database, and give it to all sites of that database. */
static apr_status_t start_writer(keeper_sites_t *sites, const ipc_site_t *site,
                                 const write_thread_hooks_t *hooks, apr_pool_t *pool)
{
    apr_size_t all = sites->config->site_count;
    const ipc_site_t **same = apr_palloc(pool, sizeof(ipc_site_t *) * all);
    write_thread_t *writer;
    apr_size_t count = 0;
    apr_status_t rv;
    apr_size_t i;

    for (i = 0; i < all; i++) {
        const chat_database_spec_t *database = &sites->config->sites[i]->database;

        if (strcmp(site->database.driver, database->driver) == 0 &&
            strcmp(site->database.params, database->params) == 0)
        {
            same[count++] = sites->config->sites[i];
        }
    }
    rv = write_thread_start(&writer, sites->config, same, count, hooks, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    APR_ARRAY_PUSH(sites->writers, write_thread_t *) = writer;
    for (i = 0; i < all; i++) {
        if (write_thread_serves(writer, sites->config->sites[i])) {
            sites->served[i].writer = writer;
        }
    }
    return rv;
}

apr_status_t keeper_sites_start(keeper_sites_t **out, const keeper_config_t *config,
                                grip_transport_t *transport, const write_thread_hooks_t *hooks,
                                apr_pool_t *pool)
{
    keeper_sites_t *sites = apr_pcalloc(pool, sizeof(*sites));
    apr_status_t rv = apr_pool_create(&sites->scratch, pool);
    apr_size_t i;
    apr_size_t proxy;

    sites->config = config;
    sites->writers = apr_array_make(pool, 4, sizeof(write_thread_t *));
    sites->served = apr_pcalloc(pool, sizeof(*sites->served) * (config->site_count + 1));
    for (i = 0; i < config->site_count; i++) {
        keeper_served_t *served = &sites->served[i];

        served->site = config->sites[i];
        served->publishers =
            apr_palloc(pool, sizeof(publish_proxy_t *) * (served->site->proxy_count + 1));
        for (proxy = 0; proxy < served->site->proxy_count; proxy++) {
            served->publishers[proxy] =
                publish_proxy_create(config, served->site, proxy, transport, pool);
            if (!served->publishers[proxy]) {
                return APR_ENOMEM;
            }
        }
    }
    for (i = 0; rv == APR_SUCCESS && i < config->site_count; i++) {
        if (!sites->served[i].writer) {
            rv = start_writer(sites, config->sites[i], hooks, pool);
        }
    }
    if (rv == APR_SUCCESS) {
        *out = sites;
    }
    return rv;
}
