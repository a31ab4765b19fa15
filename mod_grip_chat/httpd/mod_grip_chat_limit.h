/* How many streams a child may hold: what GripChatMaxStreams says, as far as the MPM leaves room for it; and
 * who has how many of them. */
#ifndef MOD_GRIP_CHAT_LIMIT_H
#define MOD_GRIP_CHAT_LIMIT_H

#include "mod_grip_chat_config.h"

/** Streams of one client address in one child, unless configured (GripChatMaxStreamsPerClient). */
#define GRIP_CHAT_STREAMS_PER_CLIENT_DEFAULT 100

/** How far GripChatMaxStreams may go. */
#define GRIP_CHAT_STREAMS_MAX 1000000

/**
 * Work out the share of each child and keep it in the main server's configuration. In check_config, after
 * the MPM's own. Logs a warning where what is configured does not fit, with what to write.
 *
 * @param main  the main server
 */
void grip_chat_limit_work_out(server_rec *main);

/** The streams that this child may hold, as far as it may have descriptors for them. In child_init. */
apr_uint32_t grip_chat_limit_of_child(server_rec *main);

typedef struct grip_chat_clients_t grip_chat_clients_t;
typedef struct grip_chat_client_t grip_chat_client_t;

/**
 * Make the table of those who have streams.
 *
 * @param each   streams that one may have, 0 for no limit
 * @param total  streams that there may be
 */
apr_status_t grip_chat_clients_create(grip_chat_clients_t **out, apr_uint32_t each,
                                      apr_uint32_t total, apr_pool_t *pool);

/**
 * Count one stream more. An address of IPv6 counts with all others of its first 64 bits, which one client has
 * as a rule. Thread-safe.
 *
 * @return whom to count down; NULL if there are as many as there may be
 */
grip_chat_client_t *grip_chat_clients_enter(grip_chat_clients_t *clients,
                                            const apr_sockaddr_t *address);

/** How many streams there are. Thread-safe. */
apr_uint32_t grip_chat_clients_count(grip_chat_clients_t *clients);

/** How many there may be. */
apr_uint32_t grip_chat_clients_limit(const grip_chat_clients_t *clients);

/** Count one stream less. Thread-safe. */
void grip_chat_clients_leave(grip_chat_clients_t *clients, grip_chat_client_t *client);

#endif
