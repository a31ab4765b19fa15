#include "load_report.h"

#include <math.h>
#include <sys/resource.h>

#include <jansson.h>

#include "load_outage.h"
#include "load_reader.h"

#define WORST_MAX 5

/* The sums over all readers. */
typedef struct sums_t {
    apr_int64_t whole;
    apr_int64_t gaps;
    apr_int64_t missing;
    apr_int64_t duplicates;
    apr_int64_t out_of_order;
    uint64_t last_moved;
} sums_t;

static void set_number(json_t *object, const char *name, apr_int64_t number)
{
    json_object_set_new(object, name, json_integer(number));
}

/* Milliseconds, to the microsecond. */
static void set_ms(json_t *object, const char *name, double ms)
{
    json_object_set_new(object, name, json_real(round(ms * 1e3) / 1e3));
}

static json_t *histogram(const load_histogram_t *from)
{
    json_t *object = json_object();

    set_number(object, "count", (apr_int64_t)from->count);
    set_ms(object, "p50", load_histogram_ms(from, 0.50));
    set_ms(object, "p90", load_histogram_ms(from, 0.90));
    set_ms(object, "p99", load_histogram_ms(from, 0.99));
    set_ms(object, "max", (double)from->max / 1e6);
    return object;
}

static json_t *by_status(const apr_int64_t *counts)
{
    json_t *object = json_object();
    char name[16];
    int i;

    for (i = 0; i < LOAD_STATUSES; i++) {
        if (counts[i]) {
            snprintf(name, sizeof(name), "%d", i);
            set_number(object, name, counts[i]);
        }
    }
    return object;
}

static sums_t sum_up(const load_run_t *run)
{
    sums_t sums = {0};
    int i;

    for (i = 0; i < run->options.readers; i++) {
        const load_reader_t *reader = &run->readers[i];

        sums.whole += load_reader_is_whole(reader);
        sums.gaps += reader->track.gaps;
        sums.missing += reader->track.missing;
        sums.duplicates += reader->track.duplicates;
        sums.out_of_order += reader->track.out_of_order;
        if (reader->moved_at > sums.last_moved) {
            sums.last_moved = reader->moved_at;
        }
    }
    return sums;
}

/* Whether a reader is worse off than another: broken promises first, then waiting. */
static int is_worse(const load_reader_t *a, const load_reader_t *b)
{
    int whole_a = load_reader_is_whole(a);
    int whole_b = load_reader_is_whole(b);
    apr_int64_t faults_a =
        a->track.missing + a->track.gaps + a->track.duplicates + a->track.out_of_order;
    apr_int64_t faults_b =
        b->track.missing + b->track.gaps + b->track.duplicates + b->track.out_of_order;

    if (whole_a != whole_b) {
        return whole_b;
    }
    return faults_a != faults_b ? faults_a > faults_b : a->worst > b->worst;
}

static json_t *describe(const load_run_t *run, const load_reader_t *reader)
{
    static const char *const states[] = {"away", "connecting", "greeting", "asking", "open"};
    const load_track_t *track = &reader->track;
    json_t *object = json_object();

    set_number(object, "reader", reader - run->readers);
    json_object_set_new(object, "room", json_string(reader->room->name));
    json_object_set_new(object, "state", json_string(states[reader->state]));
    json_object_set_new(object, "whole", json_boolean(load_reader_is_whole(reader)));
    json_object_set_new(object, "position",
                        track->is_known ? json_integer(track->position) : json_null());
    set_number(object, "missing", track->missing);
    set_number(object, "gaps", track->gaps);
    set_number(object, "duplicates", track->duplicates);
    set_number(object, "out_of_order", track->out_of_order);
    set_number(object, "resets", track->resets);
    set_number(object, "connects", reader->connects);
    set_ms(object, "live_max_ms", (double)reader->worst / 1e6);
    return object;
}

static json_t *worst(const load_run_t *run)
{
    const load_reader_t *found[WORST_MAX];
    json_t *list = json_array();
    int count = 0;
    int i;

    for (i = 0; i < run->options.readers; i++) {
        const load_reader_t *reader = &run->readers[i];
        int at = count;

        while (at > 0 && is_worse(reader, found[at - 1])) {
            if (at < WORST_MAX) {
                found[at] = found[at - 1];
            }
            at--;
        }
        if (at < WORST_MAX) {
            found[at] = reader;
            count += count < WORST_MAX;
        }
    }
    for (i = 0; i < count; i++) {
        json_array_append_new(list, describe(run, found[i]));
    }
    return list;
}

