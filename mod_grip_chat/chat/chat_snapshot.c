#include "chat_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "chat_codec.h"
#include "chat_list.h"
#include "chat_sse.h"
#include "gc_assert.h"

/* An event of the text. */
typedef struct event_t {
    apr_int64_t event_id;
    apr_size_t offset;
} event_t;

struct chat_snapshot_t {
    chat_account_t *account;
    unsigned holders;
    chat_standing_t standing;
    apr_int64_t unreadable; /* the position of the newest message that is not UTF-8; 0 for none */
    apr_int64_t covered;    /* all that is stored behind this position is in it */
    chat_block_t *events;
    chat_block_t *list;
    char *note; /* set once, atomically */
    char etag[CHAT_LIST_ETAG_SIZE];
    int count;
    event_t index[]; /* oldest first */
};

/* A snapshot while it is made: some of an old one's events, and fresh ones. */
typedef struct making_t {
    const chat_snapshot_spec_t *spec;
    chat_standing_t standing;
    apr_int64_t unreadable;
    apr_int64_t covered;
    int is_list_broken; /* the list would reach the unreadable message */
    gc_slice_t old_text;
    const event_t *old; /* old_count events of an old snapshot */
    int old_count;
    gc_buffer_t text; /* of the fresh ones */
    event_t *fresh;
    int fresh_count;
    int from; /* the first that is kept, counted over both */
} making_t;

static apr_size_t size_of(int count)
{
    return sizeof(chat_snapshot_t) + sizeof(event_t) * (apr_size_t)count;
}

/* Write a message behind the others. */
static void render(making_t *making, const chat_event_t *event)
{
    apr_size_t before = making->text.len;

    making->standing.newest_id = event->id;
    making->standing.newest_created_ms = event->created_ms;
    making->standing.newest_event_id = event->position;
    if (chat_sse_append_event(&making->text, making->spec->room, event) == APR_SUCCESS) {
        making->fresh[making->fresh_count].event_id = event->position;
        making->fresh[making->fresh_count++].offset = before;
        return;
    }
    /* It cannot be shown, so there must be no way past it: a request for it gets its error as
     * before. */
    making->text.len = 0;
    making->text.data[0] = '\0';
    making->fresh_count = 0;
    making->old_count = 0;
    making->unreadable = event->position;
    making->covered = event->position;
}

static const event_t *event_at(const making_t *making, int i)
{
    return i < making->old_count ? &making->old[i] : &making->fresh[i - making->old_count];
}

/* The bytes of the events from the i-th on. */
static apr_size_t bytes_from(const making_t *making, int i)
{
    return i < making->old_count ? making->old_text.len - making->old[i].offset + making->text.len
                                 : making->text.len - event_at(making, i)->offset;
}

/* The text of the i-th event. */
static gc_slice_t text_at(const making_t *making, int i)
{
    int is_old = i < making->old_count;
    gc_slice_t text = is_old ? making->old_text : gc_buffer_slice(&making->text);
    int is_last = i + 1 == (is_old ? making->old_count : making->old_count + making->fresh_count);
    apr_size_t start = event_at(making, i)->offset;
    apr_size_t end = is_last ? text.len : event_at(making, i + 1)->offset;

    return gc_slice(text.data + start, end - start);
}

/* The list without messages. */
static gc_buffer_t empty_list(const making_t *making, apr_pool_t *pool)
{
    gc_buffer_t list = gc_buffer_make(128, pool);

    chat_codec_begin_list(&list);
    chat_codec_end_list(&list, making->spec->room, making->standing.last_event_id);
    return list;
}

