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

static void drop_first(stream_pieces_t *log)
{
    stream_piece_t *piece = stream_pieces_at(log, log->first++);

    log->bytes -= chat_block_bytes(piece->block);
    stream_pieces_free(piece);
}

int stream_pieces_append(stream_pieces_t *log, stream_piece_t *pieces)
{
    if (pieces && !log->ring) {
        log->ring = malloc(sizeof(stream_piece_t *) * STREAM_PIECES_PIECES);
        if (!log->ring) {
            stream_pieces_free(pieces);
            return 0;
        }
    }
    while (pieces) {
        stream_piece_t *next = pieces->next;

        if (log->end - log->first == STREAM_PIECES_PIECES) {
            drop_first(log);
        }
        pieces->next = NULL;
        log->ring[log->end++ % STREAM_PIECES_PIECES] = pieces;
        log->bytes += chat_block_bytes(pieces->block);
        pieces = next;
    }
    return 1;
}

void stream_pieces_trim(stream_pieces_t *log, apr_size_t bytes)
{
    while (log->bytes > bytes && log->first < log->end) {
        drop_first(log);
    }
}

void stream_pieces_clear(stream_pieces_t *log)
{
    stream_pieces_trim(log, 0);
    free(log->ring);
    log->ring = NULL;
}
