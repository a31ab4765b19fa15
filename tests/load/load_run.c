#include "load_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "load_asker.h"
#include "load_control.h"
#include "load_outage.h"
#include "load_posters.h"
#include "load_reader.h"
#include "load_tls.h"

#define TICK (10 * LOAD_MS)
/* Between two looks at how far the rooms are, while readers get there. */
#define AGAIN (500 * LOAD_MS)
/* Descriptors that are neither a reader's nor a poster's. */
#define OTHER_FILES 16

double load_random(void)
{
    return drand48();
}

/* ---- the phases ------------------------------------------------------------------------------ */

static void begin_posting(load_run_t *run)
{
    int i;

    run->state = LOAD_POSTING;
    run->posting_began = load_now();
    for (i = 0; i < run->started; i++) {
        load_reader_stir(&run->readers[i]);
    }
    load_posters_start(run);
}

static void begin_settling(load_run_t *run)
{
    int i;

    run->state = LOAD_SETTLING;
    run->asked_after = load_now();
    run->settle_end = run->asked_after + (uint64_t)run->options.settle * LOAD_SEC;
    if (!run->last_post) {
        run->last_post = run->asked_after;
    }
    for (i = 0; i < run->started; i++) {
        load_reader_calm(&run->readers[i]);
    }
}

static void keep_connecting(load_run_t *run)
{
    uint64_t now = load_now();
    double due = (double)(now - run->began) / 1e9 * (double)run->options.connect_rate + 1;

    while (run->started < run->options.readers && run->started < due) {
        load_reader_start(&run->readers[run->started++]);
    }
    if (!run->connected && (run->opened == run->options.readers || run->is_stopped ||
                            (run->started == run->options.readers &&
                             now > run->began + (uint64_t)run->options.open_timeout * LOAD_SEC)))
    {
        run->connected = now;
    }
    if (run->connected && now >= run->connected + (uint64_t)run->options.rest * LOAD_SEC) {
        begin_posting(run);
    }
}

static void keep_posting(load_run_t *run)
{
    apr_int64_t seconds = run->options.seconds;
    uint64_t most = (uint64_t)(seconds >= 0 ? seconds : LOAD_SECONDS_MAX) * LOAD_SEC;
    int is_over = run->is_stopped || load_now() >= run->posting_began + most;

    /* Without posters time alone ends it, unless nothing was to be posted. */
    if (is_over || (load_posters_are_through(run) && (run->options.posters || seconds < 0))) {
        load_posters_stop(run);
        run->posting_ended = load_now();
        run->state = LOAD_DRAINING;
    }
}

static int are_all_whole(const load_run_t *run)
{
    int i;

    for (i = 0; i < run->options.readers; i++) {
        if (!load_reader_is_whole(&run->readers[i])) {
            return 0;
        }
    }
    return 1;
}

/* Asked once more after all seemed whole, the origin may know of a message that was unknown. Without
 * readers the one answer is all that is wanted. */
static void keep_settling(load_run_t *run)
{
    uint64_t now = load_now();

    if (now >= run->settle_end) {
        run->state = LOAD_ENDED;
    }
    else if (!load_asker_want(run, run->asked_after)) {
        return;
    }
    else if (are_all_whole(run)) {
        if (run->is_confirmed || !run->options.readers) {
            run->state = LOAD_ENDED;
        }
        run->is_confirmed = 1;
        run->asked_after = now;
    }
    else if (now > run->asked_after + AGAIN) {
        run->is_confirmed = 0;
        run->asked_after = now;
    }
}

static void on_tick(load_timer_t *timer)
{
    load_run_t *run = LOAD_OWNER(timer, load_run_t, tick);

    load_loop_set(&run->loop, timer, load_now() + TICK);
    load_outage_tick(run);
    switch (run->state) {
    case LOAD_CONNECTING:
        keep_connecting(run);
        break;
    case LOAD_POSTING:
        keep_posting(run);
        break;
    case LOAD_DRAINING:
        if (load_posters_are_idle(run)) {
            begin_settling(run);
        }
        break;
    case LOAD_SETTLING:
        keep_settling(run);
        break;
    default:
        break;
    }
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static int raise_limit_of_files(const load_options_t *options, FILE *err)
{
    rlim_t need = (rlim_t)(options->readers + options->posters + OTHER_FILES);
    struct rlimit limit = {0, 0};

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= need) {
        return 1;
    }
    fprintf(err,
            "%lu open files are allowed, and this takes %lu: raise the hard limit (ulimit -Hn).\n",
            (unsigned long)limit.rlim_cur, (unsigned long)need);
    return 0;
}

static void name_rooms(load_run_t *run)
{
    int i;

    for (i = 0; i < run->options.rooms; i++) {
        load_room_t *room = &run->rooms[i];

        snprintf(room->name, sizeof(room->name), "%s%d", run->options.room_prefix, i);
        snprintf(room->id, sizeof(room->id), "room-%s:", room->name);
    }
}

static int allocate(load_run_t *run)
{
    run->rooms = calloc((size_t)run->options.rooms, sizeof(*run->rooms));
    run->readers = calloc((size_t)run->options.readers + 1, sizeof(*run->readers));
    run->buffer = malloc(LOAD_READ_BYTES);
    run->posters = load_posters_create(run);
    run->asker = load_asker_create(run);
    run->outage = load_outage_create();
    run->tls = run->options.is_tls ? load_tls_context_create() : NULL;
    return (run->tls || !run->options.is_tls) && run->rooms && run->readers && run->buffer &&
           run->posters && run->asker && run->outage;
}

int load_run_init(load_run_t *run, FILE *err)
{
    long seed = 0;
    int i;

    signal(SIGPIPE, SIG_IGN);
    if (!raise_limit_of_files(&run->options, err)) {
        return -1;
    }
    /* Which moments are random matters little, but two runs must differ. */
    (void)!getrandom(&seed, sizeof(seed), 0);
    srand48(seed);
    if (run->options.ids && !(run->ids = fopen(run->options.ids, "w"))) {
        fprintf(err, "%s cannot be written: %s.\n", run->options.ids, strerror(errno));
        return -1;
    }
    if (load_loop_init(&run->loop) != 0 || !allocate(run) ||
        !(run->control = load_control_create(run))) {
        fprintf(err, "The run cannot be prepared: %s.\n", strerror(errno));
        return -1;
    }
    name_rooms(run);
    for (i = 0; i < run->options.readers; i++) {
        load_reader_init(&run->readers[i], run, i);
    }
    run->tick.fire = on_tick;
    return 0;
}

int load_run(load_run_t *run, FILE *err)
{
    run->began = load_now();
    load_loop_set(&run->loop, &run->tick, run->began);
    while (run->state != LOAD_ENDED) {
        if (load_loop_turn(&run->loop) != 0) {
            fprintf(err, "Sockets cannot be waited for: %s.\n", strerror(errno));
            return -1;
        }
    }
    if (run->ids && fclose(run->ids) != 0) {
        fprintf(err, "%s could not be written: %s.\n", run->options.ids, strerror(errno));
        return -1;
    }
    return 0;
}
