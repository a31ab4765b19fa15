#include "stream_delivery.h"

#include "chat_sse.h"
#include "gc_assert.h"
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

static void reset(stream_delivery_t *delivery, const stream_room_t *room,
                  stream_connection_t *connection, apr_int64_t position)
{
    gc_buffer_t text;

    apr_pool_clear(delivery->scratch);
    text = gc_buffer_make(256, delivery->scratch);
    connection->reached = position;
    chat_sse_append_reset(&text, gc_slice_of(room->name), connection->reached);
    stream_connection_write_text(connection, gc_buffer_slice(&text));
}

/* The events that a reader lacks are not in memory, and are to be read for it. */
static void fall_behind(stream_connection_t *connection)
{
    connection->is_aligned = 0;
    connection->is_behind = 1;
}

static void write_block(stream_connection_t *connection, chat_block_t *block)
{
    if (chat_block_text(block).len > connection->chunk) {
        stream_connection_write(connection, block, chat_block_text(block));
    }
    else {
        stream_connection_write_all(connection, &block, 1);
    }
}

/* Write from the pieces, as many pieces at once as go into one write. */
static void give_pieces(stream_connection_t *connection)
{
    const stream_pieces_t *pieces = &connection->room->pieces;

    GC_ASSERT(connection->is_aligned && connection->next_piece <= pieces->end);
    if (connection->next_piece < pieces->first) {
        fall_behind(connection);
        return;
    }
    while (connection->state == STREAM_CONNECTION_OPEN && connection->next_piece < pieces->end) {
        chat_block_t *blocks[STREAM_CONNECTION_BLOCKS];
        apr_size_t bytes = 0;
        int count = 0;

        while (connection->next_piece < pieces->end && count < STREAM_CONNECTION_BLOCKS) {
            const stream_piece_t *piece = stream_pieces_at(pieces, connection->next_piece);

            bytes += chat_block_text(piece->block).len;
            if (count > 0 && bytes > connection->chunk) {
                break;
            }
            blocks[count++] = piece->block;
            connection->reached = piece->to;
            connection->next_piece++;
        }
        if (count == 1) {
            write_block(connection, blocks[0]);
        }
        else {
            stream_connection_write_all(connection, blocks, count);
        }
    }
}

/* A load, while it is given to the readers of its room. */
typedef struct giving_t {
    stream_delivery_t *delivery;
    stream_room_t *room;
    const stream_load_t *load;
    apr_int64_t old_tail; /* the room's, before the load */
    apr_uint64_t old_end; /* of its pieces, likewise */
} giving_t;

/* Write from the room in memory, to a new reader between two pieces. */
static void give_from_memory(const giving_t *giving, stream_connection_t *connection)
{
    const chat_snapshot_t *snapshot = giving->load->snapshot;
    apr_int64_t tail = giving->room->tail;

    if (!chat_snapshot_covers(snapshot, connection->reached)) {
        fall_behind(connection);
        return;
    }
    while (connection->state == STREAM_CONNECTION_OPEN && connection->reached < tail) {
        gc_slice_t part =
            chat_snapshot_events_after(snapshot, connection->reached, tail, &connection->reached);
        chat_block_t *block;

        if (part.len == 0) {
            continue; /* nothing is stored up to there */
        }
        block = chat_block_make(part, gc_slice(NULL, 0), giving->delivery->account);
        if (!block) {
            connection->state = STREAM_CONNECTION_GONE;
            return;
        }
        stream_connection_write(connection, block, chat_block_text(block));
        chat_block_release(block);
    }
}

/* The next piece that a reader gets is that of this number. */
static void align_at(stream_connection_t *connection, apr_uint64_t piece)
{
    connection->is_aligned = 1;
    connection->next_piece = piece;
}

/* Find the place of a reader among the pieces: at the piece that was just put behind it, or at the
 * end. */
