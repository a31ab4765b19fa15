/* A bucket for a part of a block. It holds the block until its last copy or split is gone, through
 * all pools and connections that it passes. */
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
