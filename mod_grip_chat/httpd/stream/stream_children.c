#include "stream_children.h"

#include <unistd.h>

#include <ap_mpm.h>
#include <scoreboard.h>

/* The view of a child that looks at the scoreboard. */
typedef struct view_t {
    process_score *own; /* NULL if this child has no row */
    int children;       /* that run, this one included */
    int with_places;    /* of those, that are not full of streams */
    int full_before;    /* of those that are full, in rows before this one's */
    int free_rows;
    int threads_leaving; /* that work yet in children that end */
} view_t;

/* atomic: whether this child has said that it does not accept */
static int is_hidden;

static int asked(int what)
{
    int value = 0;

    return ap_mpm_query(what, &value) == APR_SUCCESS ? value : 0;
}

static int is_of(const process_score *row, ap_generation_t generation)
{
    return row->pid != 0 && !row->quiescing && row->generation == generation;
}

/* A child's threads that event counts among MaxRequestWorkers. */
static int working(int row)
{
    int threads = asked(AP_MPMQ_MAX_THREADS);
    int count = 0;
    int i;

    for (i = 0; i < threads; i++) {
        int status =
            __atomic_load_n(&ap_scoreboard_image->servers[row][i].status, __ATOMIC_RELAXED);

        count += status >= SERVER_READY && status < SERVER_GRACEFUL;
    }
    return count;
}

static view_t view(int is_full)
{
    view_t seen = {NULL, 0, 0, 0, 0, 0};
    ap_generation_t generation = asked(AP_MPMQ_GENERATION);
    int rows = asked(AP_MPMQ_HARD_LIMIT_DAEMONS);
    pid_t self = getpid();
    int i;

    for (i = 0; i < rows; i++) {
        process_score *row = &ap_scoreboard_image->parent[i];

        if (!is_of(row, generation)) {
            seen.free_rows += row->pid == 0;
            seen.threads_leaving += row->pid != 0 ? working(i) : 0;
            continue;
        }
        seen.children++;
        if (row->pid == self) {
            seen.own = row;
            seen.with_places += !is_full;
        }
        else if (!stream_quota_is_full(row->pid)) {
            seen.with_places++;
        }
        else if (!seen.own) {
            seen.full_before++;
        }
    }
    return seen;
}

/* Whether event can start another child. Ending children, above all older ones after a graceful
 * restart, keep their rows and count among MaxRequestWorkers. Event complains when it is to start
 * one and cannot. */
static int is_room_for_another(const view_t *seen, int threads)
{
    int most = asked(AP_MPMQ_MAX_DAEMONS);

    return seen->children < most && seen->free_rows > 0 &&
           seen->children * threads + seen->threads_leaving < most * threads;
}

/* Whether a full child is not to count among the idle. Where another one would help, it is not. Else so many
 * count that event finds no more idle threads than MaxSpareThreads, and ends none, and no fewer than can be. */
static int is_to_hide(const view_t *seen, int is_all_taken)
{
    int threads = asked(AP_MPMQ_MAX_THREADS);
    int counted = threads > 0 ? asked(AP_MPMQ_MAX_SPARE_THREADS) / threads : 0;

    return (!is_all_taken && is_room_for_another(seen, threads)) ||
           seen->with_places + seen->full_before >= counted;
}

stream_children_e stream_children_look(stream_quota_t *quota)
{
    int is_full = stream_quota_look(quota);
    int is_all_taken = stream_quota_all_taken(quota);
    view_t seen = view(is_full);

    if (seen.own) {
        int must_hide = is_full && is_to_hide(&seen, is_all_taken);

        /* event says it too, of a child that has too many connections: that is left alone. */
        if (__atomic_exchange_n(&is_hidden, must_hide, __ATOMIC_RELAXED) || must_hide) {
            __atomic_store_n(&seen.own->not_accepting, (char)must_hide, __ATOMIC_RELAXED);
        }
    }
    return is_all_taken || (seen.with_places == 0 && seen.children >= asked(AP_MPMQ_MAX_DAEMONS))
               ? STREAM_CHILDREN_FULL
               : STREAM_CHILDREN_OTHERS;
}
