#include "stream_pieces.h"
#include "unit.h"

typedef struct room_t {
    chat_account_t *account;
    stream_pieces_t pieces;
} room_t;

static room_t open_room(void)
{
    room_t room = {chat_account_create(), {NULL, 0, 0, 0}};

    assert_non_null(room.account);
    return room;
}

/* All memory that was taken is given back. */
static void close_room(room_t *room)
{
    apr_size_t empty;
    chat_account_t *account = room->account;

    stream_pieces_clear(&room->pieces);
    assert_null(room->pieces.ring);
    assert_int_equal(room->pieces.bytes, 0);
    empty = chat_account_bytes(account);
    assert_int_equal(empty, 0);
    chat_account_release(account);
}

static stream_piece_t *make(room_t *room, const char *text, apr_int64_t to)
{
    stream_piece_t *piece = stream_piece_make(gc_slice_of(text), to, room->account);

    assert_non_null(piece);
    return piece;
}

static void append(room_t *room, const char *text, apr_int64_t to)
{
    assert_int_equal(stream_pieces_append(&room->pieces, make(room, text, to)), 1);
}

static void keeps_pieces_in_order(void **state)
{
    room_t room = open_room();
    stream_piece_t *first = make(&room, "one", 1);

    first->next = make(&room, "two", 2);
    assert_int_equal(stream_pieces_append(&room.pieces, first), 1);
    append(&room, "three", 3);
    assert_int_equal(room.pieces.first, 0);
    assert_int_equal(room.pieces.end, 3);
    assert_slice_equal(chat_block_text(stream_pieces_at(&room.pieces, 0)->block), "one");
    assert_slice_equal(chat_block_text(stream_pieces_at(&room.pieces, 1)->block), "two");
    assert_slice_equal(chat_block_text(stream_pieces_at(&room.pieces, 2)->block), "three");
    assert_int_equal(stream_pieces_at(&room.pieces, 2)->to, 3);
    close_room(&room);
}

static void appends_nothing(void **state)
{
    room_t room = open_room();

    assert_int_equal(stream_pieces_append(&room.pieces, NULL), 1);
    assert_null(room.pieces.ring);
    stream_pieces_trim(&room.pieces, 0);
    stream_pieces_free(NULL);
    close_room(&room);
}

static void drops_the_oldest_to_make_room(void **state)
{
    room_t room = open_room();
    int i;

    for (i = 1; i <= STREAM_PIECES_PIECES + 3; i++) {
        append(&room, "x", i);
    }
    assert_int_equal(room.pieces.end - room.pieces.first, STREAM_PIECES_PIECES);
    assert_int_equal(stream_pieces_at(&room.pieces, room.pieces.first)->to, 4);
    assert_int_equal(stream_pieces_at(&room.pieces, room.pieces.end - 1)->to,
                     STREAM_PIECES_PIECES + 3);
    close_room(&room);
}

static void trims_to_bytes(void **state)
{
    room_t room = open_room();
    apr_size_t one;

    append(&room, "0123456789", 1);
    one = room.pieces.bytes;
    append(&room, "0123456789", 2);
    append(&room, "0123456789", 3);
    assert_int_equal(room.pieces.bytes, 3 * one);
    stream_pieces_trim(&room.pieces, 2 * one);
    assert_int_equal(room.pieces.first, 1);
    stream_pieces_trim(&room.pieces, 2 * one - 1);
    assert_int_equal(room.pieces.first, 2);
    assert_int_equal(room.pieces.bytes, one);
    close_room(&room);
}

static void counts_on_when_all_are_dropped(void **state)
{
    room_t room = open_room();

    append(&room, "a", 1);
    append(&room, "b", 2);
    stream_pieces_clear(&room.pieces);
    assert_int_equal(room.pieces.first, 2);
    append(&room, "c", 3);
    assert_int_equal(room.pieces.end, 3);
    assert_int_equal(stream_pieces_at(&room.pieces, 2)->to, 3);
    close_room(&room);
}

static void a_reader_may_hold_a_piece_that_was_dropped(void **state)
{
    room_t room = open_room();
    chat_block_t *block;

    append(&room, "held", 1);
    block = stream_pieces_at(&room.pieces, 0)->block;
    chat_block_pin(block);
    stream_pieces_clear(&room.pieces);
    assert_slice_equal(chat_block_text(block), "held");
    chat_block_release(block);
    close_room(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(keeps_pieces_in_order),
        POOL_TEST(appends_nothing),
        POOL_TEST(drops_the_oldest_to_make_room),
        POOL_TEST(trims_to_bytes),
        POOL_TEST(counts_on_when_all_are_dropped),
        POOL_TEST(a_reader_may_hold_a_piece_that_was_dropped),
    };

    return UNIT_RUN(tests);
}
