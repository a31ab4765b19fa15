/* All sites that a keeper serves, each with the writer of its database and a publisher for each of
 * its proxies.
 * Lives in the keeper, in the loop's thread. Freed with the loop's pool. */
#ifndef KEEPER_SITES_H
#define KEEPER_SITES_H

#include "keeper_config.h"
#include "publish_proxy.h"
#include "write_thread.h"

/** A site, with its writer and publishers. */
typedef struct keeper_served_t {
    const ipc_site_t *site;
    write_thread_t *writer;
    publish_proxy_t **publishers; /**< one for each of the site's proxies, in their order */
    chat_sweep_t sweep;           /**< how far its retention has got */
    keeper_task_t sweep_task;
    int is_sweeping;       /**< the task is with the writer */
    gc_moment_t sweep_due; /**< when to begin the next sweep */
} keeper_served_t;

typedef struct keeper_sites_t keeper_sites_t;

/**
 * Start a writer for each database and make the publishers.
 *
 * @param hooks  called by the writers' threads; notify when keeper_sites_done has something; copied
 * @param pool   the loop's
 */
apr_status_t keeper_sites_start(keeper_sites_t **out, const keeper_config_t *config,
                                grip_transport_t *transport, const write_thread_hooks_t *hooks,
                                apr_pool_t *pool);

/** Find a site by its identity, NULL where there is none. */
keeper_served_t *keeper_sites_find(keeper_sites_t *sites, const char *identity);

/** Take a task that a writer has done or found, NULL where there is none. */
keeper_task_t *keeper_sites_done(keeper_sites_t *sites);

/** The writer of a site's database. */
write_thread_t *keeper_sites_writer(const keeper_sites_t *sites, const ipc_site_t *site);

/** Hand the message of a KEEPER_TASK_STORED to its site's publishers, as the event that readers get. */
void keeper_sites_publish(keeper_sites_t *sites, const keeper_task_t *task);

/** Hand a KEEPER_TASK_BEHIND to its publisher. */
void keeper_sites_add_behind(keeper_sites_t *sites, const keeper_task_t *task);

/** Have all publishers send the items that are due. */
void keeper_sites_work(keeper_sites_t *sites, gc_moment_t now);

/** When keeper_sites_work is to be called next, 0 for never. */
gc_moment_t keeper_sites_next(const keeper_sites_t *sites);

/** Whether nothing is left that could be published now. */
int keeper_sites_are_drained(const keeper_sites_t *sites);

/** Have it kept how far each proxy has been told, where that has moved. @return how many tasks were
 *  given to writers for it; each comes back */
apr_size_t keeper_sites_keep_progress(keeper_sites_t *sites);

/** Have the sites swept whose retention is due. @return how many tasks were given to writers for it; each
 *  comes back, to keeper_sites_swept */
apr_size_t keeper_sites_sweep(keeper_sites_t *sites, gc_moment_t now);

/** Take back a KEEPER_TASK_SWEEP. @return whether it was given to the writer once more, for the next step */
int keeper_sites_swept(keeper_sites_t *sites, keeper_task_t *task, gc_moment_t now);

/** Have all writers look after their databases. */
void keeper_sites_look(keeper_sites_t *sites);

/** Have no writer take any more jobs. @return from how many a KEEPER_TASK_CLOSED will come */
apr_size_t keeper_sites_close(keeper_sites_t *sites);

/** End all writers, after they have done all their tasks. */
apr_status_t keeper_sites_stop(keeper_sites_t *sites);

#endif
