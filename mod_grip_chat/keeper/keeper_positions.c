#include "keeper_positions.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

/* For an operator's eyes, too; each line as long as every other, so that one is written over another. */
#define FORM                                                                                       \
    "highest message id %019" APR_INT64_T_FMT ", highest position %019" APR_INT64_T_FMT "\n"
#define LENGTH 77

apr_status_t keeper_positions_read(keeper_positions_t *positions, const keeper_lock_t *lock)
{
    char text[LENGTH + 1] = "";
    char again[LENGTH + 1];
    apr_status_t rv = keeper_lock_read(lock, text, LENGTH);
    apr_int64_t numbers[2];

    if (rv != APR_SUCCESS) {
        return rv;
    }
    positions->is_known =
        sscanf(text, FORM, &numbers[0], &numbers[1]) == 2 &&
        apr_snprintf(again, sizeof(again), FORM, numbers[0], numbers[1]) == LENGTH &&
        memcmp(text, again, LENGTH) == 0;
    if (positions->is_known) {
        positions->last_id = numbers[0];
        positions->highest = numbers[1];
    }
    return APR_SUCCESS;
}

apr_status_t keeper_positions_keep(const keeper_positions_t *positions, const keeper_lock_t *lock)
{
    char text[LENGTH + 1];

    apr_snprintf(text, sizeof(text), FORM, positions->last_id, positions->highest);
    return keeper_lock_write(lock, text, LENGTH);
}

int keeper_positions_note(keeper_positions_t *positions, const chat_append_t *appends, int count)
{
    int is_new = 0;
    int i;

    for (i = 0; i < count; i++) {
        if (appends[i].outcome != CHAT_APPEND_NEW) {
            continue;
        }
        is_new = 1;
        if (appends[i].id > positions->last_id) {
            positions->last_id = appends[i].id;
        }
        if (appends[i].event_id > positions->highest) {
            positions->highest = appends[i].event_id;
        }
    }
    return is_new;
}

/* Whether an opened database, whose highest id ever is last_id, is not the one that was served. That it
 * holds more may be what a keeper stored in its last moment. */
static int is_other(const keeper_positions_t *positions, apr_int64_t last_id, int is_other_file)
{
    return positions->is_known &&
           (is_other_file ? last_id != positions->last_id : last_id < positions->last_id);
}

apr_status_t keeper_positions_settle(keeper_positions_t *positions, chat_database_t *db,
                                     int is_other_file, int *was_moved, apr_pool_t *scratch_pool)
{
    apr_int64_t last_id = 0;
    apr_int64_t highest = 0;
    apr_status_t rv = chat_store_last_id(db, &last_id, scratch_pool);

    *was_moved = 0;
    if (rv != APR_SUCCESS || (positions->is_known && last_id == positions->last_id)) {
        return rv;
    }
    if (is_other(positions, last_id, is_other_file)) {
        /* One above, so that also who stands at the highest is told. */
        rv = chat_store_set_base(db, positions->highest + 1, scratch_pool);
        *was_moved = rv == APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = chat_store_highest(db, &highest, scratch_pool);
    }
    if (rv == APR_SUCCESS) {
        positions->is_known = 1;
        positions->last_id = last_id;
        positions->highest = highest > positions->highest ? highest : positions->highest;
    }
    return rv;
}
