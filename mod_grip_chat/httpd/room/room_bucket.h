/* A bucket for a part of a block: it holds the block until the last of what was made of it is gone,
 * whichever pools and connections it passes through. */
#ifndef ROOM_BUCKET_H
#define ROOM_BUCKET_H

#include <apr_buckets.h>

#include "chat_block.h"

/**
 * Make a bucket.
 *
 * @param block  the bucket becomes one more holder
 * @param part   of the block's text
 * @param list   the connection's
 */
apr_bucket *room_bucket_create(chat_block_t *block, gc_slice_t part, apr_bucket_alloc_t *list);

#endif
