/* The tags of lists that a child has sent and does not keep. A client that has such a list and
 * asks again gets 304 without a read, as long as the room has not changed. */
#ifndef CHAT_TAGS_H
#define CHAT_TAGS_H

#include "chat_cache.h"
#include "chat_list.h"

/** How many are known at most; one takes the place of another. */
#define CHAT_TAGS_MAX 64

typedef struct chat_tags_t chat_tags_t;

/** Make the memory of a site; its table is made at the first list. @param pool owns it */
apr_status_t chat_tags_create(chat_tags_t **out, apr_pool_t *pool);

/**
 * Find the standing of a room's list before a position; the list's tag is made of it. Thread-safe.
 *
 * @param version   of the room, now
 * @param standing  untouched where it is not known
 * @return whether it is known
 */
int chat_tags_find(chat_tags_t *tags, const char *room, apr_int64_t before, chat_version_t version,
                   chat_standing_t *standing);

/** Note a list. Thread-safe. @param version loaded before the room was read */
void chat_tags_keep(chat_tags_t *tags, const char *room, apr_int64_t before, chat_version_t version,
                    const chat_standing_t *standing);

#endif
