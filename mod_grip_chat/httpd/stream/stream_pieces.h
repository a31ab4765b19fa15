/* The newest events of a room as its readers get them: pieces of event stream, each made once and
 * shared by all of them. They begin with the first event that the slowest reader lacks, of readers
 * that are not too slow. If no reader is behind, there are none.
 * Lives in a child, in the loop's thread, as a part of its room; the loader's thread makes single
 * pieces. */
#ifndef STREAM_PIECES_H
#define STREAM_PIECES_H

#include "chat_block.h"
#include "gc_assert.h"

/**
 * Bytes of event stream that a piece has at most, unless a single event is longer: as many as fit
 * into one write, with httpd's own FlushMaxThreshold.
 */
#define STREAM_PIECE_BYTES (48 * 1024)

/** Pieces and bytes that a room keeps for readers who are behind, and bytes where many rooms do. */
#define STREAM_PIECES_PIECES      512
#define STREAM_PIECES_BYTES       (2 * 1024 * 1024)
#define STREAM_PIECES_LEAST_BYTES (128 * 1024)

/** Some consecutive events. */
typedef struct stream_piece_t {
    struct stream_piece_t *next; /**< on the way to a room */
    apr_int64_t to;      /**< the position that it leads to; it begins where the one before leads */
    chat_block_t *block; /**< held */
} stream_piece_t;

/** The pieces of a room. All zero is empty. Pieces are counted on and on, from 0. */
typedef struct stream_pieces_t {
    stream_piece_t **ring; /**< STREAM_PIECES_PIECES, NULL while there is none */
    apr_uint64_t first;
    apr_uint64_t end; /**< behind the last */
    apr_size_t bytes;
} stream_pieces_t;

/** Make a piece of a text, malloc'ed; NULL without memory. Thread-safe. */
stream_piece_t *stream_piece_make(gc_slice_t text, apr_int64_t to, chat_account_t *account);

/** Free pieces that are in no room, with all that follow them; NULL is allowed. */
void stream_pieces_free(stream_piece_t *pieces);

/** Put pieces behind the others, and take over. @return 0 without memory: they are freed */
int stream_pieces_append(stream_pieces_t *pieces, stream_piece_t *first);

/** The n-th piece, first <= n < end. */
static inline stream_piece_t *stream_pieces_at(const stream_pieces_t *pieces, apr_uint64_t n)
{
    GC_ASSERT(n >= pieces->first && n < pieces->end);
    return pieces->ring[n % STREAM_PIECES_PIECES];
}

/** Drop the oldest until no more than so many bytes are left. */
void stream_pieces_trim(stream_pieces_t *pieces, apr_size_t bytes);

/** Drop all, and give the memory back. The count goes on. */
void stream_pieces_clear(stream_pieces_t *pieces);

#endif
