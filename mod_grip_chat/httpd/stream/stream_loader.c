#include "stream_loader.h"

#include <apr_thread_proc.h>

#include "chat_sse.h"
#include "gc_lock.h"
#include "gc_pool.h"

/* Messages that are read at once where the room in memory does not go back far enough. */
#define READ_MAX CHAT_PAGE_MAX_EVENTS

/* Memory that the thread keeps for its next read. */
#define SCRATCH_BYTES (1024 * 1024)

struct stream_loader_t {
    const ipc_shared_t *shared;
    stream_loader_notify_fn *notify;
    void *baton;
    gc_owner_t loop;         /* the thread that it reads for */
    gc_owner_t owner;        /* its own */
    chat_account_t *account; /* the loop's */
    apr_pool_t *scratch;     /* the thread's */
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex; /* guards the next fields */
    apr_thread_cond_t *wake;
    stream_loads_t waiting;
    stream_loads_t done;
    stream_backlogs_t pages; /* to be read */
    stream_backlogs_t pages_done;
    int is_turn_of_page;
    int is_stopping;
};

/* Pieces while they are made. */
typedef struct cutting_t {
    stream_load_t *load;
    chat_account_t *account;
    stream_piece_t **end;
    gc_buffer_t text;
    apr_int64_t reached;
    apr_size_t bytes; /* in pieces */
} cutting_t;

/* Make a piece of the text, if there is any. @return APR_SUCCESS or APR_ENOMEM */
static apr_status_t cut(cutting_t *cutting)
{
    cutting->load->to = cutting->reached;
    if (cutting->text.len == 0) {
        return APR_SUCCESS;
    }
    *cutting->end =
        stream_piece_make(gc_buffer_slice(&cutting->text), cutting->reached, cutting->account);
    if (!*cutting->end) {
        return APR_ENOMEM;
    }
    cutting->end = &(*cutting->end)->next;
    cutting->bytes += cutting->text.len;
    cutting->text.len = 0;
    return APR_SUCCESS;
}

/* Put some events behind the others, which lead to a position. */
static apr_status_t add(cutting_t *cutting, gc_slice_t events, apr_int64_t to)
{
    apr_status_t rv = APR_SUCCESS;

    GC_ASSERT(to > cutting->reached);
    if (cutting->text.len + events.len > STREAM_PIECE_BYTES) {
        rv = cut(cutting);
    }
    gc_buffer_append(&cutting->text, events);
    cutting->reached = to;
    return rv;
}

/* Add the events of the room in memory. */
static apr_status_t add_from_memory(cutting_t *cutting, apr_int64_t last)
{
    const chat_snapshot_t *snapshot = cutting->load->snapshot;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && cutting->reached < last) {
        apr_int64_t to;
        gc_slice_t events = chat_snapshot_events_after(snapshot, cutting->reached, last, &to);

        if (events.len > STREAM_PIECE_BYTES && to > cutting->reached + 1) {
            events = chat_snapshot_events_after(snapshot, cutting->reached,
                                                (cutting->reached + to) / 2, &to);
        }
        rv = add(cutting, events, to);
    }
    return rv;
}

/* Add a page of the database's events that are not in memory any more. */
static apr_status_t add_from_database(cutting_t *cutting, apr_int64_t last, apr_pool_t *pool)
{
    const stream_load_t *load = cutting->load;
    gc_buffer_t text = gc_buffer_make(4096, pool);
    chat_page_t page;
    apr_status_t rv = room_view_look_after(load->site->reader, load->name, cutting->reached,
                                           READ_MAX, &page, pool);
    int i;

    if (rv == APR_SUCCESS && cutting->reached < page.first_kept_event_id - 1) {
        return APR_EINCOMPLETE; /* the next events were deleted meanwhile */
    }
    for (i = 0; rv == APR_SUCCESS && i < page.count && page.events[i].position <= last; i++) {
        text.len = 0;
        rv = chat_sse_append_event(&text, gc_slice_of(load->name), &page.events[i]);
        if (rv == APR_SUCCESS) {
            rv = add(cutting, gc_buffer_slice(&text), page.events[i].position);
        }
    }
    if (rv == APR_SUCCESS && (i < page.count || !page.has_more)) {
        cutting->reached = last; /* nothing is stored in between */
    }
    return rv;
}

/* Make the pieces from the position on that the loop has, as many as a room keeps; the rest is for the next
 * time. */
static apr_status_t make_pieces(const stream_loader_t *loader, stream_load_t *load,
                                apr_pool_t *pool)
{
    apr_int64_t last = chat_snapshot_standing(load->snapshot)->last_event_id;
    cutting_t cutting = {
        load, loader->account, &load->pieces, gc_buffer_make(8192, pool), load->after, 0};
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && cutting.reached < last &&
           cutting.bytes < STREAM_PIECES_BYTES - STREAM_PIECE_BYTES)
    {
        rv = chat_snapshot_covers(load->snapshot, cutting.reached)
                 ? add_from_memory(&cutting, last)
                 : add_from_database(&cutting, last, pool);
    }
    return rv == APR_SUCCESS ? cut(&cutting) : rv;
}

