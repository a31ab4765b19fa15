#include "load_reader.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load_outage.h"
#include "load_socket.h"

/* As htdocs/assets/chat.js has them, but for the pause of EventSource, which browsers choose. */
#define RETRY_MS      1000
#define FAILED_MIN_MS 1000
#define FAILED_MAX_MS 30000
#define GOOD          (5 * LOAD_SEC)
#define SLOW_BYTES    8
#define SLOW_PAUSE    LOAD_SEC
#define SLOW_BUFFER   4096
#define REQUEST_BYTES 2048

/* How a connection came to its end. */
typedef enum end_e {
    END_ITSELF, /* the answer was whole: in poll mode that is how life is */
    END_BROKEN, /* cut off, refused, or no stream */
    END_OURS    /* we dropped it */
} end_e;

static void come_back_later(load_reader_t *reader)
{
    const load_options_t *options = &reader->run->options;
    double pause;

    if (reader->state == LOAD_READER_OPEN && load_now() - reader->opened_at > GOOD) {
        reader->failures = 0;
    }
    if (reader->http.status == 200 && reader->http.is_event_stream) {
        pause =
            reader->stream.retry_ms ? reader->stream.retry_ms : RETRY_MS * (0.5 + load_random());
    }
    else {
        double most = FAILED_MIN_MS * ldexp(1, reader->failures < 5 ? ++reader->failures : 5);

        most = most < FAILED_MAX_MS ? most : FAILED_MAX_MS;
        pause = most * (0.5 + load_random() / 2);
    }
    if (options->retry_cap >= 0 && pause > (double)options->retry_cap) {
        /* Spread all the same, or everybody would come back in one moment. */
        pause = (double)options->retry_cap * (0.5 + load_random() / 2);
    }
    reader->state = LOAD_READER_AWAY;
    load_loop_set(&reader->run->loop, &reader->timer,
                  load_now() + (uint64_t)(pause * (double)LOAD_MS));
}

