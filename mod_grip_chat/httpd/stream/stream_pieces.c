#include "stream_pieces.h"

#include <stdlib.h>

stream_piece_t *stream_piece_make(gc_slice_t text, apr_int64_t to, chat_account_t *account)
{
    stream_piece_t *piece = malloc(sizeof(*piece));

    if (!piece) {
        return NULL;
    }
    piece->next = NULL;
    piece->to = to;
    piece->block = chat_block_make(text, gc_slice(NULL, 0), account);
    if (!piece->block) {
        free(piece);
        return NULL;
    }
    return piece;
}

void stream_pieces_free(stream_piece_t *pieces)
{
    while (pieces) {
        stream_piece_t *next = pieces->next;

        chat_block_release(pieces->block);
        free(pieces);
        pieces = next;
    }
}

static void drop_first(stream_pieces_t *pieces)
{
    stream_piece_t *piece = stream_pieces_at(pieces, pieces->first);

    GC_ASSERT(pieces->bytes >= chat_block_bytes(piece->block));
    pieces->first++;
    pieces->bytes -= chat_block_bytes(piece->block);
    stream_pieces_free(piece);
}

int stream_pieces_append(stream_pieces_t *pieces, stream_piece_t *first)
{
    if (first && !pieces->ring) {
        pieces->ring = malloc(sizeof(stream_piece_t *) * STREAM_PIECES_PIECES);
        if (!pieces->ring) {
            stream_pieces_free(first);
            return 0;
        }
    }
    while (first) {
        stream_piece_t *next = first->next;

        if (pieces->end - pieces->first == STREAM_PIECES_PIECES) {
            drop_first(pieces);
        }
        /* A room's positions grow. */
        GC_ASSERT(pieces->first == pieces->end ||
                  stream_pieces_at(pieces, pieces->end - 1)->to < first->to);
        first->next = NULL;
        pieces->ring[pieces->end++ % STREAM_PIECES_PIECES] = first;
        pieces->bytes += chat_block_bytes(first->block);
        first = next;
    }
    return 1;
}

void stream_pieces_trim(stream_pieces_t *pieces, apr_size_t bytes)
{
    while (pieces->bytes > bytes && pieces->first < pieces->end) {
        drop_first(pieces);
    }
}

void stream_pieces_clear(stream_pieces_t *pieces)
{
    stream_pieces_trim(pieces, 0);
    GC_ASSERT(pieces->first == pieces->end && pieces->bytes == 0);
    free(pieces->ring);
    pieces->ring = NULL;
}
