/* The thread beside the loop that reads rooms, because to read may block: from the child's cache as a rule,
 * from the database where that has not all, and it makes the pieces that readers get. */
#ifndef MOD_GRIP_CHAT_LOADER_H
#define MOD_GRIP_CHAT_LOADER_H

#include "mod_grip_chat_backlog.h"
#include "mod_grip_chat_room.h"

typedef struct grip_chat_loader_t grip_chat_loader_t;

/** Called by the loader's thread when grip_chat_loader_take has something. */
typedef void grip_chat_loader_notify_fn(void *baton);

/**
 * Start a loader's thread.
 *
 * @param account  pieces are made on it; lives as long as the loader
 * @param pool     the child's; the loader ends before it: grip_chat_loader_stop
 */
apr_status_t grip_chat_loader_start(grip_chat_loader_t **out, const ipc_shared_t *shared,
                                    chat_account_t *account, grip_chat_loader_notify_fn *notify,
                                    void *baton, apr_pool_t *pool);

/** Have a room read, which is not loading. */
void grip_chat_loader_push(grip_chat_loader_t *loader, grip_chat_room_t *room);

/** Take back a room that was read, NULL where there is none. */
grip_chat_room_t *grip_chat_loader_take(grip_chat_loader_t *loader);

/** Have a page read for a reader who is behind. Pages and rooms are read in turn. */
void grip_chat_loader_push_page(grip_chat_loader_t *loader, grip_chat_backlog_t *backlog);

/** Take back all pages that were read, chained; NULL where there is none. */
grip_chat_backlog_t *grip_chat_loader_take_pages(grip_chat_loader_t *loader);

/** End the thread, after the read that it is at. Rooms that wait are not read. */
apr_status_t grip_chat_loader_stop(grip_chat_loader_t *loader);

#endif
