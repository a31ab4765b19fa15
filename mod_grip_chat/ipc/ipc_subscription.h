/* A child's side of watching: one connection to the keeper. Over it the child says for which slots
 * it has readers, and the keeper tells which of those moved, and how. It connects again after the
 * keeper was lost; then all slots count as moved. Never blocks.
 * Lives in a child, in its loop's thread. Freed with its pool, the loop's. */
#ifndef IPC_SUBSCRIPTION_H
#define IPC_SUBSCRIPTION_H

#include <apr_pools.h>

#include "ipc_notice.h"

typedef struct ipc_subscription_t ipc_subscription_t;

/** The services of the loop that a subscription is in. */
typedef struct ipc_subscription_hooks_t {
    /** Wait for a descriptor to be readable, and also writable if want_write. It ends by being closed. */
    void (*wait)(int fd, int want_write, void *baton);
    /** A room of this slot may have changed. */
    void (*moved)(unsigned slot, void *baton);
    /**
     * A message was stored in a room of this slot. If its position follows the last known one, the
     * notice is complete; else treat the slot as moved.
     */
    void (*stored)(unsigned slot, const ipc_notice_t *notice, void *baton);
    void *baton;
} ipc_subscription_hooks_t;

/**
 * Make a subscription; it connects when ipc_subscription_work is called for the first time.
 *
 * @param socket_path  lives as long as the subscription
 * @param hooks        copied
 * @param pool         owns it; its cleanup closes the connection
 * @return APR_SUCCESS, or APR_ENAMETOOLONG
 */
apr_status_t ipc_subscription_create(ipc_subscription_t **out, const char *socket_path,
                                     const ipc_subscription_hooks_t *hooks, apr_pool_t *pool);

/** Begin or cease to want a slot; is sent by the next ipc_subscription_work. */
void ipc_subscription_want(ipc_subscription_t *subscription, unsigned slot, int is_wanted);

/** The connection is readable or writable. */
void ipc_subscription_ready(ipc_subscription_t *subscription);

/** Connect if it is time to, and send the changes of wanted slots. */
void ipc_subscription_work(ipc_subscription_t *subscription, gc_moment_t now);

/** When ipc_subscription_work is to be called next though nothing has happened, 0 for never. */
gc_moment_t ipc_subscription_due(const ipc_subscription_t *subscription);

/** Whether the keeper tells which slots move. While it does not, look at shared memory instead. */
int ipc_subscription_is_told(const ipc_subscription_t *subscription);

#endif
