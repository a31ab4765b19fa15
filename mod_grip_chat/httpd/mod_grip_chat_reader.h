/* A child's view of a site's database: one read-only connection, which the threads take turns with. */
#ifndef MOD_GRIP_CHAT_READER_H
#define MOD_GRIP_CHAT_READER_H

#include "chat_store.h"
#include "keeper_client.h"
#include "keeper_site.h"

typedef struct grip_chat_reader_t grip_chat_reader_t;

/**
 * Make a reader; the database is opened when it is first read.
 *
 * @param site    lives as long as the reader
 * @param keeper  asked to see to the database where it cannot be read (yet)
 * @param shared  tells when the database may have become another
 * @param pool    the child's
 */
apr_status_t grip_chat_reader_create(grip_chat_reader_t **out, const keeper_site_t *site,
                                     keeper_client_t *keeper, keeper_shared_t *shared,
                                     apr_pool_t *pool);

/** As chat_store_read_newest. Thread-safe. Logs nothing; see grip_chat_reader_last_error. */
apr_status_t grip_chat_reader_newest(grip_chat_reader_t *reader, const char *room, int limit,
                                     chat_page_t *page, apr_pool_t *pool);

/** As chat_store_read_after. Thread-safe. */
apr_status_t grip_chat_reader_after(grip_chat_reader_t *reader, const char *room, apr_int64_t after,
                                    int limit, chat_page_t *page, apr_pool_t *pool);

/** Read the secret that the keeper made for the site. Thread-safe. */
apr_status_t grip_chat_reader_secret(grip_chat_reader_t *reader, const char **secret,
                                     apr_pool_t *pool);

#endif
