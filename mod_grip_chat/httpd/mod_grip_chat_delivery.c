#include "mod_grip_chat_delivery.h"

#include "chat_sse.h"
#include "gc_pool.h"

/* Of a block a part below one in so many is copied, lest a slow reader holds much memory for little
 * text; all readers at the same position share the copy. */
#define COPIED_SHARE 4

/* What follows a position, as readers get it. */
typedef struct piece_t {
    apr_int64_t from;
    apr_int64_t to;
    chat_block_t *block; /* NULL for none */
    gc_slice_t part;
} piece_t;

static apr_status_t release_account(void *data)
{
    chat_account_release(data);
    return APR_SUCCESS;
}

apr_status_t grip_chat_delivery_init(grip_chat_delivery_t *delivery, apr_pool_t *pool)
{
    delivery->account = chat_account_create();
    if (!delivery->account) {
        return APR_ENOMEM;
    }
    apr_pool_cleanup_register(pool, delivery->account, release_account, apr_pool_cleanup_null);
    return gc_pool_create(&delivery->scratch, pool, "grip_chat_delivery");
}

static void cut(grip_chat_delivery_t *delivery, piece_t *piece, const chat_snapshot_t *snapshot,
                apr_int64_t from)
{
    chat_block_t *all = chat_snapshot_events(snapshot);
    apr_int64_t last = chat_snapshot_standing(snapshot)->last_event_id;

    chat_block_release(piece->block);
    piece->from = from;
    piece->part = chat_snapshot_events_after(snapshot, from, last, &piece->to);
    piece->block = NULL;
    if (piece->part.len * COPIED_SHARE < chat_block_bytes(all)) {
        piece->block = chat_block_make(piece->part, gc_slice(NULL, 0), delivery->account);
    }
    if (piece->block) {
        piece->part = chat_block_text(piece->block);
    }
    else {
        chat_block_pin(all);
        piece->block = all;
    }
}

static void reset(grip_chat_delivery_t *delivery, const grip_chat_room_t *room,
                  grip_chat_held_t *held)
{
    gc_buffer_t text;

    apr_pool_clear(delivery->scratch);
    text = gc_buffer_make(256, delivery->scratch);
    held->reached = room->last_event_id;
    chat_sse_append_reset(&text, gc_slice_of(room->name), held->reached);
    grip_chat_held_write_text(held, gc_buffer_slice(&text));
}

/* Give one reader all that its connection takes. */
static void give(grip_chat_delivery_t *delivery, const grip_chat_room_t *room, piece_t *piece,
                 grip_chat_held_t *held)
{
    const chat_standing_t *standing = chat_snapshot_standing(room->snapshot);

    if (held->reached > standing->last_event_id ||
        held->reached < standing->first_kept_event_id - 1) {
        reset(delivery, room, held);
    }
    else if (!chat_snapshot_covers(room->snapshot, held->reached)) {
        held->state = GRIP_CHAT_HELD_GONE;
    }
    while (held->state == GRIP_CHAT_HELD_OPEN && held->reached < standing->last_event_id) {
        if (!piece->block || piece->from != held->reached) {
            cut(delivery, piece, room->snapshot, held->reached);
        }
        held->reached = piece->to;
        grip_chat_held_write(held, piece->block, piece->part);
    }
}

void grip_chat_delivery_give(grip_chat_delivery_t *delivery, grip_chat_room_t *room,
                             grip_chat_delivery_fn *written, void *baton)
{
    piece_t piece = {0, 0, NULL, {NULL, 0}};
    grip_chat_held_t *held;

    for (held = room->first; held; held = held->next) {
        grip_chat_held_state_e before = held->state;

        if (before == GRIP_CHAT_HELD_OPEN && held->reached != room->last_event_id &&
            held->first_load <= room->loads)
        {
            give(delivery, room, &piece, held);
            written(held, before, baton);
        }
    }
    chat_block_release(piece.block);
}
