#include "stream_backlog.h"

#include <stdlib.h>

#include "chat_sse.h"
#include "gc_assert.h"

/* Messages that are read for a page. */
#define READ_MAX CHAT_PAGE_MAX_EVENTS

void stream_backlogs_init(stream_backlogs_t *backlogs)
{
    backlogs->first = NULL;
    backlogs->end = &backlogs->first;
}

void stream_backlogs_put(stream_backlogs_t *backlogs, stream_backlog_t *backlog)
{
    backlog->next = NULL;
    *backlogs->end = backlog;
    backlogs->end = &backlog->next;
}

stream_backlog_t *stream_backlogs_take(stream_backlogs_t *backlogs)
{
    stream_backlog_t *backlog = backlogs->first;

    if (backlog) {
        backlogs->first = backlog->next;
        if (!backlogs->first) {
            backlogs->end = &backlogs->first;
        }
        backlog->next = NULL;
    }
    return backlog;
}

/* Move those that are alike to the end of a chain. */
static void join(stream_backlogs_t *backlogs, stream_backlog_t *first,
                 int (*is_alike)(const stream_backlog_t *a, const stream_backlog_t *b))
{
    stream_backlog_t **at = &backlogs->first;
    stream_backlog_t *last = first;

    while (last->next) {
        last = last->next;
    }
    while (*at) {
        stream_backlog_t *backlog = *at;

        if (is_alike(first, backlog)) {
            *at = backlog->next;
            backlog->next = NULL;
            last->next = backlog;
            last = backlog;
        }
        else {
            at = &backlog->next;
        }
    }
    backlogs->end = at;
}

static int is_same_page(const stream_backlog_t *a, const stream_backlog_t *b)
{
    return a->room == b->room && a->after == b->after;
}

static int is_same_site(const stream_backlog_t *a, const stream_backlog_t *b)
{
    return a->site == b->site;
}

void stream_backlogs_join(stream_backlogs_t *backlogs, stream_backlog_t *first)
{
    join(backlogs, first, is_same_page);
}

void stream_backlogs_join_site(stream_backlogs_t *backlogs, stream_backlog_t *first)
{
    join(backlogs, first, is_same_site);
}

void stream_backlog_share(stream_backlog_t *first)
{
    stream_backlog_t *backlog;

    for (backlog = first->next; backlog; backlog = backlog->next) {
        backlog->status = first->status;
        backlog->is_unfit = first->is_unfit;
        backlog->reached = first->reached;
        backlog->last_event_id = first->last_event_id;
        backlog->is_cut_off = first->is_cut_off;
        backlog->block = first->block;
        if (backlog->block) {
            chat_block_pin(backlog->block);
        }
    }
}

stream_backlog_t *stream_backlog_make(stream_connection_t *connection, apr_size_t bytes)
{
    stream_backlog_t *backlog = calloc(1, sizeof(*backlog));

    GC_ASSERT(connection->room && !connection->backlog);
    if (backlog) {
        backlog->connection = connection;
        backlog->room = connection->room;
        backlog->site = connection->room->site;
        backlog->name = connection->room->name;
        backlog->after = connection->reached;
        backlog->bytes = bytes;
        connection->backlog = backlog;
        connection->room->backlogs++;
    }
    return backlog;
}

void stream_backlog_leave(stream_connection_t *connection)
{
    if (connection->backlog) {
        connection->backlog->connection = NULL;
        connection->backlog = NULL;
    }
}

void stream_backlog_free(stream_backlog_t *backlog)
{
    GC_ASSERT(backlog->room->backlogs > 0);
    GC_ASSERT(!backlog->connection || backlog->connection->backlog == backlog);
    backlog->room->backlogs--;
    if (backlog->connection) {
        stream_backlog_leave(backlog->connection);
    }
    chat_block_release(backlog->block);
    free(backlog);
}

/* Put together as many of the page's events as there is room for, one at least. There is no way past a
 * message that cannot be shown, so a page ends before it. */
static apr_status_t render(stream_backlog_t *backlog, const chat_page_t *page, gc_buffer_t *text)
{
    gc_slice_t room = gc_slice_of(backlog->name);
    int i;

    for (i = 0; i < page->count; i++) {
        apr_size_t before = text->len;
        apr_status_t rv = chat_sse_append_event(text, room, &page->events[i]);

        if (rv != APR_SUCCESS && i == 0) {
            return rv;
        }
        if (rv != APR_SUCCESS || (i > 0 && text->len > backlog->bytes)) {
            text->len = before;
            break;
        }
        backlog->reached = page->events[i].position;
    }
    return APR_SUCCESS;
}

void stream_backlog_read(stream_backlog_t *backlog, chat_account_t *account, apr_pool_t *pool)
{
    gc_buffer_t text = gc_buffer_make(4096, pool);
    chat_page_t page;

    backlog->is_unfit = 0;
    backlog->status = room_view_look_after(backlog->site->reader, backlog->name, backlog->after,
                                           READ_MAX, &page, pool);
    if (backlog->status != APR_SUCCESS) {
        return;
    }
    backlog->reached = backlog->after;
    backlog->last_event_id = page.last_event_id;
    backlog->is_cut_off =
        backlog->after > page.last_event_id || backlog->after < page.first_kept_event_id - 1;
    if (backlog->is_cut_off) {
        return;
    }
    if (page.count == 0) {
        backlog->reached = page.last_event_id; /* nothing is stored there */
        return;
    }
    backlog->status = render(backlog, &page, &text);
    backlog->is_unfit = backlog->status != APR_SUCCESS;
    if (backlog->status == APR_SUCCESS) {
        backlog->block = chat_block_make(gc_buffer_slice(&text), gc_slice(NULL, 0), account);
        backlog->status = backlog->block ? APR_SUCCESS : APR_ENOMEM;
    }
}
