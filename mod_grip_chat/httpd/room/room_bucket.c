#include "room_bucket.h"

/* The part that all buckets split or copied from one share. */
typedef struct held_t {
    apr_bucket_refcount refcount; /* must be first */
    chat_block_t *block;
} held_t;

static apr_status_t read_block(apr_bucket *b, const char **text, apr_size_t *len,
                               apr_read_type_e block)
{
    const held_t *held = b->data;

    *text = chat_block_text(held->block).data + b->start;
    *len = b->length;
    return APR_SUCCESS;
}

static void destroy(void *data)
{
    held_t *held = data;

    if (apr_bucket_shared_destroy(held)) {
        chat_block_release(held->block);
        apr_bucket_free(held);
    }
}

/* To set it aside takes nothing: the block lives as long as the bucket does. An immortal bucket with a
 * cleanup of the request's pool would be right only where nothing outlives that pool. mod_http2 copies
 * it when it hands it from the request's connection to the client's, as all that is neither heap, file
 * nor mmap. */
static const apr_bucket_type_t type = {
    "GRIP_CHAT_BLOCK",
    5,
    APR_BUCKET_DATA,
    destroy,
    read_block,
    apr_bucket_setaside_noop,
    apr_bucket_shared_split,
    apr_bucket_shared_copy,
};

apr_bucket *room_bucket_create(chat_block_t *block, gc_slice_t part, apr_bucket_alloc_t *list)
{
    apr_bucket *b = apr_bucket_alloc(sizeof(*b), list);
    held_t *held = apr_bucket_alloc(sizeof(*held), list);

    APR_BUCKET_INIT(b);
    b->free = apr_bucket_free;
    b->list = list;
    b->type = &type;
    held->block = block;
    chat_block_pin(block);
    return apr_bucket_shared_make(b, held, part.data - chat_block_text(block).data, part.len);
}
