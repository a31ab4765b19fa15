/* The positions that a database's keepers have given out, kept in the file of their lock, beside
 * the database. A database that holds less replaced another one: it is an older copy, or empty. Its
 * rooms must not give out the same positions again. Else readers of the old file would take new
 * messages for messages that they have.
 * Lives in the keeper, in a writer's thread, as a part of write_database_t. */
#ifndef WRITE_POSITIONS_H
#define WRITE_POSITIONS_H

#include "chat_store.h"
#include "write_lock.h"

/** Bytes at the beginning of the lock's file that they take. */
#define WRITE_POSITIONS_BYTES 103

/** The numbers that were given out; zeroed at first. Its user guards it. */
typedef struct write_positions_t {
    int is_known;
    apr_int64_t last_id; /**< the highest message id */
    apr_int64_t highest; /**< the highest position, of whichever room */
    apr_int64_t base;    /**< of the database that was served last, see chat_store_set_base */
} write_positions_t;

/**
 * Take over the numbers that the keepers before have given out.
 *
 * @param lock  of the database, held
 * @return APR_SUCCESS, also where nothing readable is kept yet: is_known tells; or why the file cannot
 *         be read
 */
apr_status_t write_positions_read(write_positions_t *positions, const write_lock_t *lock);

/**
 * Keep the numbers for the next keeper. The file is not synced: a loss of power only makes it
 * forget. @return APR_SUCCESS, or why it cannot be written
 */
apr_status_t write_positions_keep(const write_positions_t *positions, const write_lock_t *lock);

/** Note messages that were stored, count of them. @return whether any is new */
int write_positions_note(write_positions_t *positions, chat_append_t *const *appends, int count);

/**
 * Compare an opened database with the numbers that were given out. If it is another database, all
 * its positions are moved above those, and above those that it has shown itself, durably, in one
 * step. A file whose base is above them already stays as it is. So does a file whose keeper died
 * before it could keep the new base. Message ids go on above those that were given out, for any
 * file.
 *
 * @param is_other_file  it is known that another file lies there, which may also hold more
 * @param was_moved      1 if positions were moved; set on failure, too
 * @return APR_SUCCESS, as chat_store_read_number, or as chat_store_set_base
 */
apr_status_t write_positions_settle(write_positions_t *positions, chat_database_t *db,
                                    int is_other_file, int *was_moved, apr_pool_t *scratch_pool);

#endif
