/* A list of messages that is made without a snapshot, byte for byte the one that a snapshot of the
 * same page has, and the tag of both. The text of events is not made. */
#ifndef CHAT_LIST_H
#define CHAT_LIST_H

#include "chat_snapshot.h"

/** Four positions of at most 20 characters, a number of 11, four dashes, two quotes and the NUL. */
#define CHAT_LIST_ETAG_SIZE (4 * 20 + 11 + 4 + 2 + 1)

/** Write the entity tag of the list of a room that stands there: see chat_snapshot_etag. Pure. */
void chat_list_etag(char etag[CHAT_LIST_ETAG_SIZE], const chat_standing_t *standing);

/**
 * Make a list. Thread-safe.
 *
 * @param list      held by the caller: release it; NULL if a message of it is not UTF-8; untouched on failure
 * @param standing  out: as chat_snapshot_make would say
 * @param page      as in chat_snapshot_make
 * @return APR_SUCCESS or APR_ENOMEM
 */
apr_status_t chat_list_make(chat_block_t **list, chat_standing_t *standing,
                            const chat_snapshot_spec_t *spec, const chat_page_t *page,
                            apr_pool_t *scratch_pool);

#endif
