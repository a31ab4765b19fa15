#include "grip_answer.h"

#include <apr_date.h>

/* More than this in header fields is no proxy. */
#define HEAD_MAX_BYTES 65536

/* A date is shorter in each of the three forms that HTTP knows. */
#define DATE_MAX_BYTES 39

static apr_int64_t wait_of(apr_int64_t secs)
{
    if (secs <= 0) {
        return -1;
    }
    return secs > GRIP_ANSWER_WAIT_MAX_SECS ? GRIP_ANSWER_WAIT_MAX_SECS : secs;
}

/* Rounded up, so that no try comes too early. */
static apr_int64_t secs_until(apr_time_t when, apr_time_t now)
{
    return when > now ? (when - now + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC : -1;
}

static int is_digits(gc_slice_t value)
{
    apr_size_t i;

    for (i = 0; i < value.len && value.data[i] >= '0' && value.data[i] <= '9'; i++) {
    }
    return value.len && i == value.len;
}

static apr_int64_t read_retry_after(gc_slice_t value, apr_time_t now)
{
    char date[DATE_MAX_BYTES + 1];
    apr_int64_t secs = 0;

    if (is_digits(value)) {
        /* A value too large for a number is too large for a wait. */
        return gc_slice_number(value, APR_INT64_MAX, &secs) == APR_SUCCESS
                   ? wait_of(secs)
                   : GRIP_ANSWER_WAIT_MAX_SECS;
    }
    if (value.len > DATE_MAX_BYTES || memchr(value.data, '\0', value.len)) {
        return -1;
    }
    memcpy(date, value.data, value.len);
    date[value.len] = '\0';
    /* A value that is no date gives 0, which is past. */
    return wait_of(secs_until(apr_date_parse_http(date), now));
}

static apr_int64_t read_limit_ends(gc_slice_t value, apr_time_t now)
{
    apr_int64_t ends = 0;

    if (gc_slice_number(value, APR_INT64_MAX / APR_USEC_PER_SEC, &ends) != APR_SUCCESS) {
        return -1;
    }
    return wait_of(secs_until(apr_time_from_sec(ends), now));
}

static void say_nothing(grip_answer_t *answer)
{
    answer->retry_after_secs = -1;
    answer->limit_ends_secs = -1;
}

void grip_answer_begin(grip_answer_t *answer)
{
    memset(answer, 0, sizeof(*answer));
    say_nothing(answer);
}

static void read_field(grip_answer_t *answer, gc_slice_t name, gc_slice_t value, apr_time_t now)
{
    if (gc_slice_equal_nocase(name, "Retry-After")) {
        answer->retry_after_secs = read_retry_after(value, now);
    }
    /* Fastly does not document Retry-After. */
    else if (gc_slice_equal_nocase(name, "Fastly-RateLimit-Reset")) {
        answer->limit_ends_secs = read_limit_ends(value, now);
    }
}

int grip_answer_line(grip_answer_t *answer, gc_slice_t line, apr_time_t now)
{
    gc_slice_t name;

    answer->head_len += line.len;
    if (gc_slice_starts(line, gc_slice_of("HTTP/"))) {
        say_nothing(answer);
    }
    else if (gc_slice_until(&line, ':', &name) == APR_SUCCESS) {
        while (line.len && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r')) {
            line.len--;
        }
        read_field(answer, name, gc_slice_trim(line), now);
    }
    return answer->head_len <= HEAD_MAX_BYTES;
}

static int is_printable(char byte)
{
    return byte >= ' ' && byte <= '~';
}

int grip_answer_body(grip_answer_t *answer, gc_slice_t piece)
{
    apr_size_t i;

    for (i = 0; i < piece.len && answer->excerpt_len < GRIP_ANSWER_EXCERPT_MAX_BYTES; i++) {
        answer->excerpt[answer->excerpt_len++] = is_printable(piece.data[i]) ? piece.data[i] : ' ';
    }
    answer->body_len += piece.len;
    return !grip_answer_is_overlong(answer);
}

int grip_answer_is_overlong(const grip_answer_t *answer)
{
    return answer->body_len > GRIP_ANSWER_BODY_MAX_BYTES;
}

void grip_answer_make_printable(char *text)
{
    for (; *text; text++) {
        if (!is_printable(*text)) {
            *text = ' ';
        }
    }
}
