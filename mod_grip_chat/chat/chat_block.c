#include "chat_block.h"

#include <stdlib.h>

#include "gc_assert.h"

struct chat_account_t {
    unsigned holders; /* the owner, and each piece of memory that was taken */
    apr_size_t bytes;
};

struct chat_block_t {
    chat_account_t *account;
    unsigned holders;
    apr_size_t len;
    char text[];
};

/* A thing that is still used has one at least. */
static inline int has_holder(const unsigned *holders)
{
    return __atomic_load_n(holders, __ATOMIC_RELAXED) > 0;
}

chat_account_t *chat_account_create(void)
{
    chat_account_t *account = calloc(1, sizeof(*account));

    if (account) {
        account->holders = 1;
    }
    return account;
}

void *chat_account_take(chat_account_t *account, apr_size_t bytes)
{
    void *memory = malloc(bytes);

    GC_ASSERT(has_holder(&account->holders));
    if (memory) {
        __atomic_add_fetch(&account->bytes, bytes, __ATOMIC_RELAXED);
        __atomic_add_fetch(&account->holders, 1, __ATOMIC_RELAXED);
    }
    return memory;
}

void chat_account_give_back(chat_account_t *account, void *memory, apr_size_t bytes)
{
    GC_ASSERT(chat_account_bytes(account) >= bytes);
    free(memory);
    __atomic_sub_fetch(&account->bytes, bytes, __ATOMIC_RELAXED);
    chat_account_release(account);
}

apr_size_t chat_account_bytes(const chat_account_t *account)
{
    return __atomic_load_n(&account->bytes, __ATOMIC_RELAXED);
}

void chat_account_release(chat_account_t *account)
{
    GC_ASSERT(has_holder(&account->holders));
    if (__atomic_sub_fetch(&account->holders, 1, __ATOMIC_ACQ_REL) == 0) {
        free(account);
    }
}

chat_block_t *chat_block_make(gc_slice_t head, gc_slice_t tail, chat_account_t *account)
{
    apr_size_t len = head.len + tail.len;
    chat_block_t *block = chat_account_take(account, sizeof(*block) + len);

    if (!block) {
        return NULL;
    }
    block->account = account;
    block->holders = 1;
    block->len = len;
    if (head.len) {
        memcpy(block->text, head.data, head.len);
    }
    if (tail.len) {
        memcpy(block->text + head.len, tail.data, tail.len);
    }
    return block;
}

gc_slice_t chat_block_text(const chat_block_t *block)
{
    return gc_slice(block->text, block->len);
}

apr_size_t chat_block_bytes(const chat_block_t *block)
{
    return sizeof(*block) + block->len;
}

void chat_block_pin(chat_block_t *block)
{
    GC_ASSERT(has_holder(&block->holders));
    __atomic_add_fetch(&block->holders, 1, __ATOMIC_RELAXED);
}

void chat_block_release(chat_block_t *block)
{
    GC_ASSERT(!block || has_holder(&block->holders));
    /* Release: all reads of this holder are done; acquire: the free comes after all of them. */
    if (block && __atomic_sub_fetch(&block->holders, 1, __ATOMIC_ACQ_REL) == 0) {
        chat_account_give_back(block->account, block, chat_block_bytes(block));
    }
}
