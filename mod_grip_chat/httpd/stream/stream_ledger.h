/* Ledgers of streams: how many each client address has, in memory that processes share. Each child
 * has a ledger that it alone writes, and adds up the counts of a client in all. A child that dies
 * leaves nothing to be put right: its ledger is given away as it is, and the next owner begins with
 * an empty one. Needs nothing of httpd.
 *
 * Lives in the parent, which forgets the dead, and in every child, in any thread; a mutex of the
 * child guards its ledger. The memory is the caller's. */
#ifndef STREAM_LEDGER_H
#define STREAM_LEDGER_H

#include <apr_pools.h>

typedef struct stream_ledger_page_t stream_ledger_page_t;
typedef struct stream_ledger_client_t stream_ledger_client_t;

/** All ledgers; each process has its own copy of this. */
typedef struct stream_ledgers_t {
    char *memory;      /**< shared, aligned as of malloc; NULL where there is none */
    apr_uint64_t seed; /**< secret, so that a client cannot choose addresses that share a chain */
    apr_uint32_t ledgers;
    apr_uint32_t places; /**< clients that a ledger has room for: one for each stream of a child */
    apr_uint32_t chains; /**< of a ledger; a power of two */
} stream_ledgers_t;

/** A ledger of this process. A mutex of its owner guards it, but for what is thread-safe. */
typedef struct stream_ledger_t {
    const stream_ledgers_t *all;
    stream_ledger_page_t *own;
    apr_uint32_t unused; /**< the first of the places that have no client */
} stream_ledger_t;

/**
 * Plan ledgers. The caller then finds memory of stream_ledgers_bytes bytes, all zero, and a seed.
 *
 * @param ledgers  from 1
 * @param places   from 1
 */
void stream_ledgers_plan(stream_ledgers_t *all, apr_uint32_t ledgers, apr_uint32_t places);

/** The bytes of memory that planned ledgers take. */
apr_size_t stream_ledgers_bytes(const stream_ledgers_t *all);

/** Give a process's ledger away; nothing if it has none. The streams in it count no more. */
void stream_ledgers_forget(const stream_ledgers_t *all, apr_uint64_t owner);

/** The streams in all ledgers together. Thread-safe. */
apr_uint32_t stream_ledgers_count(const stream_ledgers_t *all);

/** Whether a process has said that it is full. Thread-safe. */
int stream_ledgers_is_full(const stream_ledgers_t *all, apr_uint64_t owner);

/**
 * Take an empty ledger. If all are taken, this one is in pool, where no other process reads it.
 *
 * @param all    as long as ledger
 * @param owner  a process id
 */
void stream_ledger_open(stream_ledger_t *ledger, const stream_ledgers_t *all, apr_uint64_t owner,
                        apr_pool_t *pool);

/**
 * Count one stream of a client more.
 *
 * @param address  of the client, as two numbers
 * @return the client, to count down by; NULL if there is no room for it
 */
stream_ledger_client_t *stream_ledger_enter(stream_ledger_t *ledger, const apr_uint64_t address[2]);

/** Count one stream of a client less. */
void stream_ledger_leave(stream_ledger_t *ledger, stream_ledger_client_t *client);

/** The streams of a client in all ledgers together. */
apr_uint32_t stream_ledger_everywhere(const stream_ledger_t *ledger,
                                      const stream_ledger_client_t *client);

/** The streams in this ledger. Thread-safe. */
apr_uint32_t stream_ledger_count(const stream_ledger_t *ledger);

/** Whether this process has said that it is full. Thread-safe. */
int stream_ledger_is_full(const stream_ledger_t *ledger);

/** Say whether this process is full. Thread-safe. */
void stream_ledger_set_full(stream_ledger_t *ledger, int is_full);

#endif
