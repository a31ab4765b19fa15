#include "load_poster.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load_http.h"
#include "load_message.h"
#include "load_socket.h"

/* What httpd takes on one connection, as MaxKeepAliveRequests is by default. */
#define REQUESTS_MAX 100
/* An idle connection is near the end of httpd's KeepAliveTimeout: a request could cross its end. */
#define IDLE_MAX (2 * LOAD_SEC)
#define PAUSE    (200 * LOAD_MS)
/* Of what the rate asks for, no more than this is made up for after a time without answers. */
#define BEHIND_MAX   LOAD_SEC
#define ANSWER_BYTES 256

typedef struct poster_t {
    load_source_t source;
    load_timer_t timer; /* the end of a pause, or of the patience for an answer */
    load_run_t *run;
    struct poster_t *next; /* among those that have nothing to do */
    int is_connected;
    int is_pausing;
    int is_busy;
    int requests; /* on this connection */
    uint64_t used_at;
    load_queue_t waiting; /* to be sent */
    load_queue_t flying;  /* sent, and not answered */
    char *out;            /* what the socket did not take at once */
    size_t out_have;
    size_t out_sent;
    size_t out_room;
    load_http_t http;
    char answer[ANSWER_BYTES]; /* the beginning of the body */
    size_t answer_have;
} poster_t;

struct load_posters_t {
    poster_t *all;
    poster_t *idle;
    int busy;
    int is_stopped;
    load_timer_t due; /* of the next message, where there is a rate */
    uint64_t next_due;
};

static void pump(load_run_t *run);
static void work(poster_t *poster);

/* ---- what becomes of a message --------------------------------------------------------------- */

static void drop(poster_t *poster, load_message_t *message)
{
    load_counts_t *counts = &poster->run->counts;

    if (message->is_sent) {
        counts->unknown++;
    }
    else {
        counts->unsent++;
    }
    free(message);
}

static int is_given_up(const poster_t *poster, const load_message_t *message)
{
    return load_now() - message->made > (uint64_t)poster->run->options.give_up * LOAD_SEC;
}

/* The id is the answer's first member, but for white space. */
static apr_int64_t id_in(gc_slice_t answer)
{
    gc_slice_t head;
    apr_int64_t id = 0;

    if (gc_slice_until(&answer, ':', &head) == APR_SUCCESS) {
        gc_slice_number(gc_slice_trim(gc_slice_piece(&answer, ',')), APR_INT64_MAX, &id);
    }
    return id;
}

static void acknowledge(poster_t *poster, load_message_t *message)
{
    load_run_t *run = poster->run;
    char marker[64];

    run->last_post = load_now();
    load_histogram_add(&run->post, run->last_post - message->made);
    run->counts.acknowledged++;
    message->room->acknowledged++;
    if (run->ids) {
        load_message_marker(message, marker, sizeof(marker));
        fprintf(run->ids, "%s\t%" APR_INT64_T_FMT "\t%s\n", message->room->name,
                id_in(gc_slice(poster->answer, poster->answer_have)), marker);
    }
    free(message);
}

static void pause_for(poster_t *poster, uint64_t pause)
{
    poster->is_pausing = 1;
    load_loop_set(&poster->run->loop, &poster->timer, load_now() + pause);
}

/* A message that may be sent again is the first to be. */
static void repeat(poster_t *poster, load_message_t *message, uint64_t pause)
{
    load_queue_t again = {message, message, 1};

    message->next = NULL;
    if (is_given_up(poster, message)) {
        drop(poster, message);
        return;
    }
    poster->run->counts.retries++;
    load_queue_prepend(&poster->waiting, &again);
    pause_for(poster, pause);
}

static void refused(poster_t *poster, load_message_t *message)
{
    load_run_t *run = poster->run;
    int status = poster->http.status;
    uint64_t pause = PAUSE;
    uint64_t cap = (uint64_t)run->options.retry_after_cap * LOAD_MS;

    run->counts.rejected[status < LOAD_STATUSES ? status : 0]++;
    /* A gateway's answers leave it open what became of the message, as 503 does. */
    if (!message->key[0] || status < 502 || status > 504) {
        free(message);
        return;
    }
    if (poster->http.retry_after >= 0) {
        pause = (uint64_t)poster->http.retry_after * LOAD_SEC;
        pause = pause < cap ? pause : cap;
    }
    repeat(poster, message, pause);
}

/* ---- the connection -------------------------------------------------------------------------- */

static void close_connection(poster_t *poster)
{
    load_loop_close(&poster->source);
    poster->is_connected = 0;
    poster->requests = 0;
    poster->out_have = 0;
    poster->out_sent = 0;
    if (!poster->is_pausing) {
        load_loop_unset(&poster->run->loop, &poster->timer);
    }
}

