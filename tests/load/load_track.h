/* Follows the positions that a reader gets: each must be the one behind the last. */
#ifndef LOAD_TRACK_H
#define LOAD_TRACK_H

#include <apr.h>

/** Holes that a reader can have at a time; further ones are counted and never filled. */
#define LOAD_TRACK_HOLES_MAX 64

/** Positions that were passed over. */
typedef struct load_hole_t {
    apr_int64_t first;
    apr_int64_t last;
} load_hole_t;

/** A reader's positions; all zero is one that has none yet. */
typedef struct load_track_t {
    int is_known;         /**< position counts */
    apr_int64_t position; /**< the highest that came */
    apr_int64_t missing;  /**< positions that were passed over and have not come since */
    apr_int64_t duplicates;
    apr_int64_t out_of_order; /**< came behind a higher one */
    int gaps;                 /**< times that positions were passed over */
    int resets;
    int hole_count;
    load_hole_t *holes;
} load_track_t;

/** Begin at a position, where none is known. */
void load_track_open(load_track_t *track, apr_int64_t position);

/** A message came. */
void load_track_message(load_track_t *track, apr_int64_t position);

/** The server said that the reader cannot have what it missed, and where it goes on. */
void load_track_reset(load_track_t *track, apr_int64_t position);

/** Forget the position: the reader begins anew. */
void load_track_forget(load_track_t *track);

#endif
