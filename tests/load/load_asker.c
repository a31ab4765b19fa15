#include "load_asker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load_http.h"
#include "load_socket.h"

#define REQUEST_BYTES 2048
#define BODY_MAX      (64 * 1024 * 1024)
#define PAUSE         (200 * LOAD_MS)
#define PATIENCE      (10 * LOAD_SEC)

struct load_asker_t {
    load_source_t source;
    load_timer_t timer; /* to try again, or the end of patience */
    load_run_t *run;
    int is_connected;
    int is_asking;        /* a round is under way */
    int room;             /* the one that is asked for */
    uint64_t round_began; /* of load_now() */
    uint64_t done_began;  /* the beginning of the latest round that is done; 0: none */
    load_http_t http;
    char *body;
    size_t body_have;
    size_t body_room;
};

static void connect_now(load_asker_t *asker);

static void try_later(load_asker_t *asker)
{
    load_loop_close(&asker->source);
    asker->is_connected = 0;
    load_loop_set(&asker->run->loop, &asker->timer, load_now() + PAUSE);
}

static void ask(load_asker_t *asker)
{
    load_run_t *run = asker->run;
    char request[REQUEST_BYTES];
    int len = snprintf(request, sizeof(request),
                       "GET %s/rooms/%s/messages/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
                       run->options.prefix, run->rooms[asker->room].name);

    load_http_begin(&asker->http);
    asker->body_have = 0;
    if (len >= (int)sizeof(request) ||
        send(asker->source.fd, request, (size_t)len, MSG_NOSIGNAL) != len)
    {
        try_later(asker);
        return;
    }
    load_loop_set(&run->loop, &asker->timer, load_now() + PATIENCE);
}

static void connect_now(load_asker_t *asker)
{
    load_run_t *run = asker->run;

    load_loop_close(&asker->source);
    asker->is_connected = 0;
    asker->source.fd = load_socket_connect(&run->options.origin, 0, 0);
    if (asker->source.fd < 0 || load_loop_watch(&run->loop, &asker->source, EPOLLOUT, 1) != 0) {
        try_later(asker);
        return;
    }
    load_loop_set(&run->loop, &asker->timer, load_now() + PATIENCE);
}

static void take_body(void *context, gc_slice_t piece)
{
    load_asker_t *asker = context;
    size_t need = asker->body_have + piece.len;

    if (need > asker->body_room && need <= BODY_MAX) {
        char *body = realloc(asker->body, need * 2);

        if (body) {
            asker->body = body;
            asker->body_room = need * 2;
        }
    }
    if (need <= asker->body_room) {
        memcpy(asker->body + asker->body_have, piece.data, piece.len);
        asker->body_have = need;
    }
}

/* "last-event-id": "room-load-0:17"; a text has its quotes behind backslashes. */
static int read_position(load_asker_t *asker)
{
    static const char name[] = "\"last-event-id\":";
    load_room_t *room = &asker->run->rooms[asker->room];
    gc_slice_t value = gc_slice(asker->body, asker->body_have);
    gc_slice_t id = gc_slice_of(room->id);
    const char *at = value.len ? memmem(value.data, value.len, name, sizeof(name) - 1) : NULL;
    apr_int64_t last;

    if (!at) {
        return 0;
    }
    value.len -= (apr_size_t)(at - value.data) + sizeof(name) - 1;
    value.data = at + sizeof(name) - 1;
    while (value.len && (*value.data == ' ' || *value.data == '"')) {
        value.data++;
        value.len--;
    }
    value = gc_slice_piece(&value, '"');
    if (!gc_slice_starts(value, id) ||
        gc_slice_number(gc_slice(value.data + id.len, value.len - id.len), APR_INT64_MAX, &last) !=
            APR_SUCCESS)
    {
        return 0;
    }
    room->last = last;
    room->is_asked = 1;
    return 1;
}

static void answered(load_asker_t *asker)
{
    load_run_t *run = asker->run;

    if (asker->http.status != 200 || !read_position(asker)) {
        try_later(asker);
        return;
    }
    if (asker->room + 1 == run->options.rooms) {
        asker->is_asking = 0;
        asker->is_connected = 0;
        asker->done_began = asker->round_began;
        load_loop_close(&asker->source);
        load_loop_unset(&run->loop, &asker->timer);
        return;
    }
    asker->room++;
    if (asker->http.is_close) {
        connect_now(asker);
    }
    else {
        ask(asker);
    }
}

static void on_ready(load_source_t *source, uint32_t events)
{
    load_asker_t *asker = LOAD_OWNER(source, load_asker_t, source);
    gc_slice_t bytes = {asker->run->buffer, 0};
    ssize_t got;

    if (!asker->is_connected) {
        if (!load_socket_is_connected(source->fd) ||
            load_loop_watch(&asker->run->loop, source, EPOLLIN, 0) != 0)
        {
            try_later(asker);
            return;
        }
        asker->is_connected = 1;
        ask(asker);
        return;
    }
    got = recv(source->fd, asker->run->buffer, LOAD_READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    bytes.len = got > 0 ? (apr_size_t)got : 0;
    if (!load_http_feed(&asker->http, &bytes, take_body, asker)) {
        try_later(asker);
    }
    else if (asker->http.at == LOAD_HTTP_DONE || (got == 0 && load_http_is_whole(&asker->http))) {
        answered(asker);
    }
    else if (got <= 0) {
        try_later(asker);
    }
}

static void on_timer(load_timer_t *timer)
{
    connect_now(LOAD_OWNER(timer, load_asker_t, timer));
}

load_asker_t *load_asker_create(load_run_t *run)
{
    load_asker_t *asker = calloc(1, sizeof(*asker));

    if (asker) {
        asker->run = run;
        asker->source.fd = -1;
        asker->source.ready = on_ready;
        asker->timer.fire = on_timer;
    }
    return asker;
}

int load_asker_want(load_run_t *run, uint64_t after)
{
    load_asker_t *asker = run->asker;

    if (asker->done_began > after || run->options.server != LOAD_SERVER_CHAT) {
        return 1;
    }
    if (!asker->is_asking) {
        asker->is_asking = 1;
        asker->round_began = load_now();
        asker->room = 0;
        connect_now(asker);
    }
    return 0;
}