/* The connection is lost, and with it the answers. */
static void lose(poster_t *poster)
{
    load_queue_t again = {0};
    load_message_t *message;

    close_connection(poster);
    while ((message = load_queue_pop(&poster->flying))) {
        if (message->key[0] && !is_given_up(poster, message)) {
            poster->run->counts.retries++;
            load_queue_push(&again, message);
        }
        else {
            drop(poster, message);
        }
    }
    if (again.count) {
        load_queue_prepend(&poster->waiting, &again);
        pause_for(poster, PAUSE);
    }
    work(poster);
}

/* Nobody is there. What was never sent can be tried again without a key. */
static void fail_to_connect(poster_t *poster)
{
    poster->run->counts.post_refused++;
    close_connection(poster);
    while (poster->waiting.first && is_given_up(poster, poster->waiting.first)) {
        drop(poster, load_queue_pop(&poster->waiting));
    }
    pause_for(poster, PAUSE);
}

static void connect_now(poster_t *poster)
{
    load_run_t *run = poster->run;

    run->counts.post_connects++;
    poster->source.fd = load_socket_connect(&run->options.origin, 0, 0);
    if (poster->source.fd < 0 || load_loop_watch(&run->loop, &poster->source, EPOLLOUT, 1) != 0) {
        fail_to_connect(poster);
        return;
    }
    load_http_begin(&poster->http);
    poster->answer_have = 0;
    load_loop_set(&run->loop, &poster->timer,
                  load_now() + (uint64_t)run->options.answer_timeout * LOAD_SEC);
}

/* Make the requests of all that waits, as far as one connection takes them. */
static void write_requests(poster_t *poster)
{
    const load_options_t *options = &poster->run->options;
    size_t most = load_message_request_max(options);

    while (poster->waiting.first && poster->requests < REQUESTS_MAX) {
        load_message_t *message;

        if (poster->out_room - poster->out_have < most) {
            size_t room = poster->out_room * 2 + most;
            char *out = realloc(poster->out, room);

            if (!out) {
                return;
            }
            poster->out = out;
            poster->out_room = room;
        }
        message = load_queue_pop(&poster->waiting);
        if (!message->is_sent) {
            message->is_sent = 1;
            message->made = load_now();
        }
        poster->out_have +=
            load_message_request(message, options, poster->out + poster->out_have, most);
        poster->requests++;
        load_queue_push(&poster->flying, message);
    }
}

static void send_out(poster_t *poster)
{
    ssize_t sent = 0;

    while (poster->out_sent < poster->out_have) {
        sent = send(poster->source.fd, poster->out + poster->out_sent,
                    poster->out_have - poster->out_sent, MSG_NOSIGNAL);
        if (sent < 0) {
            break;
        }
        poster->out_sent += (size_t)sent;
    }
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        lose(poster);
        return;
    }
    if (poster->out_sent == poster->out_have) {
        poster->out_sent = 0;
        poster->out_have = 0;
    }
    load_loop_watch(&poster->run->loop, &poster->source,
                    poster->out_have ? EPOLLIN | EPOLLOUT : EPOLLIN, 0);
}

/* Send what waits, or be idle. */
static void work(poster_t *poster)
{
    load_run_t *run = poster->run;

    if (poster->is_pausing) {
        return;
    }
    if (!poster->waiting.count && !poster->flying.count) {
        if (poster->is_busy) {
            poster->is_busy = 0;
            run->posters->busy--;
            poster->next = run->posters->idle;
            run->posters->idle = poster;
            load_loop_unset(&run->loop, &poster->timer);
            poster->used_at = load_now();
        }
        return;
    }
    if (poster->is_connected && !poster->flying.count && load_now() - poster->used_at > IDLE_MAX) {
        close_connection(poster);
    }
    if (poster->source.fd < 0) {
        connect_now(poster);
        return;
    }
    if (!poster->is_connected || !poster->waiting.count) {
        return;
    }
    write_requests(poster);
    if (poster->out_have) {
        load_loop_set(&run->loop, &poster->timer,
                      load_now() + (uint64_t)run->options.answer_timeout * LOAD_SEC);
        send_out(poster);
    }
}

static void take_body(void *context, gc_slice_t piece)
{
    poster_t *poster = context;
    size_t room = sizeof(poster->answer) - poster->answer_have;

    if (piece.len > room) {
        piece.len = room;
    }
    memcpy(poster->answer + poster->answer_have, piece.data, piece.len);
    poster->answer_have += piece.len;
}

