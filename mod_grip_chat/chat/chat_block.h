/* A block of text outside pools. Any number of threads read it, and its last holder frees it. A
 * block from a cache may be on its way to slow readers long after the cache let go of it. */
#ifndef CHAT_BLOCK_H
#define CHAT_BLOCK_H

#include "gc_slice.h"

/** Counts the bytes that are alive, with all their holders. */
typedef struct chat_account_t chat_account_t;

/** Some bytes that never change. */
typedef struct chat_block_t chat_block_t;

/**
 * Open an account; NULL without memory. It ends when its owner and all memory taken on it are
 * gone.
 */
chat_account_t *chat_account_create(void);

/** Take memory on an account; NULL without memory. Thread-safe. */
void *chat_account_take(chat_account_t *account, apr_size_t bytes);

/** Give memory back, with the number of bytes that it was taken with. Thread-safe. */
void chat_account_give_back(chat_account_t *account, void *memory, apr_size_t bytes);

/** How many bytes are alive. Thread-safe. */
apr_size_t chat_account_bytes(const chat_account_t *account);

/** The owner lets go of it. */
void chat_account_release(chat_account_t *account);

/**
 * Copy two pieces into one block, which has one holder.
 *
 * @return NULL without memory. Thread-safe.
 */
chat_block_t *chat_block_make(gc_slice_t head, gc_slice_t tail, chat_account_t *account);

/** The text, as long as one holds the block. */
gc_slice_t chat_block_text(const chat_block_t *block);

/** How many bytes of memory it takes. */
apr_size_t chat_block_bytes(const chat_block_t *block);

/**
 * Become one more holder. The caller is a holder, or keeps the block's holder from letting go.
 * Thread-safe.
 */
void chat_block_pin(chat_block_t *block);

/** Let go; NULL is allowed. The last one frees it. Thread-safe, from any thread. */
void chat_block_release(chat_block_t *block);

#endif