/* Count the messages of the list: the newest, as many as there is room for, one at least. */
static void count_listed(making_t *making, apr_pool_t *scratch_pool)
{
    chat_standing_t *standing = &making->standing;
    apr_size_t bytes = empty_list(making, scratch_pool).len;
    int count = making->old_count + making->fresh_count;
    int i;

    standing->listed = 0;
    standing->listed_from = 0;
    for (i = count - 1; i >= 0 && standing->listed < making->spec->history; i--) {
        bytes += chat_sse_data(text_at(making, i)).len + strlen(CHAT_CODEC_BETWEEN);
        if (event_at(making, i)->event_id < standing->first_kept_event_id ||
            (standing->listed > 0 && bytes > making->spec->list_bytes))
        {
            break;
        }
        standing->listed++;
        standing->listed_from = event_at(making, i)->event_id;
    }
    standing->has_older =
        standing->listed > 0 &&
        ((i >= 0 && event_at(making, i)->event_id >= standing->first_kept_event_id) ||
         making->covered >= standing->first_kept_event_id);
    making->is_list_broken = i < 0 && standing->listed < making->spec->history &&
                             making->unreadable >= standing->first_kept_event_id;
}

/* Leave out messages that are not stored any more, and those beyond the bounds, except messages of
 * the list. */
static void trim(making_t *making)
{
    const chat_standing_t *standing = &making->standing;
    int count = making->old_count + making->fresh_count;

    for (making->from = 0; making->from < count; making->from++) {
        apr_int64_t event_id = event_at(making, making->from)->event_id;
        int rest = count - making->from;

        if (event_id >= standing->first_kept_event_id &&
            (rest <= standing->listed ||
             (rest <= CHAT_SNAPSHOT_MAX_EVENTS &&
              bytes_from(making, making->from) <= CHAT_SNAPSHOT_MAX_BYTES)))
        {
            break;
        }
        making->covered = event_id;
    }
    if (making->unreadable < standing->first_kept_event_id) {
        making->unreadable = 0;
    }
}

/* Put the kept events together; 0 without memory. */
static int copy_events(chat_snapshot_t *snapshot, const making_t *making)
{
    gc_slice_t head = {NULL, 0};
    gc_slice_t tail = gc_buffer_slice(&making->text);
    int i;

    if (making->from < making->old_count) {
        apr_size_t start = making->old[making->from].offset;

        head = gc_slice(making->old_text.data + start, making->old_text.len - start);
    }
    else if (snapshot->count > 0) {
        apr_size_t start = event_at(making, making->from)->offset;

        tail = gc_slice(tail.data + start, tail.len - start);
    }
    else {
        tail.len = 0;
    }
    for (i = 0; i < snapshot->count; i++) {
        snapshot->index[i].event_id = event_at(making, making->from + i)->event_id;
        snapshot->index[i].offset =
            bytes_from(making, making->from) - bytes_from(making, making->from + i);
    }
    snapshot->events = chat_block_make(head, tail, snapshot->account);
    return snapshot->events != NULL;
}

/* The text of the i-th event. */
static gc_slice_t event_text(const chat_snapshot_t *snapshot, int i)
{
    gc_slice_t text = chat_block_text(snapshot->events);
    apr_size_t end = i + 1 < snapshot->count ? snapshot->index[i + 1].offset : text.len;

    return gc_slice(text.data + snapshot->index[i].offset, end - snapshot->index[i].offset);
}

/* Make the list of the events' own data; 0 without memory. */
static int make_list(chat_snapshot_t *snapshot, const making_t *making, apr_pool_t *scratch_pool)
{
    int listed = snapshot->standing.listed;
    gc_buffer_t list;
    int i;

    if (making->is_list_broken) {
        return 1;
    }
    list = gc_buffer_make(1024 + chat_block_text(snapshot->events).len, scratch_pool);
    chat_codec_begin_list(&list);
    for (i = 0; i < listed; i++) {
        chat_codec_begin_item(&list, i);
        gc_buffer_append(&list, chat_sse_data(event_text(snapshot, snapshot->count - 1 - i)));
    }
    chat_codec_end_list(&list, making->spec->room, snapshot->standing.last_event_id);
    snapshot->list = chat_block_make(gc_buffer_slice(&list), gc_slice(NULL, 0), snapshot->account);
    return snapshot->list != NULL;
}