/* An answer is whole; it is that of the message which flies for the longest time. */
static void answered(poster_t *poster)
{
    load_message_t *message = load_queue_pop(&poster->flying);

    poster->used_at = load_now();
    if (poster->http.status == 200) {
        acknowledge(poster, message);
    }
    else {
        refused(poster, message);
    }
}

static void take_bytes(poster_t *poster, gc_slice_t bytes)
{
    do {
        int is_close;

        if (!poster->flying.count || !load_http_feed(&poster->http, &bytes, take_body, poster)) {
            lose(poster);
            return;
        }
        if (poster->http.at != LOAD_HTTP_DONE) {
            return;
        }
        is_close = poster->http.is_close;
        answered(poster);
        load_http_begin(&poster->http);
        poster->answer_have = 0;
        if (is_close || (!poster->flying.count && poster->requests >= REQUESTS_MAX)) {
            lose(poster);
            pump(poster->run);
            return;
        }
    } while (bytes.len);
    work(poster);
    pump(poster->run);
}

static void read_answers(poster_t *poster)
{
    ssize_t got = recv(poster->source.fd, poster->run->buffer, LOAD_READ_BYTES, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got > 0) {
        take_bytes(poster, gc_slice(poster->run->buffer, (apr_size_t)got));
        return;
    }
    if (got == 0 && poster->flying.count && poster->http.at == LOAD_HTTP_TO_END) {
        answered(poster);
    }
    lose(poster);
    pump(poster->run);
}

static void on_ready(load_source_t *source, uint32_t events)
{
    poster_t *poster = LOAD_OWNER(source, poster_t, source);

    if (!poster->is_connected) {
        if (!load_socket_is_connected(source->fd) ||
            load_loop_watch(&poster->run->loop, source, EPOLLIN, 0) != 0)
        {
            fail_to_connect(poster);
            return;
        }
        poster->is_connected = 1;
        poster->used_at = load_now();
        work(poster);
        return;
    }
    if (events & EPOLLOUT) {
        send_out(poster);
    }
    if (source->fd >= 0 && (events & ~(uint32_t)EPOLLOUT)) {
        read_answers(poster);
    }
}

static void on_timer(load_timer_t *timer)
{
    poster_t *poster = LOAD_OWNER(timer, poster_t, timer);

    if (poster->is_pausing) {
        poster->is_pausing = 0;
        work(poster);
    }
    else if (!poster->is_connected) {
        fail_to_connect(poster);
    }
    else {
        lose(poster);
    }
    pump(poster->run);
}

/* ---- what there is to post ------------------------------------------------------------------- */

static int is_more_wanted(const load_run_t *run)
{
    const load_options_t *options = &run->options;
    apr_int64_t most = options->burst ? options->burst : options->messages;

    return !run->posters->is_stopped && run->state == LOAD_POSTING &&
           (most < 0 || run->counts.posted < most);
}

static int hand_out(load_run_t *run, poster_t *poster)
{
    load_message_t *message = load_message_create(run);

    if (!message) {
        run->posters->is_stopped = 1;
        return 0;
    }
    load_queue_push(&poster->waiting, message);
    if (!poster->is_busy) {
        poster->is_busy = 1;
        run->posters->busy++;
    }
    return 1;
}

/* Give a message to each poster that has nothing to do, for as long as messages are due. */
static void pump(load_run_t *run)
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
        poster_t *poster = posters->idle;

        posters->idle = poster->next;
        if (!hand_out(run, poster)) {
            return;
        }
        posters->next_due += rate ? LOAD_SEC / (uint64_t)rate : 0;
        work(poster);
    }
}

static void on_due(load_timer_t *timer)
{
    load_posters_t *posters = LOAD_OWNER(timer, load_posters_t, due);
    load_run_t *run = posters->all[0].run;
    uint64_t soon = load_now() + LOAD_MS;

    pump(run);
    if (is_more_wanted(run)) {
        load_loop_set(&run->loop, timer, posters->next_due > soon ? posters->next_due : soon);
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
        poster_t *poster = &posters->all[i];

        poster->run = run;
        poster->source.fd = -1;
        poster->source.ready = on_ready;
        poster->timer.fire = on_timer;
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
        work(&posters->all[i]);
    }
}

void load_posters_start(load_run_t *run)
{
    run->posters->next_due = load_now();
    if (run->options.burst) {
        start_burst(run);
        return;
    }
    pump(run);
    if (run->options.rate) {
        on_due(&run->posters->due);
    }
}

void load_posters_stop(load_run_t *run)
{
    run->posters->is_stopped = 1;
    load_loop_unset(&run->loop, &run->posters->due);
}

int load_posters_are_through(const load_run_t *run)
{
    return !is_more_wanted(run);
}

int load_posters_are_idle(const load_run_t *run)
{
    return run->posters->busy == 0;
}
