#include "chat_list.h"

#include <string.h>

#include "chat_codec.h"

/* Made of stored values, so that it means the same after a restart. The newest message and its
 * time tell databases apart in which counting began anew. The number of messages and the oldest of
 * them tell a list from one with deleted messages. */
void chat_list_etag(char etag[CHAT_LIST_ETAG_SIZE], const chat_standing_t *standing)
{
    apr_snprintf(etag, CHAT_LIST_ETAG_SIZE,
                 "\"%" APR_INT64_T_FMT "-%" APR_INT64_T_FMT "-%" APR_INT64_T_FMT
                 "-%d-%" APR_INT64_T_FMT "\"",
                 standing->last_event_id, standing->newest_id, standing->newest_created_ms,
                 standing->listed, standing->listed_from);
}

/* A list while it is made. */
typedef struct making_t {
    const chat_snapshot_spec_t *spec;
    const chat_page_t *page;
    chat_standing_t *standing;
    gc_buffer_t text;
    int is_broken; /* it would reach a message that is not UTF-8 */
} making_t;

static gc_buffer_t begin_text(const making_t *making, apr_pool_t *pool)
{
    apr_size_t texts = 0;
    gc_buffer_t text;
    int i;

    for (i = 0; i < making->page->count && i < making->spec->history; i++) {
        texts += making->page->events[i].payload.len;
    }
    text = gc_buffer_make(4096 + texts + texts / 8, pool);
    chat_codec_begin_list(&text);
    return text;
}

/* How many bytes the list without messages has. */
static apr_size_t frame_bytes(const making_t *making, apr_pool_t *pool)
{
    gc_buffer_t frame = gc_buffer_make(128, pool);

    chat_codec_begin_list(&frame);
    chat_codec_end_list(&frame, making->spec->room, making->standing->last_event_id);
    return frame.len;
}

/* Append the newest messages, as many as there is room for, one at least. */
static void append_messages(making_t *making, apr_pool_t *pool)
{
    const chat_page_t *page = making->page;
    chat_standing_t *standing = making->standing;
    apr_int64_t below = page->first_kept_event_id - 1; /* older messages may be stored up to here */
    apr_size_t bytes = frame_bytes(making, pool);
    int i;

    if (page->has_more && page->count > 0) {
        below = page->events[page->count - 1].position - 1;
    }
    for (i = 0; i < page->count; i++) {
        const chat_event_t *event = &page->events[i];
        apr_size_t before = making->text.len;
        apr_size_t start;

        below = standing->listed == making->spec->history ? event->position : below;
        if (event->position < page->first_kept_event_id ||
            standing->listed == making->spec->history) {
            break;
        }
        chat_codec_begin_item(&making->text, i);
        start = making->text.len;
        if (chat_codec_append_message(&making->text, event) != APR_SUCCESS) {
            making->is_broken = 1;
            below = event->position;
            break;
        }
        bytes += making->text.len - start + strlen(CHAT_CODEC_BETWEEN);
        if (standing->listed > 0 && bytes > making->spec->list_bytes) {
            making->text.len = before;
            below = event->position;
            break;
        }
        standing->listed++;
        standing->listed_from = event->position;
    }
    standing->has_older = standing->listed > 0 && below >= page->first_kept_event_id;
}

apr_status_t chat_list_make(chat_block_t **list, chat_standing_t *standing,
                            const chat_snapshot_spec_t *spec, const chat_page_t *page,
                            apr_pool_t *scratch_pool)
{
    making_t making = {.spec = spec, .page = page, .standing = standing};
    chat_block_t *block = NULL;

    memset(standing, 0, sizeof(*standing));
    standing->last_event_id = page->last_event_id;
    standing->first_kept_event_id = page->first_kept_event_id;
    standing->base_event_id = page->base_event_id;
    if (page->count > 0) {
        standing->newest_id = page->events[0].id;
        standing->newest_created_ms = page->events[0].created_ms;
        standing->newest_event_id = page->events[0].position;
    }
    making.text = begin_text(&making, scratch_pool);
    append_messages(&making, scratch_pool);
    if (!making.is_broken) {
        chat_codec_end_list(&making.text, spec->room, standing->last_event_id);
        block = chat_block_make(gc_buffer_slice(&making.text), gc_slice(NULL, 0), spec->account);
        if (!block) {
            return APR_ENOMEM;
        }
    }
    *list = block;
    return APR_SUCCESS;
}