static void align(const giving_t *giving, stream_connection_t *connection)
{
    const stream_room_t *room = giving->room;
    const chat_standing_t *standing = chat_snapshot_standing(giving->load->snapshot);

    if (connection->reached > standing->last_event_id ||
        connection->reached < standing->first_kept_event_id - 1)
    {
        reset(giving->delivery, room, connection, room->tail);
    }
    else if (room->is_read && !giving->load->is_cut_off && connection->reached == giving->old_tail)
    {
        align_at(connection, giving->old_end);
        return;
    }
    else if (connection->reached < room->tail) {
        give_from_memory(giving, connection);
    }
    if (connection->reached == room->tail && !connection->is_behind) {
        align_at(connection, room->pieces.end);
    }
}

/* No reader's position is one any more that events can follow. */
static void cut_off(const giving_t *giving, stream_connection_t *connection)
{
    if (connection->state == STREAM_CONNECTION_OPEN) {
        reset(giving->delivery, giving->room, connection, giving->room->tail);
        align_at(connection, giving->room->pieces.end);
    }
    else if (connection->state == STREAM_CONNECTION_FULL) {
        fall_behind(connection); /* it is told when it takes something again */
    }
}

static void give(const giving_t *giving, stream_connection_t *connection)
{
    if (giving->load->is_cut_off && connection->is_aligned) {
        cut_off(giving, connection);
    }
    else if (connection->state == STREAM_CONNECTION_OPEN && !connection->is_aligned &&
             giving->load->snapshot)
    {
        align(giving, connection);
    }
    if (connection->state == STREAM_CONNECTION_OPEN && connection->is_aligned) {
        give_pieces(connection);
    }
}

int stream_delivery_give(stream_delivery_t *delivery, const stream_load_t *load,
                         stream_delivery_fn *written, void *baton)
{
    stream_room_t *room = load->room;
    giving_t giving = {delivery, room, load, room->tail, room->pieces.end};
    int is_crowded = chat_account_bytes(delivery->account) > STREAM_DELIVERY_BYTES;
    stream_connection_t *connection;

    GC_ASSERT(room->load == load && load->status == APR_SUCCESS);
    GC_ASSERT(!room->is_read || load->is_cut_off || load->to >= room->tail);
    if (load->is_cut_off) {
        stream_pieces_clear(&room->pieces); /* no reader goes on from there */
    }
    if (!stream_pieces_append(&room->pieces, load->pieces)) {
        return 1; /* as if it had not been read */
    }
    room->tail = load->to;
    for (connection = room->first; connection; connection = connection->next) {
        stream_connection_state_e before = connection->state;
        apr_int64_t reached = connection->reached;

        if (before <= STREAM_CONNECTION_FULL && connection->first_load <= room->loads &&
            !connection->is_behind)
        {
            give(&giving, connection);
            if (connection->state != before || connection->reached != reached ||
                connection->is_behind) {
                written(connection, before, baton);
            }
        }
    }
    if (room->full == 0) {
        stream_pieces_clear(&room->pieces);
    }
    else {
        stream_pieces_trim(&room->pieces,
                           is_crowded ? STREAM_PIECES_LEAST_BYTES : STREAM_PIECES_BYTES);
    }
    return load->snapshot && room->tail != chat_snapshot_standing(load->snapshot)->last_event_id;
}

int stream_delivery_go_on(stream_connection_t *connection)
{
    if (connection->state == STREAM_CONNECTION_OPEN && connection->is_aligned) {
        give_pieces(connection);
    }
    return connection->is_aligned;
}

void stream_delivery_give_page(stream_delivery_t *delivery, stream_backlog_t *backlog)
{
    stream_connection_t *connection = backlog->connection;

    GC_ASSERT(connection->state == STREAM_CONNECTION_OPEN && connection->is_behind);
    if (backlog->is_cut_off) {
        reset(delivery, backlog->room, connection, backlog->last_event_id);
    }
    else {
        connection->reached = backlog->reached;
        if (backlog->block) {
            write_block(connection, backlog->block);
        }
    }
    connection->is_behind = connection->reached < backlog->last_event_id;
}
