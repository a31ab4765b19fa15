/* Pages of rooms that no database holds, for the tests of snapshots and of the cache. */
#ifndef SNAPSHOT_FIXTURE_H
#define SNAPSHOT_FIXTURE_H

#include "chat_codec.h"
#include "chat_snapshot.h"
#include "chat_sse.h"
#include "unit.h"
#include "unit_events.h"

/* The message at a position: its text names the position and is `bytes` long at least. */
static inline chat_event_t message_at(apr_int64_t event_id, int bytes, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "%" APR_INT64_T_FMT " %*s", event_id, bytes, "x");
    chat_event_t message = {
        CHAT_KIND_MESSAGE, event_id,          event_id + 1000, 1795492997336 + event_id,
        gc_slice_of("al"), gc_slice_of(text), {NULL, 0}};

    return message;
}

/* The messages from .. to, in that direction, of a room that ends at last. */
static inline chat_page_t page_of(apr_int64_t from, apr_int64_t to, apr_int64_t last,
                                  apr_int64_t first_kept, int bytes, apr_pool_t *pool)
{
    int step = from <= to ? 1 : -1;
    chat_page_t page = {last, first_kept, (int)((to - from) * step) + 1, NULL};
    int i;

    page.events = apr_palloc(pool, sizeof(*page.events) * (apr_size_t)page.count);
    for (i = 0; i < page.count; i++) {
        page.events[i] = message_at(from + i * step, bytes, pool);
    }
    return page;
}

/* The room's newest messages, newest first, as READ_BEFORE answers them. */
static inline chat_page_t newest_of(apr_int64_t last, apr_int64_t first_kept, int limit, int bytes,
                                    apr_pool_t *pool)
{
    apr_int64_t first = last - limit + 1 > first_kept ? last - limit + 1 : first_kept;
    chat_page_t page = {last, first_kept, 0, NULL};

    if (first <= last) {
        page = page_of(last, first, last, first_kept, bytes, pool);
        page.has_more = page.count == limit;
    }
    return page;
}

/* The messages after a position, oldest first, as READ_AFTER answers them. */
static inline chat_page_t after_of(apr_int64_t after, int limit, apr_int64_t last,
                                   apr_int64_t first_kept, int bytes, apr_pool_t *pool)
{
    apr_int64_t first = after + 1 > first_kept ? after + 1 : first_kept;
    apr_int64_t end = last - after > limit ? after + limit : last;
    chat_page_t page = {last, first_kept, 0, NULL};

    if (first <= end) {
        page = page_of(first, end, last, first_kept, bytes, pool);
        page.has_more = page.count == limit;
    }
    return page;
}

/* The list that a page makes. */
static inline gc_slice_t list_of(const char *room, chat_page_t page, apr_pool_t *pool)
{
    gc_buffer_t list = gc_buffer_make(1024, pool);

    assert_int_equal(chat_codec_append_list(&list, gc_slice_of(room), &page), APR_SUCCESS);
    return gc_buffer_slice(&list);
}

/* The text of the events first .. last. */
static inline gc_slice_t events_of(const char *room, apr_int64_t first, apr_int64_t last, int bytes,
                                   apr_pool_t *pool)
{
    gc_buffer_t text = gc_buffer_make(1024, pool);
    apr_int64_t i;

    for (i = first; i <= last; i++) {
        chat_event_t message = message_at(i, bytes, pool);

        assert_int_equal(chat_sse_append_event(&text, gc_slice_of(room), &message), APR_SUCCESS);
    }
    return gc_buffer_slice(&text);
}

static inline void assert_same(gc_slice_t got, gc_slice_t wanted)
{
    assert_int_equal(got.len, wanted.len);
    if (wanted.len) {
        assert_memory_equal(got.data, wanted.data, wanted.len);
    }
}

#endif
