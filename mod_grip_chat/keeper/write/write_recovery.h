/* The values that one keeper leaves to the next in the database: how far each proxy has been told,
 * and the site's secret.
 * Lives in the keeper, in a writer's thread. There is nothing to free. */
#ifndef WRITE_RECOVERY_H
#define WRITE_RECOVERY_H

#include "chat_store.h"
#include "ipc_site.h"

/**
 * How many of the newest messages are looked at for rooms that a proxy may not have been told of.
 * A start after a long outage must not keep posts waiting. Readers of rooms whose last message is
 * older find out by their links' timeouts, which mostly were before that start.
 */
#define WRITE_RECOVERY_MESSAGES 10000

/**
 * Takes a room that a proxy may not have been told of.
 *
 * @param room       valid during the call; NULL for the last call of a proxy, which names none
 * @param watermark  the message id below which all was published
 */
typedef void write_recovery_fn(const ipc_site_t *site, apr_size_t proxy, const char *room,
                               apr_int64_t watermark, void *baton);

/**
 * Make the site's secret if it has none, and name each room with messages above each proxy's watermark, among the
 * newest WRITE_RECOVERY_MESSAGES. The writer's thread.
 *
 * @param log  told where there are more
 * @return APR_SUCCESS, as chat_store_meta_get, or as grip_crypto_random
 */
apr_status_t write_recovery_run(chat_database_t *db, const ipc_site_t *site, const gc_log_t *log,
                                write_recovery_fn *fn, void *baton, apr_pool_t *scratch_pool);

/** Keep how far a proxy has been told. The writer's thread. @return as chat_store_meta_set */
apr_status_t write_recovery_keep(chat_database_t *db, const ipc_site_t *site, apr_size_t proxy,
                                 apr_int64_t watermark, apr_pool_t *scratch_pool);

#endif
