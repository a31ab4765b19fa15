/* Memory through which the keeper and the children inform each other without system calls. The
 * parent maps it before it forks anything, and it outlives restarts.
 *
 * A database has a number, which the parent gives it. Its epoch moves when anything in it may have
 * changed, and its keeper says which files it has open: a child reads no others.
 *
 * A room has a slot by hash; rooms that share one cost each other a miss, nothing else. The keeper
 * bumps a slot's generation after COMMIT and before it answers. A child loads (epoch, generation),
 * then reads the room. As long as it finds both unmoved, it still has the stored state.
 *
 * Lives in the parent, the keeper and the children, in any thread. The parent unmaps it as it ends. */
#ifndef IPC_SHARED_H
#define IPC_SHARED_H

#include "chat_database_file.h"
#include "gc_clock.h"
#include "gc_slice.h"

/** Slots; a power of two. */
#define IPC_SHARED_SLOTS 16384

/** Databases that one server can have. */
#define IPC_SHARED_DATABASES 1024

typedef struct ipc_shared_t ipc_shared_t;

/** When something was read: compare two of these for equality, member by member. */
typedef struct ipc_version_t {
    apr_uint64_t epoch;      /**< of the database */
    apr_uint64_t generation; /**< of the room's slot */
} ipc_version_t;

/** The number of this layout of memory: no two versions of the module with one number lay it out differently.
 *  Pure. */
apr_uint64_t ipc_shared_layout(void);

/** How many bytes of shared, zeroed memory are needed. */
apr_size_t ipc_shared_size(void);

/** Lay out fresh memory of that size. */
ipc_shared_t *ipc_shared_init(void *memory);

/** View memory from before a restart; NULL if another version of this code laid it out, whose children
 *  may still use it. */
ipc_shared_t *ipc_shared_attach(void *memory, apr_size_t size);

/** A room of a site, by its name's hash: pure, thread-safe. Rooms that share one are told apart by nothing. */
apr_uint64_t ipc_shared_tag(gc_slice_t site, gc_slice_t room);

/** The slot of a room's tag. Pure, thread-safe. */
unsigned ipc_shared_slot(apr_uint64_t tag);

/**
 * Give databases their numbers. Each keeps the number that it had at the last call. If all numbers
 * have been given out, a new database may get the number of one that is not named any more. For the
 * parent's one thread, before it forks.
 *
 * @param names    tell databases apart; one may be there more than once
 * @param numbers  out: count of them, below IPC_SHARED_DATABASES; undefined on failure
 * @return APR_SUCCESS, or APR_ENOSPC if there are more than IPC_SHARED_DATABASES of them
 */
apr_status_t ipc_shared_number(ipc_shared_t *shared, const gc_slice_t *names, apr_size_t count,
                               unsigned *numbers);

/** Load the version of a slot of a database, before the room is read. Thread-safe. */
ipc_version_t ipc_shared_version(const ipc_shared_t *shared, unsigned database, unsigned slot);

/**
 * The room of this slot has changed: call after COMMIT, before any child or client is told.
 * Thread-safe.
 */
void ipc_shared_bump(ipc_shared_t *shared, unsigned slot);

/** Anything in this database may have changed: a keeper starts, or it was replaced. Thread-safe. */
void ipc_shared_bump_database(ipc_shared_t *shared, unsigned database);

/** A number that moves whenever any database's epoch does. Thread-safe. */
apr_uint64_t ipc_shared_epochs(const ipc_shared_t *shared);

/**
 * Say which files a database's keeper has open. The files of the last keeper stay until the next
 * one says something. For the one writer that has the database's lock.
 *
 * @param files  NULL where none of them is to be read any more
 */
void ipc_shared_set_files(ipc_shared_t *shared, unsigned database,
                          const chat_database_files_t *files);

/** Which files a database's keeper has open, or had last. Thread-safe. @return whether that is known */
int ipc_shared_files(const ipc_shared_t *shared, unsigned database, chat_database_files_t *files);

/** Note that a hold of a room of this slot is being answered; call before the room is read. Thread-safe.
 *  @param now  gc_clock_now(), which is the same clock in every child and before and after a restart */
void ipc_shared_note_hold(ipc_shared_t *shared, unsigned slot, gc_moment_t now);

/** When a hold of a room of this slot was last answered, 0 for never. Thread-safe. */
gc_moment_t ipc_shared_last_hold(const ipc_shared_t *shared, unsigned slot);

/** The number of a site's proxies, its first ones, whose waiting events are told. */
#define IPC_SHARED_PROXIES 4

/** Entries older than this are ignored, in MICROSECONDS: a keeper may have died over them. */
#define IPC_SHARED_WAITING_MAX apr_time_from_sec(3)

/** No event waits. */
#define IPC_SHARED_NOTHING APR_INT64_C(-1)

/**
 * Tell children that events of a room wait to be published to a proxy as one item. Rooms that share a
 * slot push each other out. The keeper's loop alone calls this.
 *
 * @param proxy  which of the site's; from IPC_SHARED_PROXIES on it is not told
 * @param after  the position before the first of them, or IPC_SHARED_NOTHING
 * @param now    when they began to wait
 */
void ipc_shared_set_waiting(ipc_shared_t *shared, apr_uint64_t tag, apr_size_t proxy,
                            apr_int64_t after, gc_moment_t now);

/**
 * The position after which events of a room wait to be published to all of its site's proxies. If
 * the proxies are not equally far, it is the highest: no proxy has published an event after it.
 * Thread-safe.
 *
 * @param proxy_count  of the site
 * @return the position, or IPC_SHARED_NOTHING if for one of the proxies nothing waits, or it is not
 *         known
 */
apr_int64_t ipc_shared_waiting(const ipc_shared_t *shared, apr_uint64_t tag, apr_size_t proxy_count,
                               gc_moment_t now);

/** No event waits in any room: a keeper starts. */
void ipc_shared_clear_waiting(ipc_shared_t *shared);

#endif
