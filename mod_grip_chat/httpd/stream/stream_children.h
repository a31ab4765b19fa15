/* The children that hold streams, as they see each other: whether all of them are full, and whether
 * event is to start another.
 *
 * Event starts children when idle threads get scarce, and a held stream makes no thread busy. So
 * with Debian's defaults two children would take 112 readers, the four other allowed children would
 * never start, and all other readers would poll. But event does not count a child as idle that says
 * in its row of the scoreboard that it does not accept. So a child that is full of streams says
 * that, and goes on accepting: every child answers requests. When all allowed children run, some
 * stop saying it, so that event finds neither too few threads nor too many.
 *
 * Lives in a child, in any thread; it sees the other children through the scoreboard. There is
 * nothing to free. */
#ifndef STREAM_CHILDREN_H
#define STREAM_CHILDREN_H

#include "stream_quota.h"

/** The prospects of a reader that this child has no place for. */
typedef enum stream_children_e {
    STREAM_CHILDREN_OTHERS, /**< another child has a place, or will be started */
    STREAM_CHILDREN_FULL /**< nothing: all children are full, or there are as many streams as there may be */
} stream_children_e;

/**
 * Look at this child's streams, and say in the scoreboard whether event is to do without it. Thread-safe. Call it
 * once a second, and when a reader finds no place.
 */
stream_children_e stream_children_look(stream_quota_t *quota);

#endif
