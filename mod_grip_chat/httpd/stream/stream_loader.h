/* The thread beside the loop that reads rooms and makes the pieces that readers get, because to
 * read may block. A room comes from the child's cache as a rule, and from the database where that
 * lacks events.
 * Lives in a child: the loop's thread gives and takes, the loader's own thread reads. Freed with
 * the child's pool. */
#ifndef STREAM_LOADER_H
#define STREAM_LOADER_H

#include "stream_backlog.h"
#include "stream_load.h"

typedef struct stream_loader_t stream_loader_t;

/** Called by the loader's thread when stream_loader_take has something. */
typedef void stream_loader_notify_fn(void *baton);

/**
 * Start a loader's thread.
 *
 * @param account  pieces are made on it; lives as long as the loader
 * @param pool     the child's; the loader ends before it: stream_loader_stop
 */
apr_status_t stream_loader_start(stream_loader_t **out, const ipc_shared_t *shared,
                                 chat_account_t *account, stream_loader_notify_fn *notify,
                                 void *baton, apr_pool_t *pool);

/** Have a room read. The load is the loader's until stream_loader_take gives it back. */
void stream_loader_push(stream_loader_t *loader, stream_load_t *load);

/** Take back a load that was brought, NULL where there is none. */
stream_load_t *stream_loader_take(stream_loader_t *loader);

/** Have a page read for a reader that is behind. Pages and rooms are read in turn. */
void stream_loader_push_page(stream_loader_t *loader, stream_backlog_t *backlog);

/** Take back all pages that were read, chained; NULL where there is none. */
stream_backlog_t *stream_loader_take_pages(stream_loader_t *loader);

/** End the thread, after the read that it is at. Rooms that wait are not read. */
apr_status_t stream_loader_stop(stream_loader_t *loader);

#endif
