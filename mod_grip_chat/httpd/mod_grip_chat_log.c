#include "mod_grip_chat_log.h"

#include <stdlib.h>

grip_chat_piece_t *grip_chat_piece_make(gc_slice_t text, apr_int64_t to, chat_account_t *account)
{
    grip_chat_piece_t *piece = malloc(sizeof(*piece));

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

void grip_chat_pieces_free(grip_chat_piece_t *pieces)
{
    while (pieces) {
        grip_chat_piece_t *next = pieces->next;

        chat_block_release(pieces->block);
        free(pieces);
        pieces = next;
    }
}

static void drop_first(grip_chat_log_t *log)
{
    grip_chat_piece_t *piece = grip_chat_log_at(log, log->first++);

    log->bytes -= chat_block_bytes(piece->block);
    grip_chat_pieces_free(piece);
}

int grip_chat_log_append(grip_chat_log_t *log, grip_chat_piece_t *pieces)
{
    if (pieces && !log->ring) {
        log->ring = malloc(sizeof(grip_chat_piece_t *) * GRIP_CHAT_LOG_PIECES);
        if (!log->ring) {
            grip_chat_pieces_free(pieces);
            return 0;
        }
    }
    while (pieces) {
        grip_chat_piece_t *next = pieces->next;

        if (log->end - log->first == GRIP_CHAT_LOG_PIECES) {
            drop_first(log);
        }
        pieces->next = NULL;
        log->ring[log->end++ % GRIP_CHAT_LOG_PIECES] = pieces;
        log->bytes += chat_block_bytes(pieces->block);
        pieces = next;
    }
    return 1;
}

void grip_chat_log_trim(grip_chat_log_t *log, apr_size_t bytes)
{
    while (log->bytes > bytes && log->first < log->end) {
        drop_first(log);
    }
}

void grip_chat_log_clear(grip_chat_log_t *log)
{
    grip_chat_log_trim(log, 0);
    free(log->ring);
    log->ring = NULL;
}