static void add_posts(json_t *report, const load_run_t *run)
{
    const load_counts_t *counts = &run->counts;
    uint64_t end = run->posting_ended ? run->posting_ended : load_now();
    double seconds = run->posting_began ? (double)(end - run->posting_began) / 1e9 : 0;
    json_t *positions = json_object();
    apr_int64_t stored = 0;
    int is_asked = 1;
    int i;

    for (i = 0; i < run->options.rooms; i++) {
        const load_room_t *room = &run->rooms[i];

        is_asked &= room->is_asked;
        stored += room->last;
        json_object_set_new(positions, room->name,
                            room->is_asked ? json_integer(room->last) : json_null());
    }
    json_object_set_new(report, "seconds", json_real(round(seconds * 1e3) / 1e3));
    set_number(report, "posted", counts->posted);
    set_number(report, "acknowledged", counts->acknowledged);
    json_object_set_new(report, "stored_last", is_asked ? json_integer(stored) : json_null());
    json_object_set_new(report, "rooms", positions);
    set_number(report, "unknown", counts->unknown);
    set_number(report, "unsent", counts->unsent);
    set_number(report, "retries", counts->retries);
    set_number(report, "post_connects", counts->post_connects);
    set_number(report, "post_refused", counts->post_refused);
    json_object_set_new(report, "rejected", by_status(counts->rejected));
    json_object_set_new(report, "post_ms", histogram(&run->post));
}

static void add_readers(json_t *report, const load_run_t *run)
{
    const load_counts_t *counts = &run->counts;
    sums_t sums = sum_up(run);

    set_number(report, "readers", run->options.readers);
    set_number(report, "open", run->open);
    set_number(report, "opened", run->opened);
    set_number(report, "whole", sums.whole);
    set_number(report, "not_whole", run->options.readers - sums.whole);
    set_number(report, "gaps", sums.gaps);
    set_number(report, "missing", sums.missing);
    set_number(report, "duplicates", sums.duplicates);
    set_number(report, "out_of_order", sums.out_of_order);
    set_number(report, "misdirected", counts->misdirected);
    set_number(report, "resets", counts->resets);
    set_number(report, "errors", counts->errors);
    set_number(report, "connects", counts->connects);
    set_number(report, "refused", counts->refused);
    set_number(report, "cut", counts->cut);
    set_number(report, "silent", counts->silent);
    set_number(report, "bad", counts->bad);
    json_object_set_new(report, "statuses", by_status(counts->statuses));
    set_number(report, "bytes", counts->bytes);
    set_number(report, "events", counts->events);
    set_number(report, "messages", counts->messages);
    set_number(report, "keep_alives", counts->keep_alives);
    json_object_set_new(report, "live_ms", histogram(&run->live));
    json_object_set_new(report, "recovery_ms", histogram(&run->recovery));
    if (run->last_post && sums.last_moved) {
        set_ms(report, "last_whole_ms",
               sums.last_moved > run->last_post ? (double)(sums.last_moved - run->last_post) / 1e6
                                                : 0);
    }
    else {
        json_object_set_new(report, "last_whole_ms", json_null());
    }
    if (run->order_began) {
        set_ms(report, "order_ms",
               sums.last_moved > run->order_began
                   ? (double)(sums.last_moved - run->order_began) / 1e6
                   : 0);
    }
    json_object_set_new(report, "worst", worst(run));
}

static void add_outages(json_t *report, const load_run_t *run)
{
    const load_outage_t *outage = run->outage;

    set_number(report, "mass_disconnects", outage->count + outage->is_mass);
    if (outage->is_mass || !outage->count) {
        json_object_set_new(report, "time_to_open_ms", json_null());
        json_object_set_new(report, "time_to_whole_ms", json_null());
    }
    else {
        set_ms(report, "time_to_open_ms", outage->last_open_ms);
        set_ms(report, "time_to_whole_ms", outage->last_ms);
    }
    set_ms(report, "worst_time_to_whole_ms", outage->worst_ms);
}

int load_report_print(const load_run_t *run)
{
    static const char *const states[] = {"connecting", "posting", "draining", "settling", "ended"};
    json_t *report = json_object();
    struct rusage used;
    int failed;

    json_object_set_new(report, "state", json_string(states[run->state]));
    add_posts(report, run);
    add_readers(report, run);
    add_outages(report, run);
    getrusage(RUSAGE_SELF, &used);
    set_ms(report, "elapsed_s", (double)(load_now() - run->began) / 1e9);
    set_ms(report, "cpu_s",
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    failed = json_dumpf(report, stdout, JSON_COMPACT) != 0 || fputc('\n', stdout) == EOF ||
             fflush(stdout) != 0;
    json_decref(report);
    return failed ? -1 : 0;
}
