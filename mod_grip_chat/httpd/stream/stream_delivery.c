#include "stream_delivery.h"

#include "chat_sse.h"
#include "gc_pool.h"

static apr_status_t release_account(void *data)
{
    chat_account_release(data);
    return APR_SUCCESS;
}

apr_status_t stream_delivery_init(stream_delivery_t *delivery, apr_pool_t *pool)
{
    delivery->account = chat_account_create();
    if (!delivery->account) {
        return APR_ENOMEM;
    }
    apr_pool_cleanup_register(pool, delivery->account, release_account, apr_pool_cleanup_null);
    return gc_pool_create(&delivery->scratch, pool, "grip_chat_delivery");
}

static void reset(stream_delivery_t *delivery, const stream_room_t *room, stream_connection_t *held,
                  apr_int64_t position)
{
    gc_buffer_t text;

    apr_pool_clear(delivery->scratch);
    text = gc_buffer_make(256, delivery->scratch);
    held->reached = position;
    chat_sse_append_reset(&text, gc_slice_of(room->name), held->reached);
    stream_connection_write_text(held, gc_buffer_slice(&text));
}

/* What a reader lacks is not at hand, and is to be read for it. */
static void fall_behind(stream_connection_t *held)
{
    held->is_aligned = 0;
    held->is_behind = 1;
}

static void write_block(stream_connection_t *held, chat_block_t *block)
{
    if (chat_block_text(block).len > held->chunk) {
        stream_connection_write(held, block, chat_block_text(block));
    }
    else {
        stream_connection_write_all(held, &block, 1);
    }
}

/* Write from the log, as many pieces at once as go into one write. */
static void give_pieces(stream_connection_t *held)
{
    const stream_pieces_t *log = &held->room->log;

    if (held->next_piece < log->first) {
        fall_behind(held);
        return;
    }
    while (held->state == STREAM_CONNECTION_OPEN && held->next_piece < log->end) {
        chat_block_t *blocks[STREAM_CONNECTION_BLOCKS];
        apr_size_t bytes = 0;
        int count = 0;

        while (held->next_piece < log->end && count < STREAM_CONNECTION_BLOCKS) {
            const stream_piece_t *piece = stream_pieces_at(log, held->next_piece);

            bytes += chat_block_text(piece->block).len;
            if (count > 0 && bytes > held->chunk) {
                break;
            }
            blocks[count++] = piece->block;
            held->reached = piece->to;
            held->next_piece++;
        }
        if (count == 1) {
            write_block(held, blocks[0]);
        }
        else {
            stream_connection_write_all(held, blocks, count);
        }
    }
}

/* Write from the room in memory, to a reader who has just come and is between two pieces. */
static void give_from_memory(const stream_delivery_t *delivery, const stream_room_t *room,
                             stream_connection_t *held)
{
    const chat_snapshot_t *snapshot = room->snapshot;

    if (!chat_snapshot_covers(snapshot, held->reached)) {
        fall_behind(held);
        return;
    }
    while (held->state == STREAM_CONNECTION_OPEN && held->reached < room->tail) {
        gc_slice_t part =
            chat_snapshot_events_after(snapshot, held->reached, room->tail, &held->reached);
        chat_block_t *block;

        if (part.len == 0) {
            continue; /* nothing is stored up to there */
        }
        block = chat_block_make(part, gc_slice(NULL, 0), delivery->account);
        if (!block) {
            held->state = STREAM_CONNECTION_GONE;
            return;
        }
        stream_connection_write(held, block, chat_block_text(block));
        chat_block_release(block);
    }
}

/* Find where a reader is in the log: at what has just been put behind it, or at its end. */
static void align(stream_delivery_t *delivery, stream_room_t *room, stream_connection_t *held,
                  apr_int64_t old_tail, apr_uint64_t old_end)
{
    const chat_standing_t *standing = chat_snapshot_standing(room->snapshot);

    if (held->reached > standing->last_event_id ||
        held->reached < standing->first_kept_event_id - 1) {
        reset(delivery, room, held, room->tail);
    }
    else if (room->is_read && !room->is_cut_off && held->reached == old_tail) {
        held->is_aligned = 1;
        held->next_piece = old_end;
        return;
    }
    else if (held->reached < room->tail) {
        give_from_memory(delivery, room, held);
    }
    if (held->reached == room->tail && !held->is_behind) {
        held->is_aligned = 1;
        held->next_piece = room->log.end;
    }
}

/* Nobody's position is one any more that something follows. */
static void cut_off(stream_delivery_t *delivery, stream_room_t *room, stream_connection_t *held)
{
    if (held->state == STREAM_CONNECTION_OPEN) {
        reset(delivery, room, held, room->tail);
        held->is_aligned = 1;
        held->next_piece = room->log.end;
    }
    else if (held->state == STREAM_CONNECTION_FULL) {
        fall_behind(held); /* it is told when it takes something again */
    }
}

static void give(stream_delivery_t *delivery, stream_room_t *room, stream_connection_t *held,
                 apr_int64_t old_tail, apr_uint64_t old_end)
{
    if (room->is_cut_off && held->is_aligned) {
        cut_off(delivery, room, held);
    }
    else if (held->state == STREAM_CONNECTION_OPEN && !held->is_aligned && room->snapshot) {
        align(delivery, room, held, old_tail, old_end);
    }
    if (held->state == STREAM_CONNECTION_OPEN && held->is_aligned) {
        give_pieces(held);
    }
}

int stream_delivery_give(stream_delivery_t *delivery, stream_room_t *room,
                         stream_delivery_fn *written, void *baton)
{
    apr_int64_t old_tail = room->tail;
    apr_uint64_t old_end = room->log.end;
    int is_crowded = chat_account_bytes(delivery->account) > STREAM_DELIVERY_BYTES;
    stream_connection_t *held;

    if (!stream_pieces_append(&room->log, room->pieces)) {
        return 1; /* as if it had not been read */
    }
    room->tail = room->loaded_tail;
    for (held = room->first; held; held = held->next) {
        stream_connection_state_e before = held->state;
        apr_int64_t reached = held->reached;

        if (before <= STREAM_CONNECTION_FULL && held->first_load <= room->loads && !held->is_behind)
        {
            give(delivery, room, held, old_tail, old_end);
            if (held->state != before || held->reached != reached || held->is_behind) {
                written(held, before, baton);
            }
        }
    }
    if (room->full == 0) {
        stream_pieces_clear(&room->log);
    }
    else {
        stream_pieces_trim(&room->log,
                           is_crowded ? STREAM_PIECES_LEAST_BYTES : STREAM_PIECES_BYTES);
    }
    return room->snapshot && room->tail != chat_snapshot_standing(room->snapshot)->last_event_id;
}

int stream_delivery_go_on(stream_connection_t *held)
{
    if (held->state == STREAM_CONNECTION_OPEN && held->is_aligned) {
        give_pieces(held);
    }
    return held->is_aligned;
}

void stream_delivery_give_page(stream_delivery_t *delivery, stream_backlog_t *backlog)
{
    stream_connection_t *held = backlog->held;

    if (backlog->is_cut_off) {
        reset(delivery, backlog->room, held, backlog->last_event_id);
    }
    else {
        held->reached = backlog->reached;
        if (backlog->block) {
            write_block(held, backlog->block);
        }
    }
    held->is_behind = held->reached < backlog->last_event_id;
}
