#include "load_options.h"

#include <stddef.h>

#include <arpa/inet.h>

#include <apr_lib.h>

#include "gc_slice.h"

/* A number's option: where it goes and what it may be. */
typedef struct number_t {
    const char *name;
    apr_size_t offset;
    apr_int64_t min;
    apr_int64_t max;
    apr_int64_t start; /* its value without the option */
} number_t;

#define NUMBER(name, member, min, max, start)                                                      \
    {                                                                                              \
        name, offsetof(load_options_t, member), min, max, start                                    \
    }

static const number_t numbers[] = {
    NUMBER("--rooms", rooms, 1, 10000, 1),
    NUMBER("--readers", readers, 0, 100000, 0),
    NUMBER("--posters", posters, 0, 10000, 1),
    NUMBER("--rate", rate, 0, 100000, 0),
    NUMBER("--messages", messages, 0, 1000000000, -1),
    NUMBER("--seconds", seconds, 0, LOAD_SECONDS_MAX, -1),
    NUMBER("--burst", burst, 1, 100000, 0),
    NUMBER("--text-bytes", text_bytes, 0, 131072, 40),
    NUMBER("--connect-rate", connect_rate, 1, 100000, 1000),
    NUMBER("--open-timeout", open_timeout, 1, 600, 60),
    NUMBER("--rest", rest, 0, 600, 0),
    NUMBER("--settle", settle, 0, 600, 30),
    NUMBER("--source-addresses", source_addresses, 1, 254, 1),
    NUMBER("--retry-cap", retry_cap, 0, 3600000, -1),
    NUMBER("--retry-after-cap", retry_after_cap, 0, 3600000, 2000),
    NUMBER("--give-up", give_up, 1, 600, 30),
    NUMBER("--answer-timeout", answer_timeout, 1, 600, 20),
    NUMBER("--silence", silence, 1, 600, 50),
    NUMBER("--churn", churn, 1, 3600000, 0),
    NUMBER("--slow", slow, 0, 100000, 0),
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static apr_int64_t *number_at(load_options_t *options, const number_t *number)
{
    return (apr_int64_t *)(void *)((char *)options + number->offset);
}

static int read_number(load_options_t *options, const number_t *number, const char *value,
                       FILE *err)
{
    apr_int64_t *at = number_at(options, number);

    if (gc_slice_number(gc_slice_of(value), number->max, at) != APR_SUCCESS || *at < number->min) {
        fprintf(err,
                "%s takes a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT ", not '%s'.\n",
                number->name, number->min, number->max, value);
        return 0;
    }
    return 1;
}

/* HOST:PORT, HOST an IPv4 address or "localhost". */
static int read_address(struct sockaddr_in *address, const char *name, const char *value, FILE *err)
{
    gc_slice_t port = gc_slice_of(value);
    gc_slice_t host;
    apr_int64_t number = 0;
    char text[16] = "127.0.0.1";

    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    if (gc_slice_until(&port, ':', &host) == APR_SUCCESS && host.len < sizeof(text) &&
        gc_slice_number(port, 65535, &number) == APR_SUCCESS && number > 0)
    {
        if (!gc_slice_equal(host, gc_slice_of("localhost"))) {
            memcpy(text, host.data, host.len);
            text[host.len] = '\0';
        }
        address->sin_port = htons((apr_uint16_t)number);
        if (inet_pton(AF_INET, text, &address->sin_addr) == 1) {
            return 1;
        }
    }
    fprintf(err, "%s takes an IPv4 address and a port, as 127.0.0.1:7999, not '%s'.\n", name,
            value);
    return 0;
}

/* Whether characters stand for themselves in a path and in an event id. */
static int is_unreserved(const char *text, const char *more)
{
    const char *at;

    for (at = text; *at; at++) {
        if (!apr_isalnum(*at) && !strchr("-._~", *at) && !strchr(more, *at)) {
            return 0;
        }
    }
    return 1;
}

static int read_server(load_options_t *options, const char *value, FILE *err)
{
    static const char *const names[] = {"chat", "nchan", "pushpin", "centrifugo"};
    int i;

    for (i = 0; i < 4; i++) {
        if (strcmp(value, names[i]) == 0) {
            options->server = (load_server_e)i;
            return 1;
        }
    }
    fprintf(err, "--server is chat, nchan, pushpin or centrifugo, not '%s'.\n", value);
    return 0;
}

static int read_text(load_options_t *options, const char *name, const char *value, FILE *err)
{
    if (strcmp(name, "--prefix") == 0) {
        options->prefix = value;
        if (!is_unreserved(value, "/") || strlen(value) > 1000) {
            fprintf(err, "--prefix takes a path of plain characters, not '%s'.\n", value);
            return 0;
        }
        return 1;
    }
    if (strcmp(name, "--room-prefix") == 0) {
        options->room_prefix = value;
        if (!is_unreserved(value, "") || strlen(value) > LOAD_ROOM_MAX - 6) {
            fprintf(err, "--room-prefix takes a short name of letters and digits, not '%s'.\n",
                    value);
            return 0;
        }
        return 1;
    }
    if (strcmp(name, "--server") == 0) {
        return read_server(options, value, err);
    }
    if (strcmp(name, "--ids") == 0) {
        options->ids = value;
        return 1;
    }
    if (strcmp(name, "--origin") == 0) {
        return read_address(&options->origin, name, value, err);
    }
    if (strcmp(name, "--proxy") == 0) {
        return read_address(&options->proxy, name, value, err);
    }
    fprintf(err, "There is no option '%s'.\n", name);
    return 0;
}

static int read_valued(load_options_t *options, const char *name, const char *value, FILE *err)
{
    unsigned i;

    if (!value) {
        fprintf(err, "'%s' is no option, or has no value.\n", name);
        return 0;
    }
    for (i = 0; i < NUMBERS; i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            return read_number(options, &numbers[i], value, err);
        }
    }
    return read_text(options, name, value, err);
}

