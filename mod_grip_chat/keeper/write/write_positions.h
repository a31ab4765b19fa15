/* Which positions a database's keepers have given out, kept in the file of their lock, beside the
 * database. A file that holds less took another's place: a copy of some time ago, or an empty one. Its
 * rooms must not give out the same positions again, or readers who left before would come back to
 * messages that they take for those they have. */
#ifndef WRITE_POSITIONS_H
#define WRITE_POSITIONS_H

#include "chat_store.h"
#include "write_lock.h"

/** Bytes at the beginning of the lock's file that they take. */
#define WRITE_POSITIONS_BYTES 103

/** What was given out; zeroed at first. Its user guards it. */
typedef struct write_positions_t {
    int is_known;
    apr_int64_t last_id; /**< the highest message id */
    apr_int64_t highest; /**< the highest position, of whichever room */
    apr_int64_t base;    /**< of the database that was served last, see chat_store_set_base */
} write_positions_t;

/**
 * Take over what the keepers before have given out.
 *
 * @param lock  of the database, held
 * @return APR_SUCCESS, also where nothing readable is kept yet: is_known tells; or why the file cannot
 *         be read
 */
apr_status_t write_positions_read(write_positions_t *positions, const write_lock_t *lock);

/** Keep what was given out for the next keeper. It is not synced: what a loss of power takes from it only
 *  makes it forget. @return APR_SUCCESS, or why it cannot be written */
apr_status_t write_positions_keep(const write_positions_t *positions, const write_lock_t *lock);

/** Note messages that were stored, count of them. @return whether any is new */
int write_positions_note(write_positions_t *positions, const chat_append_t *appends, int count);

/**
 * Compare an opened database with what was given out. Where it is another, all positions in it are
 * moved above those, and above those that it has shown itself, durably, in one step. A file whose base is
 * above them already stays as it is: so does one whose keeper died before it could keep that. Message ids go on
 * above those that were given out, whichever file it is.
 *
 * @param is_other_file  it is known that another file lies there, which may also hold more
 * @param was_moved      1 if positions were moved; set on failure, too
 * @return APR_SUCCESS, as chat_store_read_number, or as chat_store_set_base
 */
apr_status_t write_positions_settle(write_positions_t *positions, chat_database_t *db,
                                    int is_other_file, int *was_moved, apr_pool_t *scratch_pool);

#endif