static apr_status_t finish(chat_snapshot_t **out, making_t *making, apr_pool_t *scratch_pool)
{
    chat_snapshot_t *snapshot;
    int count;

    count_listed(making, scratch_pool);
    trim(making);
    count = making->old_count + making->fresh_count - making->from;
    GC_ASSERT(count >= making->standing.listed);
    snapshot = chat_account_take(making->spec->account, size_of(count));
    if (!snapshot) {
        return APR_ENOMEM;
    }
    snapshot->account = making->spec->account;
    snapshot->holders = 1;
    snapshot->standing = making->standing;
    snapshot->unreadable = making->unreadable;
    snapshot->covered = making->covered;
    snapshot->events = NULL;
    snapshot->list = NULL;
    snapshot->note = NULL;
    snapshot->count = count;
    if (!copy_events(snapshot, making) || !make_list(snapshot, making, scratch_pool)) {
        chat_snapshot_release(snapshot);
        return APR_ENOMEM;
    }
    chat_list_etag(snapshot->etag, &snapshot->standing);
    *out = snapshot;
    return APR_SUCCESS;
}

chat_bounds_t chat_snapshot_bounds(const chat_snapshot_spec_t *spec)
{
    chat_bounds_t most = {spec->history, spec->list_bytes};

    if (most.count < CHAT_PAGE_MAX_EVENTS) {
        most.count = CHAT_PAGE_MAX_EVENTS;
    }
    if (most.bytes < CHAT_PAGE_MAX_BYTES) {
        most.bytes = CHAT_PAGE_MAX_BYTES;
    }
    return most;
}

static making_t begin(const chat_snapshot_spec_t *spec, const chat_page_t *page,
                      apr_pool_t *scratch_pool)
{
    making_t making = {.spec = spec};

    making.standing.last_event_id = page->last_event_id;
    making.standing.first_kept_event_id = page->first_kept_event_id;
    making.standing.base_event_id = page->base_event_id;
    making.text = gc_buffer_make(4096, scratch_pool);
    making.fresh = apr_palloc(scratch_pool, sizeof(event_t) * (apr_size_t)(page->count + 1));
    return making;
}

apr_status_t chat_snapshot_make(chat_snapshot_t **out, const chat_snapshot_spec_t *spec,
                                const chat_page_t *page, apr_pool_t *scratch_pool)
{
    making_t making = begin(spec, page, scratch_pool);
    int i;

    making.covered = page->has_more && page->count > 0 ? page->events[page->count - 1].position - 1
                                                       : page->first_kept_event_id - 1;
    for (i = page->count - 1; i >= 0; i--) {
        render(&making, &page->events[i]);
    }
    return finish(out, &making, scratch_pool);
}

/* Whether a page begins with a snapshot's newest event and leads to the room's end. */
static int goes_on(const chat_snapshot_t *old, const chat_page_t *page)
{
    const chat_standing_t *standing = &old->standing;

    return page->count > 0 && standing->newest_id != 0 &&
           page->events[0].position == standing->newest_event_id &&
           page->events[0].id == standing->newest_id &&
           page->events[0].created_ms == standing->newest_created_ms && !page->has_more;
}

apr_status_t chat_snapshot_extend(chat_snapshot_t **out, chat_snapshot_t *old,
                                  const chat_snapshot_spec_t *spec, const chat_page_t *page,
                                  apr_pool_t *scratch_pool)
{
    making_t making;
    int i;

    if (!goes_on(old, page)) {
        return APR_EINCOMPLETE;
    }
    if (page->count == 1 && page->first_kept_event_id == old->standing.first_kept_event_id &&
        page->last_event_id == old->standing.last_event_id)
    {
        chat_snapshot_pin(old);
        *out = old;
        return APR_SUCCESS;
    }
    making = begin(spec, page, scratch_pool);
    making.standing.newest_id = old->standing.newest_id;
    making.standing.newest_created_ms = old->standing.newest_created_ms;
    making.standing.newest_event_id = old->standing.newest_event_id;
    making.unreadable = old->unreadable;
    making.covered = old->covered;
    making.old_text = chat_block_text(old->events);
    making.old = old->index;
    making.old_count = old->count;
    for (i = 1; i < page->count; i++) {
        render(&making, &page->events[i]);
    }
    return finish(out, &making, scratch_pool);
}

