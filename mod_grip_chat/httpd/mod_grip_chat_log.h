/* The newest events of a room as its readers get them: pieces of event stream, each made once and shared
 * by all of them. It begins with what the slowest reader lacks that is not too slow; where nobody is
 * behind it is empty. Belongs to the loop's thread. */
#ifndef MOD_GRIP_CHAT_LOG_H
#define MOD_GRIP_CHAT_LOG_H

#include "chat_block.h"

/** Bytes of event stream that a piece has at most, unless a single event is longer: what fits into one
 *  write, with httpd's own FlushMaxThreshold. */
#define GRIP_CHAT_PIECE_BYTES (48 * 1024)

/** Pieces and bytes that a log keeps for readers who are behind, and bytes if there are many logs. */
#define GRIP_CHAT_LOG_PIECES      512
#define GRIP_CHAT_LOG_BYTES       (2 * 1024 * 1024)
#define GRIP_CHAT_LOG_LEAST_BYTES (128 * 1024)

/** Some consecutive events. */
typedef struct grip_chat_piece_t {
    struct grip_chat_piece_t *next; /**< on the way to a log */
    apr_int64_t to;      /**< the position that it leads to; it begins where the one before leads */
    chat_block_t *block; /**< held */
} grip_chat_piece_t;

/** A log. All zero is empty. Pieces are counted on and on, from 0. */
typedef struct grip_chat_log_t {
    grip_chat_piece_t **ring; /**< GRIP_CHAT_LOG_PIECES, NULL while there is none */
    apr_uint64_t first;
    apr_uint64_t end; /**< behind the last */
    apr_size_t bytes;
} grip_chat_log_t;

/** Make a piece of a text, malloc'ed; NULL without memory. Thread-safe. */
grip_chat_piece_t *grip_chat_piece_make(gc_slice_t text, apr_int64_t to, chat_account_t *account);

/** Free pieces that are in no log, with all that follow them; NULL is allowed. */
void grip_chat_pieces_free(grip_chat_piece_t *pieces);

/** Put pieces behind the others, and take over. @return 0 without memory: they are freed */
int grip_chat_log_append(grip_chat_log_t *log, grip_chat_piece_t *pieces);

/** The n-th piece, first <= n < end. */
static inline grip_chat_piece_t *grip_chat_log_at(const grip_chat_log_t *log, apr_uint64_t n)
{
    return log->ring[n % GRIP_CHAT_LOG_PIECES];
}

/** Drop the oldest until no more than so many bytes are left. */
void grip_chat_log_trim(grip_chat_log_t *log, apr_size_t bytes);

/** Drop all, and give the memory back. The count goes on. */
void grip_chat_log_clear(grip_chat_log_t *log);

#endif