static void read_room(const stream_loader_t *loader, stream_load_t *load, apr_pool_t *pool)
{
    const chat_standing_t *standing;

    GC_ASSERT_OWNER(&loader->owner);
    stream_load_clear(load);
    load->version =
        ipc_shared_version(loader->shared, load->site->keeper.database_number, load->slot);
    load->status = room_view_look(load->site->reader, load->name, (int)load->site->settings.history,
                                  &load->snapshot);
    if (load->status != APR_SUCCESS) {
        return;
    }
    standing = chat_snapshot_standing(load->snapshot);
    load->to = standing->last_event_id;
    load->is_cut_off = !load->is_first && (load->after > standing->last_event_id ||
                                           load->after < standing->first_kept_event_id - 1);
    if (!load->is_first && !load->is_cut_off && load->after < standing->last_event_id) {
        load->to = load->after;
        load->status = make_pieces(loader, load, pool);
    }
    if (load->status != APR_SUCCESS) {
        stream_pieces_free(load->pieces);
        load->pieces = NULL;
    }
    if (load->status == APR_EINCOMPLETE) {
        load->status = APR_SUCCESS;
        load->is_cut_off = 1;
        load->to = standing->last_event_id;
    }
    if (load->status != APR_SUCCESS) {
        chat_snapshot_release(load->snapshot);
    }
}

/* Read the next room, with the mutex held but while it reads. */
static void load_room(stream_loader_t *loader)
{
    stream_load_t *load = stream_loads_take(&loader->waiting);

    GC_ASSERT_LOCKED(loader->mutex);
    gc_lock_leave(loader->mutex);
    read_room(loader, load, loader->scratch);
    gc_lock_enter(loader->mutex);
    stream_loads_put(&loader->done, load);
}

/* Read the next page, likewise, for all readers that wait for the same. */
static void load_page(stream_loader_t *loader)
{
    stream_backlog_t *page = stream_backlogs_take(&loader->pages);

    GC_ASSERT_LOCKED(loader->mutex);
    stream_backlogs_join(&loader->pages, page);
    gc_lock_leave(loader->mutex);
    stream_backlog_read(page, loader->account, loader->scratch);
    gc_lock_enter(loader->mutex);
    if (page->status != APR_SUCCESS && !page->is_unfit) {
        stream_backlogs_join_site(&loader->pages, page);
    }
    stream_backlog_share(page);
    while (page) {
        stream_backlog_t *next = page->next;

        stream_backlogs_put(&loader->pages_done, page);
        page = next;
    }
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    stream_loader_t *loader = data;

    gc_owner_take(&loader->owner);
    gc_lock_enter(loader->mutex);
    while (!loader->is_stopping) {
        int has_page = loader->pages.first != NULL;

        if (!loader->waiting.first && !has_page) {
            gc_lock_wait(loader->wake, loader->mutex);
            continue;
        }
        apr_pool_clear(loader->scratch);
        if (has_page && (loader->is_turn_of_page || !loader->waiting.first)) {
            load_page(loader);
            loader->is_turn_of_page = 0;
        }
        else {
            load_room(loader);
            loader->is_turn_of_page = 1;
        }
        loader->notify(loader->baton);
    }
    gc_lock_leave(loader->mutex);
    return NULL;
}

apr_status_t stream_loader_start(stream_loader_t **out, const ipc_shared_t *shared,
                                 chat_account_t *account, stream_loader_notify_fn *notify,
                                 void *baton, apr_pool_t *pool)
{
    stream_loader_t *loader = apr_pcalloc(pool, sizeof(*loader));
    apr_status_t rv = apr_thread_mutex_create(&loader->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    loader->shared = shared;
    loader->account = account;
    loader->notify = notify;
    loader->baton = baton;
    stream_loads_init(&loader->waiting);
    stream_loads_init(&loader->done);
    stream_backlogs_init(&loader->pages);
    stream_backlogs_init(&loader->pages_done);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&loader->wake, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = gc_pool_create(&loader->scratch, pool, "grip_chat_loader");
    }
    if (rv == APR_SUCCESS) {
        apr_allocator_max_free_set(apr_pool_allocator_get(loader->scratch), SCRATCH_BYTES);
        rv = apr_thread_create(&loader->thread, NULL, run, loader, pool);
    }
    if (rv == APR_SUCCESS) {
        *out = loader;
    }
    return rv;
}

void stream_loader_push(stream_loader_t *loader, stream_load_t *load)
{
    GC_ASSERT_OWNER(&loader->loop);
    gc_lock_enter(loader->mutex);
    stream_loads_put(&loader->waiting, load);
    gc_lock_wake(loader->wake);
    gc_lock_leave(loader->mutex);
}

stream_load_t *stream_loader_take(stream_loader_t *loader)
{
    stream_load_t *load;

    GC_ASSERT_OWNER(&loader->loop);
    gc_owner_take(&loader->loop);
    gc_lock_enter(loader->mutex);
    load = stream_loads_take(&loader->done);
    gc_lock_leave(loader->mutex);
    return load;
}

void stream_loader_push_page(stream_loader_t *loader, stream_backlog_t *backlog)
{
    gc_lock_enter(loader->mutex);
    stream_backlogs_put(&loader->pages, backlog);
    gc_lock_wake(loader->wake);
    gc_lock_leave(loader->mutex);
}

stream_backlog_t *stream_loader_take_pages(stream_loader_t *loader)
{
    stream_backlog_t *first;

    GC_ASSERT_OWNER(&loader->loop);
    gc_lock_enter(loader->mutex);
    first = loader->pages_done.first;
    stream_backlogs_init(&loader->pages_done);
    gc_lock_leave(loader->mutex);
    return first;
}

apr_status_t stream_loader_stop(stream_loader_t *loader)
{
    apr_status_t result = APR_SUCCESS;
    apr_status_t rv;

    gc_lock_enter(loader->mutex);
    loader->is_stopping = 1;
    gc_lock_wake(loader->wake);
    gc_lock_leave(loader->mutex);
    rv = apr_thread_join(&result, loader->thread);
    return rv == APR_SUCCESS ? result : rv;
}
