#include "load_control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load_line.h"
#include "load_posters.h"
#include "load_report.h"

/* Messages of one order. */
#define ORDER_MAX 1000000

struct load_control_t {
    load_source_t source;
    load_run_t *run;
    load_line_t line;
};

static int is_order(const load_run_t *run, gc_slice_t command, apr_int64_t *messages)
{
    gc_slice_t word;

    return run->options.is_on_command && run->state == LOAD_POSTING &&
           gc_slice_until(&command, ' ', &word) == APR_SUCCESS &&
           gc_slice_equal(word, gc_slice_of("post")) &&
           gc_slice_number(command, ORDER_MAX, messages) == APR_SUCCESS;
}

static void obey(load_control_t *control, gc_slice_t command)
{
    apr_int64_t messages;

    if (gc_slice_equal(command, gc_slice_of("stop"))) {
        control->run->is_stopped = 1;
    }
    else if (gc_slice_equal(command, gc_slice_of("status"))) {
        load_report_print(control->run);
    }
    else if (is_order(control->run, command, &messages)) {
        load_posters_order(control->run, messages);
    }
    else {
        fprintf(stderr, "chat_load: no command: '%.*s'\n", (int)command.len, command.data);
    }
}

static void on_ready(load_source_t *source, uint32_t events)
{
    load_control_t *control = LOAD_OWNER(source, load_control_t, source);
    char bytes[1024];
    ssize_t got = read(source->fd, bytes, sizeof(bytes));
    gc_slice_t rest = gc_slice(bytes, got > 0 ? (apr_size_t)got : 0);
    gc_slice_t line;

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        load_loop_close(source);
        return;
    }
    while (rest.len && load_line_next(&control->line, &rest, &line) == LOAD_LINE_FOUND) {
        obey(control, line);
    }
}

load_control_t *load_control_create(load_run_t *run)
{
    load_control_t *control = calloc(1, sizeof(*control));

    if (control) {
        control->run = run;
        control->source.fd = STDIN_FILENO;
        control->source.ready = on_ready;
        if (load_loop_watch(&run->loop, &control->source, EPOLLIN, 1) != 0) {
            control->source.fd = -1;
        }
    }
    return control;
}
