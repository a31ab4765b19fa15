/* Text outside pools that any number of threads read and that goes with its last holder: what a cache
 * hands out may be on its way to slow readers long after the cache let go of it. */
#ifndef CHAT_BLOCK_H
#define CHAT_BLOCK_H

#include "gc_slice.h"

/** Counts the bytes that are alive, whoever holds them. */
typedef struct chat_account_t chat_account_t;

/** Some bytes that never change. */
typedef struct chat_block_t chat_block_t;

/** Open an account; NULL without memory. It ends with its owner and all that was taken on it. */
chat_account_t *chat_account_create(void);

/** Take memory on an account; NULL without memory. Thread-safe. */
void *chat_account_take(chat_account_t *account, apr_size_t bytes);

/** Give back what was taken, with the number of bytes it was taken with. Thread-safe. */
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

/** Become one more holder; who calls this is one, or keeps the block's holder from letting go.
 *  Thread-safe. */
void chat_block_pin(chat_block_t *block);

/** Let go; NULL is allowed. The last one frees it. Thread-safe, from whichever thread. */
void chat_block_release(chat_block_t *block);

#endif
