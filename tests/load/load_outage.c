#include "load_outage.h"

#include <stdlib.h>

#include "load_asker.h"

/* Connections that end within this time of each other belong to one outage. */
#define WINDOW (5 * LOAD_SEC)

load_outage_t *load_outage_create(void)
{
    return calloc(1, sizeof(load_outage_t));
}

void load_outage_closed(load_run_t *run, load_reader_t *reader)
{
    load_outage_t *outage = run->outage;
    uint64_t now = load_now();

    if (reader->is_slow || reader->state != LOAD_READER_OPEN) {
        return;
    }
    if (!outage->is_mass && (outage->state == LOAD_OUTAGE_NONE || now - outage->began > WINDOW)) {
        outage->began = now;
        outage->closed = 0;
    }
    outage->state = LOAD_OUTAGE_DOWN;
    outage->closed++;
    if (!reader->is_down) {
        reader->is_down = 1;
        outage->pending++;
    }
    if (outage->closed >= 2 && outage->closed * 2 >= run->options.readers - run->options.slow) {
        outage->is_mass = 1;
    }
}

void load_outage_opened(load_run_t *run, load_reader_t *reader)
{
    load_outage_t *outage = run->outage;

    if (!reader->is_down) {
        return;
    }
    reader->is_down = 0;
    outage->pending--;
    if (outage->pending == 0 && outage->state == LOAD_OUTAGE_DOWN) {
        outage->state = outage->is_mass ? LOAD_OUTAGE_ASKING : LOAD_OUTAGE_NONE;
        outage->all_open = reader->opened_at;
    }
}

static void set_targets(load_run_t *run)
{
    int i;

    for (i = 0; i < run->options.rooms; i++) {
        run->rooms[i].target = run->rooms[i].last;
    }
}

static int all_have_caught_up(const load_run_t *run)
{
    int i;

    for (i = 0; i < run->options.readers; i++) {
        const load_reader_t *reader = &run->readers[i];

        if (!reader->is_slow && reader->was_open &&
            (!reader->track.is_known || reader->track.position < reader->room->target))
        {
            return 0;
        }
    }
    return 1;
}

static void end_outage(load_outage_t *outage)
{
    outage->count++;
    outage->last_open_ms = (double)(outage->all_open - outage->began) / 1e6;
    outage->last_ms = (double)(load_now() - outage->began) / 1e6;
    if (outage->last_ms > outage->worst_ms) {
        outage->worst_ms = outage->last_ms;
    }
    outage->state = LOAD_OUTAGE_NONE;
    outage->is_mass = 0;
    outage->closed = 0;
}

void load_outage_tick(load_run_t *run)
{
    load_outage_t *outage = run->outage;

    if (outage->state == LOAD_OUTAGE_ASKING) {
        if (!load_asker_want(run, outage->all_open)) {
            return;
        }
        set_targets(run);
        outage->state = LOAD_OUTAGE_CATCHING;
    }
    if (outage->state == LOAD_OUTAGE_CATCHING && all_have_caught_up(run)) {
        end_outage(outage);
    }
}
