/* The positions stand at the beginning of the lock's file, as one line of text, for an operator's
 * eyes too. Each line is as long as every other, so that one is written over another. Numbers have
 * leading zeros.
 *
 *   OFFSET  SIZE     MEANING
 *   0       19       "highest message id "
 *   19      19       last_id
 *   38      19       ", highest position "
 *   57      19       highest
 *   76      7        ", base "
 *   83      19       base
 *   102     1        newline
 *   103              the files, see write_files.c
 */
#include "write_positions.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#define NUMBER "%019" APR_INT64_T_FMT
#define FORM   "highest message id " NUMBER ", highest position " NUMBER ", base " NUMBER "\n"
#define LENGTH WRITE_POSITIONS_BYTES

/* No number that was counted to. */
#define TOO_LARGE (APR_INT64_MAX / 2)

static int is_count(apr_int64_t number)
{
    return number >= 0 && number < TOO_LARGE;
}

static int format(char *text, const write_positions_t *positions)
{
    return apr_snprintf(text, LENGTH + 1, FORM, positions->last_id, positions->highest,
                        positions->base);
}

apr_status_t write_positions_read(write_positions_t *positions, const write_lock_t *lock)
{
    write_positions_t found = {1, 0, 0, 0};
    char text[LENGTH + 1] = "";
    char again[LENGTH + 1];
    apr_status_t rv = write_lock_read(lock, 0, text, LENGTH);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* A number that does not fit is another one when it is written again. */
    /* NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(text, FORM, &found.last_id, &found.highest, &found.base) == 3 &&
        is_count(found.last_id) && is_count(found.highest) && is_count(found.base) &&
        format(again, &found) == LENGTH && memcmp(text, again, LENGTH) == 0)
    {
        *positions = found;
    }
    return APR_SUCCESS;
}

apr_status_t write_positions_keep(const write_positions_t *positions, const write_lock_t *lock)
{
    char text[LENGTH + 1];

    /* A database that was changed by hand may hold any number; the next keeper believes no such text. */
    format(text, positions);
    return write_lock_write(lock, 0, text, LENGTH);
}

int write_positions_note(write_positions_t *positions, chat_append_t *const *appends, int count)
{
    int is_new = 0;
    int i;

    for (i = 0; i < count; i++) {
        if (appends[i]->outcome != CHAT_APPEND_NEW) {
            continue;
        }
        is_new = 1;
        if (appends[i]->event.id > positions->last_id) {
            positions->last_id = appends[i]->event.id;
        }
        if (appends[i]->event.position > positions->highest) {
            positions->highest = appends[i]->event.position;
        }
    }
    return is_new;
}

/* Whether an opened database, with this highest id ever and this base, is not the one that was served. More
 * ids in it may come from the keeper's last moment, and so may a base above all that was given out. */
static int is_other(const write_positions_t *positions, apr_int64_t last_id, apr_int64_t base,
                    int is_other_file)
{
    return positions->is_known && base <= positions->highest &&
           (base != positions->base || last_id < positions->last_id ||
            (is_other_file && last_id != positions->last_id));
}

apr_status_t write_positions_settle(write_positions_t *positions, chat_database_t *db,
                                    int is_other_file, int *was_moved, apr_pool_t *scratch_pool)
{
    apr_int64_t last_id = 0;
    apr_int64_t base = 0;
    apr_int64_t shown = 0; /* by any room of this database */
    apr_status_t rv = chat_store_last_id(db, &last_id, scratch_pool);

    *was_moved = 0;
    if (rv == APR_SUCCESS) {
        rv = chat_store_base(db, &base, scratch_pool);
    }
    if (rv != APR_SUCCESS ||
        (positions->is_known && last_id == positions->last_id && base == positions->base))
    {
        return rv;
    }
    rv = chat_store_highest(db, &shown, scratch_pool);
    if (rv == APR_SUCCESS && is_other(positions, last_id, base, is_other_file)) {
        /* One above, so that a reader at the highest is told too. */
        apr_int64_t above = (positions->highest > shown ? positions->highest : shown) + 1;

        rv = chat_store_set_base(db, above, scratch_pool);
        *was_moved = rv == APR_SUCCESS;
        shown += above - base;
        base = above;
    }
    if (rv == APR_SUCCESS && positions->is_known && last_id < positions->last_id) {
        last_id = positions->last_id;
        rv = chat_store_set_last_id(db, last_id, scratch_pool);
    }
    if (rv == APR_SUCCESS) {
        positions->is_known = 1;
        positions->last_id = last_id;
        positions->highest = shown > positions->highest ? shown : positions->highest;
        positions->base = base;
    }
    return rv;
}