void chat_snapshot_pin(chat_snapshot_t *snapshot)
{
    GC_ASSERT(__atomic_load_n(&snapshot->holders, __ATOMIC_RELAXED) > 0);
    __atomic_add_fetch(&snapshot->holders, 1, __ATOMIC_RELAXED);
}

void chat_snapshot_release(chat_snapshot_t *snapshot)
{
    GC_ASSERT(!snapshot || __atomic_load_n(&snapshot->holders, __ATOMIC_RELAXED) > 0);
    if (snapshot && __atomic_sub_fetch(&snapshot->holders, 1, __ATOMIC_ACQ_REL) == 0) {
        chat_block_release(snapshot->events);
        chat_block_release(snapshot->list);
        free(snapshot->note);
        chat_account_give_back(snapshot->account, snapshot, size_of(snapshot->count));
    }
}

const char *chat_snapshot_note(const chat_snapshot_t *snapshot)
{
    return __atomic_load_n(&snapshot->note, __ATOMIC_ACQUIRE);
}

void chat_snapshot_set_note(chat_snapshot_t *snapshot, const char *text)
{
    char *none = NULL;
    char *copy = strdup(text);

    if (copy && !__atomic_compare_exchange_n(&snapshot->note, &none, copy, 0, __ATOMIC_ACQ_REL,
                                             __ATOMIC_ACQUIRE))
    {
        free(copy);
    }
}

const chat_standing_t *chat_snapshot_standing(const chat_snapshot_t *snapshot)
{
    return &snapshot->standing;
}

const char *chat_snapshot_etag(const chat_snapshot_t *snapshot)
{
    return snapshot->etag;
}

int chat_snapshot_covers(const chat_snapshot_t *snapshot, apr_int64_t after)
{
    return after >= snapshot->covered || after >= snapshot->standing.last_event_id;
}

/* The first event behind a position. */
static int find_after(const chat_snapshot_t *snapshot, apr_int64_t after)
{
    int low = 0;
    int high = snapshot->count;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (snapshot->index[middle].event_id > after) {
            high = middle;
        }
        else {
            low = middle + 1;
        }
    }
    return low;
}

gc_slice_t chat_snapshot_events_after(const chat_snapshot_t *snapshot, apr_int64_t after,
                                      apr_int64_t up_to, apr_int64_t *reached)
{
    apr_int64_t end =
        up_to < snapshot->standing.last_event_id ? up_to : snapshot->standing.last_event_id;
    int first = find_after(snapshot, after);
    gc_slice_t text = {NULL, 0};
    int i;

    *reached = after;
    for (i = first; i < snapshot->count && i - first < CHAT_PAGE_MAX_EVENTS &&
                    snapshot->index[i].event_id <= up_to;
         i++)
    {
        gc_slice_t event = event_text(snapshot, i);

        if (i == first) {
            text.data = event.data;
        }
        else if (text.len + event.len > CHAT_PAGE_MAX_BYTES) {
            break;
        }
        text.len += event.len;
        *reached = snapshot->index[i].event_id;
    }
    if ((i == snapshot->count || snapshot->index[i].event_id > up_to) && end > *reached) {
        *reached = end; /* nothing is stored in between */
    }
    return text;
}

chat_block_t *chat_snapshot_events(const chat_snapshot_t *snapshot)
{
    return snapshot->events;
}

chat_block_t *chat_snapshot_list(const chat_snapshot_t *snapshot)
{
    return snapshot->list;
}

apr_size_t chat_snapshot_bytes(const chat_snapshot_t *snapshot)
{
    return size_of(snapshot->count) + chat_block_bytes(snapshot->events) +
           (snapshot->list ? chat_block_bytes(snapshot->list) : 0);
}
