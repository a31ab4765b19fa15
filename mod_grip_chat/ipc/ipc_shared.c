/* The layout of the shared memory. Numbers have the machine's byte order; each is loaded and stored
 * in one step. A change of this table needs a new LAYOUT_MARK.
 *
 *   OFFSET  SIZE     MEANING
 *   0       8        LAYOUT_MARK
 *   8       8        epochs of all databases together: moves whenever one of them does
 *   16      96 each  1,024 databases, by number (IPC_SHARED_DATABASES)
 *   98320   96 each  16,384 slots, by ipc_shared_slot() (IPC_SHARED_SLOTS)
 *
 * A database:
 *
 *   OFFSET  SIZE     MEANING
 *   0       8        tag of its name; 0 where the number is free
 *   8       8        epoch
 *   16      8        seqlock of the next field; the keeper that has the database writes
 *   24      72       the files that it has open: device, inode and birth of file, log and index
 *
 * A slot:
 *
 *   OFFSET  SIZE     MEANING
 *   0       8        generation: the keeper bumps it after a COMMIT that changes a room of it
 *   8       8        moment of the last hold that was answered; children write it
 *   16      8        seqlock of the next fields; only the keeper's loop writes them
 *   24      8        tag of the room that has the slot; 0 for none
 *   32      4 * 8    for each proxy the position before its first waiting event, or
 *                    IPC_SHARED_NOTHING
 *   64      4 * 8    for each proxy the moment since which it waits
 */
#include "ipc_shared.h"

#include "gc_assert.h"
#include "gc_seqlock.h"

/* Of this layout; a segment from before an upgrade of the module may have another. The tests build a module
 * with a number of its own. */
#ifndef LAYOUT_MARK
#define LAYOUT_MARK APR_UINT64_C(0x6763686174000004)
#endif

/* How often a reader looks again while the keeper writes. */
#define TRIES 16

typedef struct slot_t {
    apr_uint64_t generation;
    apr_uint64_t last_hold; /* a gc_moment_t */
    gc_seqlock_t lock;      /* of the next fields, which the keeper's loop alone writes */
    apr_uint64_t tag;       /* of its room; 0 for none */
    apr_int64_t waiting[IPC_SHARED_PROXIES];
    gc_moment_t since[IPC_SHARED_PROXIES];
} slot_t;

/* chat_database_files_t as numbers, each stored in one step. */
#define FILES_WORDS (sizeof(chat_database_files_t) / sizeof(apr_uint64_t))

typedef struct database_t {
    apr_uint64_t tag; /* of its name; 0 where the number is free */
    apr_uint64_t epoch;
    gc_seqlock_t lock; /* of the next field, which the keeper that has the database writes */
    apr_uint64_t files[FILES_WORDS];
} database_t;

struct ipc_shared_t {
    apr_uint64_t layout;
    apr_uint64_t epochs; /* of all databases together */
    database_t databases[IPC_SHARED_DATABASES];
    slot_t slots[IPC_SHARED_SLOTS];
};

apr_uint64_t ipc_shared_layout(void)
{
    return LAYOUT_MARK;
}

apr_size_t ipc_shared_size(void)
{
    return sizeof(ipc_shared_t);
}

ipc_shared_t *ipc_shared_init(void *memory)
{
    ipc_shared_t *shared = memory;

    memset(shared, 0, sizeof(*shared));
    shared->layout = LAYOUT_MARK;
    return shared;
}

ipc_shared_t *ipc_shared_attach(void *memory, apr_size_t size)
{
    ipc_shared_t *shared = memory;

    return size == sizeof(*shared) && shared->layout == LAYOUT_MARK ? shared : NULL;
}

/* FNV-1a: good enough to spread names, and the same in every process. */
static apr_uint64_t hash_bytes(apr_uint64_t hash, gc_slice_t s)
{
    apr_size_t i;

    for (i = 0; i < s.len; i++) {
        hash = (hash ^ (unsigned char)s.data[i]) * APR_UINT64_C(0x100000001b3);
    }
    return hash;
}

apr_uint64_t ipc_shared_tag(gc_slice_t site, gc_slice_t room)
{
    apr_uint64_t hash = hash_bytes(APR_UINT64_C(0xcbf29ce484222325), site);

    hash = hash_bytes(hash, gc_slice("", 1));
    hash = hash_bytes(hash, room);
    return hash ? hash : 1;
}

