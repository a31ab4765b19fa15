#include "load_posters.h"

#include <stdlib.h>
#include <string.h>

/* Of what the rate asks for, no more than this is made up for after a time without answers. */
#define BEHIND_MAX LOAD_SEC

struct load_posters_t {
    load_poster_t *all;
    load_poster_t *idle;
    int busy;
    int is_stopped;
    load_timer_t due; /* of the next message, where there is a rate */
    uint64_t next_due;
};

/* ---- what there is to post ------------------------------------------------------------------- */

static int is_more_wanted(const load_run_t *run)
{
    const load_options_t *options = &run->options;
    apr_int64_t most = options->is_on_command ? run->ordered
                       : options->burst       ? options->burst
                                              : options->messages;

    return !run->posters->is_stopped && run->state == LOAD_POSTING &&
           (most < 0 || run->counts.posted < most);
}

static int hand_out(load_run_t *run, load_poster_t *poster)
{
    load_message_t *message = load_message_create(run);

    if (!message) {
        run->posters->is_stopped = 1;
        return 0;
    }
    load_poster_add(poster, message);
    if (!poster->is_busy) {
        poster->is_busy = 1;
        run->posters->busy++;
    }
    return 1;
}

void load_posters_pump(load_run_t *run)
{
    load_posters_t *posters = run->posters;
    apr_int64_t rate = run->options.rate;
    uint64_t now = load_now();

    if (run->options.burst) {
        return;
    }
    if (rate && now > posters->next_due + BEHIND_MAX) {
        posters->next_due = now - BEHIND_MAX;
    }
    while (posters->idle && is_more_wanted(run) && (!rate || posters->next_due <= now)) {
        load_poster_t *poster = posters->idle;

        posters->idle = poster->next;
        if (!hand_out(run, poster)) {
            return;
        }
        posters->next_due += rate ? LOAD_SEC / (uint64_t)rate : 0;
        load_poster_work(poster);
    }
}

static void on_due(load_timer_t *timer)
{
    load_posters_t *posters = LOAD_OWNER(timer, load_posters_t, due);
    load_run_t *run = posters->all[0].run;
    uint64_t soon = load_now() + LOAD_MS;

    load_posters_pump(run);
    if (is_more_wanted(run)) {
        load_loop_set(&run->loop, timer, posters->next_due > soon ? posters->next_due : soon);
    }
}

/* ---- what posters ask ------------------------------------------------------------------------ */

void load_posters_idle(load_run_t *run, load_poster_t *poster)
{
    if (poster->is_busy) {
        poster->is_busy = 0;
        run->posters->busy--;
        poster->next = run->posters->idle;
        run->posters->idle = poster;
    }
}

/* ---- what the run asks ----------------------------------------------------------------------- */

load_posters_t *load_posters_create(load_run_t *run)
{
    load_posters_t *posters = calloc(1, sizeof(*posters));
    int count = (int)run->options.posters;
    int i;

    if (!posters) {
        return NULL;
    }
    posters->all = calloc((size_t)count + 1, sizeof(*posters->all));
    if (!posters->all) {
        free(posters);
        return NULL;
    }
    for (i = 0; i < count; i++) {
        load_poster_t *poster = &posters->all[i];

        load_poster_init(poster, run);
        poster->next = i + 1 < count ? poster + 1 : NULL;
    }
    posters->all[0].run = run;
    posters->idle = count ? posters->all : NULL;
    posters->due.fire = on_due;
    return posters;
}

static void start_burst(load_run_t *run)
{
    load_posters_t *posters = run->posters;
    int i;

    posters->idle = NULL;
    for (i = 0; i < run->options.burst; i++) {
        hand_out(run, &posters->all[i % run->options.posters]);
    }
    for (i = 0; i < run->options.posters; i++) {
        load_poster_work(&posters->all[i]);
    }
}

void load_posters_start(load_run_t *run)
{
    run->posters->next_due = load_now();
    if (run->options.burst) {
        start_burst(run);
        return;
    }
    load_posters_pump(run);
    if (run->options.rate) {
        on_due(&run->posters->due);
    }
}

void load_posters_order(load_run_t *run, apr_int64_t messages)
{
    memset(&run->live, 0, sizeof(run->live));
    run->order_began = load_now();
    run->ordered += messages;
    load_posters_pump(run);
}

void load_posters_stop(load_run_t *run)
{
    run->posters->is_stopped = 1;
    load_loop_unset(&run->loop, &run->posters->due);
}

int load_posters_are_through(const load_run_t *run)
{
    return !run->options.is_on_command && !is_more_wanted(run);
}

int load_posters_are_idle(const load_run_t *run)
{
    return run->posters->busy == 0;
}
