#include "edge_log.h"

#include <string.h>
#include <wasi/api.h>

#define STDERR      2
#define PREFIX      "edge: "
#define LINE_MAX    160
#define WHAT_MAX    100
#define STATUS_WORD ": status "

typedef struct line_t {
    char data[LINE_MAX];
    size_t len;
} line_t;

static void add(line_t *line, const char *text, size_t len)
{
    memcpy(line->data + line->len, text, len);
    line->len += len;
}

static void add_number(line_t *line, unsigned number)
{
    char digits[10];
    size_t first = sizeof(digits);

    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    add(line, digits + first, sizeof(digits) - first);
}

void edge_log(const char *what, int status)
{
    line_t line = {.len = 0};
    size_t len = strlen(what);
    __wasi_ciovec_t piece;
    __wasi_size_t written;

    add(&line, PREFIX, sizeof(PREFIX) - 1);
    add(&line, what, len < WHAT_MAX ? len : WHAT_MAX);
    add(&line, STATUS_WORD, sizeof(STATUS_WORD) - 1);
    add_number(&line, (unsigned)status);
    add(&line, "\n", 1);
    piece.buf = (const uint8_t *)line.data;
    piece.buf_len = line.len;
    (void)__wasi_fd_write(STDERR, &piece, 1, &written);
}