static void end_connection(load_reader_t *reader, end_e how)
{
    load_run_t *run = reader->run;

    load_tls_destroy(reader->tls);
    reader->tls = NULL;
    load_loop_close(&reader->source);
    load_loop_unset(&run->loop, &reader->pace);
    if (reader->state == LOAD_READER_OPEN) {
        run->open--;
    }
    else if (reader->state == LOAD_READER_ASKING && how != END_OURS) {
        run->counts.cut++;
    }
    if (how == END_BROKEN || (how == END_ITSELF && !run->options.is_polling)) {
        load_outage_closed(run, reader);
    }
    reader->was_broken = how != END_ITSELF || !run->options.is_polling;
    if (reader->is_forgetful) {
        reader->is_forgetful = 0;
        reader->has_last = 0;
        load_track_forget(&reader->track);
    }
    come_back_later(reader);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void set_pace(load_reader_t *reader)
{
    load_run_t *run = reader->run;

    if (load_reader_dawdles(reader)) {
        load_loop_watch(&run->loop, &reader->source, 0, 0);
        load_loop_set(&run->loop, &reader->pace, load_now() + SLOW_PAUSE);
    }
    else if (run->options.churn && run->state == LOAD_POSTING) {
        double life = -log(1 - load_random()) * (double)run->options.churn;

        load_loop_set(&run->loop, &reader->pace, load_now() + (uint64_t)(life * (double)LOAD_MS));
    }
}

static int has_positions(const load_reader_t *reader)
{
    return reader->run->options.server == LOAD_SERVER_CHAT;
}

static void opened(load_reader_t *reader)
{
    load_run_t *run = reader->run;

    reader->state = LOAD_READER_OPEN;
    reader->opened_at = load_now();
    run->open++;
    run->opened += !reader->was_open;
    reader->was_open = 1;
    load_outage_opened(run, reader);
    set_pace(reader);
}

static void take_open(load_reader_t *reader, const load_event_t *event)
{
    if (reader->state == LOAD_READER_OPEN) {
        return;
    }
    if (event->id == LOAD_ID_POSITION && has_positions(reader)) {
        load_track_open(&reader->track, event->position);
    }
    opened(reader);
}

static void note_latency(load_reader_t *reader, uint64_t sent)
{
    uint64_t now = reader->heard_at;
    uint64_t latency = now > sent ? now - sent : 0;

    if (!sent || reader->is_slow) {
        return;
    }
    if (reader->was_broken && sent < reader->opened_at) {
        load_histogram_add(&reader->run->recovery, latency);
        return;
    }
    load_histogram_add(&reader->run->live, latency);
    if (latency > reader->worst) {
        reader->worst = latency;
    }
}

static void take_message(load_reader_t *reader, const load_event_t *event)
{
    if (reader->run->options.server == LOAD_SERVER_CENTRIFUGO && !event->sent) {
        /* Its events have no names. An event without our text says that the channel is subscribed
         * to, or is a sign of life. */
        take_open(reader, event);
        return;
    }
    reader->run->counts.messages++;
    reader->messages++;
    if (has_positions(reader)) {
        if (event->id != LOAD_ID_POSITION) {
            return;
        }
        load_track_message(&reader->track, event->position);
    }
    reader->moved_at = reader->heard_at;
    note_latency(reader, event->sent);
}

static void take_event(void *context, const load_event_t *event)
{
    load_reader_t *reader = context;
    load_counts_t *counts = &reader->run->counts;

    if (event->id == LOAD_ID_POSITION && has_positions(reader)) {
        reader->last_id = event->position;
        reader->has_last = 1;
    }
    if (!event->has_data) {
        return;
    }
    counts->events++;
    if (event->id == LOAD_ID_OTHER && has_positions(reader) && event->kind != LOAD_EVENT_ERROR) {
        counts->misdirected++;
    }
    switch (event->kind) {
    case LOAD_EVENT_MESSAGE:
        take_message(reader, event);
        break;
    case LOAD_EVENT_OPEN:
        take_open(reader, event);
        break;
    case LOAD_EVENT_KEEP_ALIVE:
        counts->keep_alives++;
        break;
    case LOAD_EVENT_RESET:
        counts->resets++;
        load_track_reset(&reader->track, reader->last_id);
        reader->moved_at = reader->heard_at;
        break;
    case LOAD_EVENT_ERROR:
        counts->errors++;
        reader->is_forgetful = 1;
        break;
    default:
        break;
    }
}

/* ---- the connection -------------------------------------------------------------------------- */

static void take_body(void *context, gc_slice_t piece)
{
    load_reader_t *reader = context;

    if (reader->http.status == 200 && reader->http.is_event_stream &&
        !load_stream_feed(&reader->stream, piece, take_event, reader))
    {
        /* Nothing can follow on a line without an end. */
        reader->run->counts.bad++;
        reader->http.at = LOAD_HTTP_DONE;
    }
}

static void take_bytes(load_reader_t *reader, gc_slice_t bytes)
{
    load_counts_t *counts = &reader->run->counts;
    int had_head = load_http_has_head(&reader->http);

    counts->bytes += (apr_int64_t)bytes.len;
    if (!load_http_feed(&reader->http, &bytes, take_body, reader)) {
        counts->bad++;
        end_connection(reader, END_BROKEN);
        return;
    }
    if (!had_head && load_http_has_head(&reader->http)) {
        int status = reader->http.status;

        counts->statuses[status < LOAD_STATUSES ? status : 0]++;
        if (status == 200 && !reader->http.is_event_stream) {
            counts->bad++;
        }
        else if (status == 400) {
            /* As after stream-error: the position is of no use. */
            reader->is_forgetful = 1;
        }
        if (status != 200 || !reader->http.is_event_stream) {
            end_connection(reader, END_BROKEN);
            return;
        }
        if (reader->run->options.server == LOAD_SERVER_NCHAN) {
            opened(reader);
        }
    }
    if (reader->http.at == LOAD_HTTP_DONE || reader->is_forgetful) {
        end_connection(reader, END_ITSELF);
    }
}

/* Whether there may be more of a record that the socket does not tell of. */
static int read_some(load_reader_t *reader, size_t most)
{
    char *buffer = reader->run->buffer;
    ssize_t got = reader->tls ? load_tls_read(reader->tls, buffer, most)
                              : recv(reader->source.fd, buffer, most, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    reader->heard_at = load_now();
    if (got <= 0) {
        int is_whole = got == 0 && load_http_is_whole(&reader->http);

        end_connection(reader, is_whole ? END_ITSELF : END_BROKEN);
        return 0;
    }
    take_bytes(reader, gc_slice(buffer, (apr_size_t)got));
    return reader->tls != NULL && !load_reader_dawdles(reader);
}

static void write_path(const load_reader_t *reader, char *out, size_t size)
{
    const load_options_t *options = &reader->run->options;

    if (options->server == LOAD_SERVER_CENTRIFUGO) {
        /* {"subs":{"load-0":{}}} */
        snprintf(out, size,
                 "/connection/uni_sse?cf_connect=%%7B%%22subs%%22:%%7B%%22%s%%22:%%7B%%7D%%7D%%7D",
                 reader->room->name);
    }
    else {
        snprintf(out, size, "%s/rooms/%s/events/", options->prefix, reader->room->name);
    }
}

static int send_request(load_reader_t *reader)
{
    const load_options_t *options = &reader->run->options;
    char request[REQUEST_BYTES];
    char path[REQUEST_BYTES];
    char last[128] = "";
    int len;

    if (reader->has_last) {
        snprintf(last, sizeof(last), "Last-Event-ID: %s%" APR_INT64_T_FMT "\r\n", reader->room->id,
                 reader->last_id);
    }
    write_path(reader, path, sizeof(path));
    len = snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: localhost\r\n"
                   "Accept: text/event-stream\r\nCache-Control: no-cache\r\n%s%s\r\n",
                   path, options->is_polling ? "Connection: close\r\n" : "", last);
    if (len >= (int)sizeof(request)) {
        return 0;
    }
    return reader->tls ? load_tls_write(reader->tls, request, (size_t)len)
                       : send(reader->source.fd, request, (size_t)len, MSG_NOSIGNAL) == len;
}

static void refused(load_reader_t *reader)
{
    reader->run->counts.refused++;
    end_connection(reader, END_BROKEN);
}

static void request_events(load_reader_t *reader)
{
    if (!send_request(reader) ||
        load_loop_watch(&reader->run->loop, &reader->source, EPOLLIN, 0) != 0) {
        refused(reader);
        return;
    }
    reader->state = LOAD_READER_ASKING;
}

static void greet(load_reader_t *reader)
{
    load_tls_e needs = load_tls_shake(reader->tls);

    if (needs == LOAD_TLS_DONE) {
        request_events(reader);
    }
    else if (needs == LOAD_TLS_FAILED ||
             load_loop_watch(&reader->run->loop, &reader->source,
                             needs == LOAD_TLS_WANTS_READ ? EPOLLIN : EPOLLOUT, 0) != 0)
    {
        refused(reader);
    }
}

static void connected(load_reader_t *reader)
{
    if (!load_socket_is_connected(reader->source.fd)) {
        refused(reader);
    }
    else if (!reader->run->tls) {
        request_events(reader);
    }
    else if (!(reader->tls = load_tls_create(reader->run->tls, reader->source.fd))) {
        refused(reader);
    }
    else {
        reader->state = LOAD_READER_GREETING;
        greet(reader);
    }
}

static void on_ready(load_source_t *source, uint32_t events)
{
    load_reader_t *reader = LOAD_OWNER(source, load_reader_t, source);

    if (reader->state == LOAD_READER_CONNECTING) {
        connected(reader);
    }
    else if (reader->state == LOAD_READER_GREETING) {
        greet(reader);
    }
    else if (load_reader_dawdles(reader)) {
        /* Not asked for: the connection is broken. */
        end_connection(reader, END_BROKEN);
    }
    else {
        while (read_some(reader, LOAD_READ_BYTES)) {
        }
    }
}

static void on_pace(load_timer_t *timer)
{
    load_reader_t *reader = LOAD_OWNER(timer, load_reader_t, pace);

    if (load_reader_dawdles(reader)) {
        load_loop_set(&reader->run->loop, timer, load_now() + SLOW_PAUSE);
        read_some(reader, SLOW_BYTES);
    }
    else if (reader->run->state == LOAD_POSTING) {
        end_connection(reader, END_OURS);
    }
}

static void connect_now(load_reader_t *reader)
{
    load_run_t *run = reader->run;
    const load_options_t *options = &run->options;
    int number = (int)(reader - run->readers);
    int from = options->source_addresses > 1 ? number % (int)options->source_addresses + 1 : 0;

    load_http_begin(&reader->http);
    load_stream_begin(&reader->stream);
    run->counts.connects++;
    reader->connects++;
    reader->state = LOAD_READER_CONNECTING;
    reader->source.fd =
        load_socket_connect(&options->proxy, from, reader->is_slow ? SLOW_BUFFER : 0);
    if (reader->source.fd < 0 || load_loop_watch(&run->loop, &reader->source, EPOLLOUT, 1) != 0) {
        refused(reader);
        return;
    }
    reader->heard_at = load_now();
    load_loop_set(&run->loop, &reader->timer,
                  reader->heard_at + (uint64_t)options->silence * LOAD_SEC);
}

/* It was away long enough, or its connection may have been silent for too long. */
static void on_timer(load_timer_t *timer)
{
    load_reader_t *reader = LOAD_OWNER(timer, load_reader_t, timer);
    uint64_t silence = (uint64_t)reader->run->options.silence * LOAD_SEC;

    if (reader->state == LOAD_READER_AWAY) {
        connect_now(reader);
    }
    else if (load_reader_dawdles(reader) || load_now() < reader->heard_at + silence) {
        uint64_t from = load_reader_dawdles(reader) ? load_now() : reader->heard_at;

        load_loop_set(&reader->run->loop, timer, from + silence);
    }
    else {
        reader->run->counts.silent++;
        end_connection(reader, END_BROKEN);
    }
}

/* ---- what the run asks ----------------------------------------------------------------------- */

void load_reader_init(load_reader_t *reader, load_run_t *run, int number)
{
    reader->run = run;
    reader->room = &run->rooms[number % run->options.rooms];
    reader->source.fd = -1;
    reader->source.ready = on_ready;
    reader->timer.fire = on_timer;
    reader->pace.fire = on_pace;
    reader->is_slow = number < run->options.slow;
    reader->stream.room_id = gc_slice_of(reader->room->id);
}

void load_reader_start(load_reader_t *reader)
{
    connect_now(reader);
}

void load_reader_stir(load_reader_t *reader)
{
    if (reader->state == LOAD_READER_OPEN) {
        set_pace(reader);
    }
}

void load_reader_calm(load_reader_t *reader)
{
    load_loop_unset(&reader->run->loop, &reader->pace);
    if (reader->is_slow && reader->state == LOAD_READER_OPEN) {
        load_loop_watch(&reader->run->loop, &reader->source, EPOLLIN, 0);
    }
}

int load_reader_is_whole(const load_reader_t *reader)
{
    if (!has_positions(reader)) {
        return reader->messages == reader->room->acknowledged;
    }
    return reader->room->is_asked && reader->track.is_known && reader->track.missing == 0 &&
           reader->track.position == reader->room->last;
}

int load_reader_dawdles(const load_reader_t *reader)
{
    return reader->is_slow && reader->state == LOAD_READER_OPEN &&
           reader->run->state < LOAD_SETTLING;
}