unsigned ipc_shared_slot(apr_uint64_t tag)
{
    return (unsigned)((tag ^ tag >> 32) & (IPC_SHARED_SLOTS - 1));
}

/* The number of a tag; IPC_SHARED_DATABASES where it has none. */
static unsigned find_database(const ipc_shared_t *shared, apr_uint64_t tag)
{
    unsigned number = 0;

    while (number < IPC_SHARED_DATABASES && shared->databases[number].tag != tag) {
        number++;
    }
    return number;
}

/* A number that no database has, or none of those that are named now. */
static unsigned find_free(const ipc_shared_t *shared, const unsigned char *is_used)
{
    unsigned number = find_database(shared, 0);

    if (number == IPC_SHARED_DATABASES) {
        number = 0;
        while (number < IPC_SHARED_DATABASES && is_used[number]) {
            number++;
        }
    }
    return number;
}

apr_status_t ipc_shared_number(ipc_shared_t *shared, const gc_slice_t *names, apr_size_t count,
                               unsigned *numbers)
{
    unsigned char is_used[IPC_SHARED_DATABASES] = {0};
    apr_size_t i;

    for (i = 0; i < count; i++) {
        numbers[i] = find_database(shared, ipc_shared_tag(names[i], gc_slice("", 0)));
        if (numbers[i] < IPC_SHARED_DATABASES) {
            is_used[numbers[i]] = 1;
        }
    }
    for (i = 0; i < count; i++) {
        apr_uint64_t tag = ipc_shared_tag(names[i], gc_slice("", 0));

        numbers[i] = find_database(shared, tag);
        if (numbers[i] == IPC_SHARED_DATABASES) {
            numbers[i] = find_free(shared, is_used);
            if (numbers[i] == IPC_SHARED_DATABASES) {
                return APR_ENOSPC;
            }
            ipc_shared_set_files(shared, numbers[i], NULL);
            ipc_shared_bump_database(shared, numbers[i]);
            shared->databases[numbers[i]].tag = tag;
        }
        is_used[numbers[i]] = 1;
    }
    return APR_SUCCESS;
}

ipc_version_t ipc_shared_version(const ipc_shared_t *shared, unsigned database, unsigned slot)
{
    ipc_version_t version;

    GC_ASSERT(database < IPC_SHARED_DATABASES && slot < IPC_SHARED_SLOTS);
    version.epoch = __atomic_load_n(&shared->databases[database].epoch, __ATOMIC_SEQ_CST);
    version.generation = __atomic_load_n(&shared->slots[slot].generation, __ATOMIC_SEQ_CST);
    return version;
}

void ipc_shared_bump(ipc_shared_t *shared, unsigned slot)
{
    GC_ASSERT(slot < IPC_SHARED_SLOTS);
    __atomic_add_fetch(&shared->slots[slot].generation, 1, __ATOMIC_SEQ_CST);
}

void ipc_shared_bump_database(ipc_shared_t *shared, unsigned database)
{
    GC_ASSERT(database < IPC_SHARED_DATABASES);
    __atomic_add_fetch(&shared->databases[database].epoch, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&shared->epochs, 1, __ATOMIC_SEQ_CST);
}

apr_uint64_t ipc_shared_epochs(const ipc_shared_t *shared)
{
    return __atomic_load_n(&shared->epochs, __ATOMIC_SEQ_CST);
}

void ipc_shared_set_files(ipc_shared_t *shared, unsigned database,
                          const chat_database_files_t *files)
{
    database_t *to = &shared->databases[database];
    apr_uint64_t words[FILES_WORDS] = {0};
    unsigned i;

    GC_ASSERT(database < IPC_SHARED_DATABASES);
    if (files) {
        memcpy(words, files, sizeof(words));
    }
    gc_seqlock_begin_write(&to->lock);
    for (i = 0; i < FILES_WORDS; i++) {
        __atomic_store_n(&to->files[i], words[i], __ATOMIC_RELAXED);
    }
    gc_seqlock_end_write(&to->lock);
}

