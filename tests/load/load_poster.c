#include "load_poster.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load_posters.h"
#include "load_socket.h"

/* The requests that httpd takes on one connection, as MaxKeepAliveRequests is by default. */
#define REQUESTS_MAX 100
/* An idle connection is near the end of httpd's KeepAliveTimeout: a request could cross its end. */
#define IDLE_MAX (2 * LOAD_SEC)
#define PAUSE    (200 * LOAD_MS)

static void work(load_poster_t *poster);

/* ---- what becomes of a message --------------------------------------------------------------- */

static void drop(load_poster_t *poster, load_message_t *message)
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

static int is_given_up(const load_poster_t *poster, const load_message_t *message)
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

static void acknowledge(load_poster_t *poster, load_message_t *message)
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

static void pause_for(load_poster_t *poster, uint64_t pause)
{
    poster->is_pausing = 1;
    load_loop_set(&poster->run->loop, &poster->timer, load_now() + pause);
}

/* A message that may be sent again is the first to be. */
static void repeat(load_poster_t *poster, load_message_t *message, uint64_t pause)
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

static void refused(load_poster_t *poster, load_message_t *message)
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

static void close_connection(load_poster_t *poster)
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
static void lose(load_poster_t *poster)
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

/* No server is there. A post that was never sent can be tried again without a key. */
static void fail_to_connect(load_poster_t *poster)
{
    poster->run->counts.post_refused++;
    close_connection(poster);
    while (poster->waiting.first && is_given_up(poster, poster->waiting.first)) {
        drop(poster, load_queue_pop(&poster->waiting));
    }
    pause_for(poster, PAUSE);
}

static void connect_now(load_poster_t *poster)
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
static void write_requests(load_poster_t *poster)
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
        poster->out_have += load_message_request(message, options, poster->out + poster->out_have);
        poster->requests++;
        load_queue_push(&poster->flying, message);
    }
}

static void send_out(load_poster_t *poster)
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
static void work(load_poster_t *poster)
{
    load_run_t *run = poster->run;

    if (poster->is_pausing) {
        return;
    }
    if (!poster->waiting.count && !poster->flying.count) {
        load_loop_unset(&run->loop, &poster->timer);
        load_posters_idle(run, poster);
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
    load_poster_t *poster = context;
    size_t room = sizeof(poster->answer) - poster->answer_have;

    if (piece.len > room) {
        piece.len = room;
    }
    memcpy(poster->answer + poster->answer_have, piece.data, piece.len);
    poster->answer_have += piece.len;
}

/* nchan answers 201 if there are readers, and 202 if there are none. */
static int is_taken(const load_poster_t *poster)
{
    int status = poster->http.status;

    return status == 200 ||
           (poster->run->options.server == LOAD_SERVER_NCHAN && (status == 201 || status == 202));
}

/* An answer is whole; it is that of the message which flies for the longest time. */
static void answered(load_poster_t *poster)
{
    load_message_t *message = load_queue_pop(&poster->flying);

    poster->used_at = load_now();
    if (is_taken(poster)) {
        acknowledge(poster, message);
    }
    else {
        refused(poster, message);
    }
}

static void take_bytes(load_poster_t *poster, gc_slice_t bytes)
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
            load_posters_pump(poster->run);
            return;
        }
    } while (bytes.len);
    work(poster);
    load_posters_pump(poster->run);
}

static void read_answers(load_poster_t *poster)
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
    load_posters_pump(poster->run);
}

static void on_ready(load_source_t *source, uint32_t events)
{
    load_poster_t *poster = LOAD_OWNER(source, load_poster_t, source);

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
    load_poster_t *poster = LOAD_OWNER(timer, load_poster_t, timer);

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
    load_posters_pump(poster->run);
}

/* ---- what the crowd asks --------------------------------------------------------------------- */

void load_poster_init(load_poster_t *poster, load_run_t *run)
{
    poster->run = run;
    poster->source.fd = -1;
    poster->source.ready = on_ready;
    poster->timer.fire = on_timer;
}

void load_poster_add(load_poster_t *poster, load_message_t *message)
{
    load_queue_push(&poster->waiting, message);
}

void load_poster_work(load_poster_t *poster)
{
    work(poster);
}