static int check(load_options_t *options, FILE *err)
{
    if (!options->origin.sin_port) {
        fprintf(err, "--origin is missing: the address of the server that takes posts.\n");
        return 0;
    }
    if (!options->proxy.sin_port || options->is_polling) {
        options->proxy = options->origin;
    }
    if (options->slow > options->readers) {
        fprintf(err, "--slow: there are fewer readers than that.\n");
        return 0;
    }
    if (options->is_polling && (options->is_tls || options->server != LOAD_SERVER_CHAT)) {
        fprintf(err, "--poll asks this module's own origin, in plain HTTP.\n");
        return 0;
    }
    if (options->posters == 0 && (options->burst || options->messages > 0)) {
        fprintf(err, "--posters 0: nobody is there to post anything.\n");
        return 0;
    }
    if (options->burst && (options->messages >= 0 || options->rate)) {
        fprintf(err,
                "--burst posts so many messages at once; --messages and --rate say otherwise.\n");
        return 0;
    }
    if (options->is_on_command && (options->burst || options->messages >= 0 || options->rate)) {
        fprintf(
            err,
            "--on-command posts what is ordered; --burst, --messages and --rate say otherwise.\n");
        return 0;
    }
    if (options->is_on_command && options->seconds < 0) {
        options->seconds = LOAD_SECONDS_MAX;
    }
    if (options->messages < 0 && options->seconds < 0 && !options->burst) {
        options->seconds = 10;
    }
    return 1;
}

int load_options_read(load_options_t *options, int argc, char **argv, FILE *err)
{
    unsigned n;
    int i;

    memset(options, 0, sizeof(*options));
    options->prefix = "";
    options->room_prefix = "load-";
    for (n = 0; n < NUMBERS; n++) {
        *number_at(options, &numbers[n]) = numbers[n].start;
    }
    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--key") == 0) {
            options->is_keyed = 1;
        }
        else if (strcmp(argv[i], "--poll") == 0) {
            options->is_polling = 1;
        }
        else if (strcmp(argv[i], "--on-command") == 0) {
            options->is_on_command = 1;
        }
        else if (strcmp(argv[i], "--tls") == 0) {
            options->is_tls = 1;
        }
        else if (!read_valued(options, argv[i], i + 1 < argc ? argv[i + 1] : NULL, err)) {
            return 0;
        }
        else {
            i++;
        }
    }
    return check(options, err);
}
