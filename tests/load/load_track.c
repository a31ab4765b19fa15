#include "load_track.h"

#include <stdlib.h>
#include <string.h>

void load_track_open(load_track_t *track, apr_int64_t position)
{
    if (!track->is_known) {
        track->is_known = 1;
        track->position = position;
    }
}

static void add_hole(load_track_t *track, apr_int64_t first, apr_int64_t last)
{
    track->gaps++;
    track->missing += last - first + 1;
    if (!track->holes) {
        track->holes = calloc(LOAD_TRACK_HOLES_MAX, sizeof(*track->holes));
    }
    if (track->holes && track->hole_count < LOAD_TRACK_HOLES_MAX) {
        track->holes[track->hole_count].first = first;
        track->holes[track->hole_count].last = last;
        track->hole_count++;
    }
}

/* Whether a position was missing; it is not any more. */
static int fill_hole(load_track_t *track, apr_int64_t position)
{
    int i;

    for (i = 0; i < track->hole_count; i++) {
        load_hole_t *hole = &track->holes[i];
        load_hole_t rest = {position + 1, hole->last};

        if (position < hole->first || position > hole->last) {
            continue;
        }
        track->missing--;
        hole->last = position - 1;
        if (hole->first > hole->last) {
            *hole = track->holes[--track->hole_count];
        }
        if (rest.first <= rest.last && track->hole_count < LOAD_TRACK_HOLES_MAX) {
            track->holes[track->hole_count++] = rest;
        }
        return 1;
    }
    return 0;
}

void load_track_message(load_track_t *track, apr_int64_t position)
{
    if (track->is_known && position <= track->position) {
        if (fill_hole(track, position)) {
            track->out_of_order++;
        }
        else {
            track->duplicates++;
        }
        return;
    }
    if (track->is_known && position > track->position + 1) {
        add_hole(track, track->position + 1, position - 1);
    }
    track->is_known = 1;
    track->position = position;
}

void load_track_reset(load_track_t *track, apr_int64_t position)
{
    track->resets++;
    load_track_forget(track);
    load_track_open(track, position);
}

void load_track_forget(load_track_t *track)
{
    track->is_known = 0;
    track->missing = 0;
    track->hole_count = 0;
}