int ipc_shared_files(const ipc_shared_t *shared, unsigned database, chat_database_files_t *files)
{
    const database_t *from = &shared->databases[database];
    apr_uint64_t words[FILES_WORDS];
    int i;

    for (i = 0; i < TRIES; i++) {
        gc_seqlock_t begun = gc_seqlock_begin_read(&from->lock);
        unsigned word;

        for (word = 0; word < FILES_WORDS; word++) {
            words[word] = __atomic_load_n(&from->files[word], __ATOMIC_RELAXED);
        }
        if (gc_seqlock_was_whole(&from->lock, begun)) {
            memcpy(files, words, sizeof(words));
            return files->file.inode != 0;
        }
    }
    return 0; /* a keeper that died while it wrote, perhaps */
}

void ipc_shared_note_hold(ipc_shared_t *shared, unsigned slot, gc_moment_t now)
{
    apr_uint64_t *last = &shared->slots[slot].last_hold;
    apr_uint64_t known = __atomic_load_n(last, __ATOMIC_SEQ_CST);

    while (known < (apr_uint64_t)now &&
           !__atomic_compare_exchange_n(last, &known, (apr_uint64_t)now, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
    {
    }
}

gc_moment_t ipc_shared_last_hold(const ipc_shared_t *shared, unsigned slot)
{
    return (gc_moment_t)__atomic_load_n(&shared->slots[slot].last_hold, __ATOMIC_SEQ_CST);
}

static void write_waiting(slot_t *slot, apr_size_t proxy, apr_int64_t after, gc_moment_t now)
{
    __atomic_store_n(&slot->waiting[proxy], after, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->since[proxy], now, __ATOMIC_RELAXED);
}

static void clear(slot_t *slot, apr_uint64_t tag)
{
    apr_size_t i;

    __atomic_store_n(&slot->tag, tag, __ATOMIC_RELAXED);
    for (i = 0; i < IPC_SHARED_PROXIES; i++) {
        write_waiting(slot, i, IPC_SHARED_NOTHING, 0);
    }
}

void ipc_shared_set_waiting(ipc_shared_t *shared, apr_uint64_t tag, apr_size_t proxy,
                            apr_int64_t after, gc_moment_t now)
{
    slot_t *slot = &shared->slots[ipc_shared_slot(tag)];

    if (proxy >= IPC_SHARED_PROXIES || (slot->tag != tag && after == IPC_SHARED_NOTHING)) {
        return;
    }
    gc_seqlock_begin_write(&slot->lock);
    if (slot->tag != tag) {
        clear(slot, tag);
    }
    write_waiting(slot, proxy, after, now);
    gc_seqlock_end_write(&slot->lock);
}

/* One look, which is worth nothing if the keeper wrote meanwhile. */
static apr_int64_t look(const slot_t *slot, apr_uint64_t tag, apr_size_t proxy_count,
                        gc_moment_t now)
{
    apr_int64_t highest = IPC_SHARED_NOTHING;
    apr_size_t i;

    if (__atomic_load_n(&slot->tag, __ATOMIC_RELAXED) != tag) {
        return IPC_SHARED_NOTHING;
    }
    for (i = 0; i < proxy_count; i++) {
        apr_int64_t after = __atomic_load_n(&slot->waiting[i], __ATOMIC_RELAXED);
        gc_moment_t since = __atomic_load_n(&slot->since[i], __ATOMIC_RELAXED);

        if (after == IPC_SHARED_NOTHING || now - since >= IPC_SHARED_WAITING_MAX) {
            return IPC_SHARED_NOTHING;
        }
        highest = after > highest ? after : highest;
    }
    return highest;
}

apr_int64_t ipc_shared_waiting(const ipc_shared_t *shared, apr_uint64_t tag, apr_size_t proxy_count,
                               gc_moment_t now)
{
    const slot_t *slot = &shared->slots[ipc_shared_slot(tag)];
    int i;

    for (i = 0; i < TRIES && proxy_count <= IPC_SHARED_PROXIES; i++) {
        gc_seqlock_t begun = gc_seqlock_begin_read(&slot->lock);
        apr_int64_t after = look(slot, tag, proxy_count, now);

        if (gc_seqlock_was_whole(&slot->lock, begun)) {
            return after;
        }
    }
    return IPC_SHARED_NOTHING; /* a keeper that died while it wrote, perhaps */
}

void ipc_shared_clear_waiting(ipc_shared_t *shared)
{
    unsigned i;

    for (i = 0; i < IPC_SHARED_SLOTS; i++) {
        slot_t *slot = &shared->slots[i];

        gc_seqlock_begin_write(&slot->lock);
        clear(slot, 0);
        gc_seqlock_end_write(&slot->lock);
    }
}
