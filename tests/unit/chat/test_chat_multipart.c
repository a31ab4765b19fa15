#include "chat_multipart.h"
#include "unit.h"

#include <stdlib.h>

#define HEAD(name) "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define CLOSE      "\r\n--b--\r\n"

/* Read a body with the boundary "b" to its end; the number of parts, the last of which is in *part. */
static int read_all(gc_slice_t body, chat_multipart_part_t *part, apr_pool_t *pool)
{
    chat_multipart_t cursor;
    int count = 0;
    apr_status_t rv = chat_multipart_open(&cursor, body, gc_slice_of("b"));

    while (rv == APR_SUCCESS) {
        rv = chat_multipart_next(&cursor, part, pool);
        count += rv == APR_SUCCESS;
    }
    if (rv != APR_EOF) {
        fail_msg("refused: %s", cursor.why);
    }
    assert_null(cursor.why);
    return count;
}

/* Read a body of one part. */
static chat_multipart_part_t read_one(const char *body, apr_pool_t *pool)
{
    chat_multipart_part_t part;

    assert_int_equal(read_all(gc_slice_of(body), &part, pool), 1);
    return part;
}

/* Fail unless a body is refused, for a reason that holds a word, and stays refused. */
static void assert_refused(gc_slice_t body, const char *word, apr_pool_t *pool)
{
    chat_multipart_part_t part;
    chat_multipart_t cursor;
    apr_status_t rv;
    /* Without a NUL, so that a sanitizer sees a read past the end. */
    char *exact = malloc(body.len + !body.len);

    assert_non_null(exact);
    memcpy(exact, body.data, body.len);
    rv = chat_multipart_open(&cursor, gc_slice(exact, body.len), gc_slice_of("b"));
    while (rv == APR_SUCCESS) {
        rv = chat_multipart_next(&cursor, &part, pool);
    }
    free(exact);
    if (rv != APR_EINVAL || !cursor.why || !strstr(cursor.why, word)) {
        fail_msg("status %d, reason '%s', wanted '%s'", rv, cursor.why ? cursor.why : "", word);
    }
    assert_int_equal(chat_multipart_next(&cursor, &part, pool), APR_EINVAL);
}

static void assert_text_refused(const char *body, const char *word, apr_pool_t *pool)
{
    assert_refused(gc_slice_of(body), word, pool);
}

/* A body of one part with a header line of the caller's. */
static const char *with_header(const char *line, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n", line,
                       "\r\n\r\nv" CLOSE, NULL);
}

/* A body of one part with a Content-Disposition of the caller's. */
static const char *with_disposition(const char *value, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "--b\r\nContent-Disposition: ", value, "\r\n\r\nv" CLOSE, NULL);
}

/* curl --form-escape, and Firefox before version 90. */
static void takes_quotes_escaped_by_a_backslash(void **state)
{
    chat_multipart_part_t part = read_one(
        "--b\r\nContent-Disposition: form-data; name=\"na\\\"me\\\\x\"\r\n\r\n1" CLOSE, *state);

    assert_slice_equal(part.name, "na\"me\\x");
}

static void takes_a_form_without_fields(void **state)
{
    chat_multipart_part_t part;

    assert_int_equal(read_all(gc_slice_of("--b--\r\n"), &part, *state), 0);
    assert_int_equal(read_all(gc_slice_of("--b--"), &part, *state), 0);
}

static void takes_a_body_that_ends_with_the_closing_delimiter(void **state)
{
    assert_slice_equal(read_one(HEAD("f") "v\r\n--b--", *state).value, "v");
}

static void keeps_every_byte_of_a_value(void **state)
{
    static const char body[] = HEAD("f") "\r\n--a\r\n\r\n--\r\r\n-b\0\xff\n--b\r--b \r\n" CLOSE;
    chat_multipart_part_t part;

    assert_int_equal(read_all(gc_slice(body, sizeof(body) - 1), &part, *state), 1);
    assert_int_equal(part.value.len, sizeof(body) - 1 - strlen(HEAD("f")) - strlen(CLOSE));
    assert_ptr_equal(part.value.data, body + strlen(HEAD("f")));
}

static void skips_preamble_epilogue_and_padding(void **state)
{
    assert_slice_equal(read_one("This is MIME.\r\n\r\n--b \t\r\n"
                                "Content-Disposition: form-data; name=f\r\n\r\n"
                                "v\r\n--b-- \r\nThe end.\r\n",
                                *state)
                           .value,
                       "v");
    assert_slice_equal(read_one("\r\n" HEAD("f") "v" CLOSE, *state).value, "v");
}

static void limits_the_preamble(void **state)
{
    char *body = apr_palloc(*state, CHAT_MULTIPART_OUTSIDE_MAX + 2);

    memset(body, 'x', CHAT_MULTIPART_OUTSIDE_MAX + 1);
    body[CHAT_MULTIPART_OUTSIDE_MAX + 1] = '\0';
    assert_text_refused(apr_pstrcat(*state, body, "\r\n--b--", NULL), "begin", *state);
    body[CHAT_MULTIPART_OUTSIDE_MAX] = '\0';
    assert_int_equal(
        read_all(gc_slice_of(apr_pstrcat(*state, body, "\r\n--b--", NULL)), NULL, *state), 0);
}

static void limits_the_epilogue(void **state)
{
    char *end = apr_palloc(*state, CHAT_MULTIPART_OUTSIDE_MAX + 2);

    memset(end, 'x', CHAT_MULTIPART_OUTSIDE_MAX + 1);
    end[CHAT_MULTIPART_OUTSIDE_MAX + 1] = '\0';
    assert_text_refused(apr_pstrcat(*state, "--b--\r\n", end, NULL), "follows", *state);
    end[CHAT_MULTIPART_OUTSIDE_MAX] = '\0';
    assert_int_equal(
        read_all(gc_slice_of(apr_pstrcat(*state, "--b--\r\n", end, NULL)), NULL, *state), 0);
}

/* Another parser might read on. */
static void refuses_a_delimiter_after_the_closing_one(void **state)
{
    assert_text_refused("--b--\r\n" HEAD("f") "v" CLOSE, "follows", *state);
}

static void refuses_a_body_without_the_boundary(void **state)
{
    assert_text_refused("", "begin", *state);
    assert_text_refused("--", "begin", *state);
    assert_text_refused("from=al&text=x", "begin", *state);
    assert_text_refused("x--b\r\n", "begin", *state);
    assert_text_refused("x\n--b--\r\n", "begin", *state);
}

static void refuses_a_body_that_is_cut_off(void **state)
{
    static const char body[] = HEAD("from") "al\r\n" HEAD("text") "x\r\n--b--";
    chat_multipart_t cursor;
    chat_multipart_part_t part;
    apr_size_t len;

    for (len = 0; len < sizeof(body) - 1; len++) {
        apr_status_t rv = chat_multipart_open(&cursor, gc_slice(body, len), gc_slice_of("b"));

        while (rv == APR_SUCCESS) {
            rv = chat_multipart_next(&cursor, &part, *state);
        }
        assert_int_equal(rv, APR_EINVAL);
        assert_non_null(cursor.why);
    }
}

static void refuses_line_ends_without_cr(void **state)
{
    assert_text_refused("--b\nContent-Disposition: form-data; name=\"f\"\n\nv\n--b--\n", "line",
                        *state);
    assert_text_refused("--b\r\nContent-Disposition: form-data; name=\"f\"\n\nv" CLOSE,
                        "empty line", *state);
    assert_text_refused(with_header("X: a\nY: b", *state), "control", *state);
    assert_text_refused(with_header("X: a\rY: b", *state), "control", *state);
}

/* RFC 2046: a line that begins with the delimiter is one, whatever follows, so this is no value. */
static void refuses_a_value_with_a_line_that_begins_with_the_delimiter(void **state)
{
    assert_text_refused(HEAD("f") "v\r\n--bb\r\n" CLOSE, "on its line", *state);
    assert_text_refused(HEAD("f") "v\r\n--b--x\r\n" CLOSE, "on its line", *state);
}

/* With a boundary such as "a:b" a delimiter could also be read as a header. */
static void refuses_a_delimiter_among_the_headers(void **state)
{
    static const char body[] = "--a:b\r\n--a:b\r\nContent-Disposition: form-data; name=\"f\"\r\n"
                               "\r\nv\r\n--a:b--\r\n";
    chat_multipart_t cursor;
    chat_multipart_part_t part;

    assert_int_equal(chat_multipart_open(&cursor, gc_slice_of(body), gc_slice_of("a:b")),
                     APR_SUCCESS);
    assert_int_equal(chat_multipart_next(&cursor, &part, *state), APR_EINVAL);
    assert_text_refused("--b\r\nContent-Disposition: form-data; name=\"f\"" CLOSE, "empty line",
                        *state);
}

static void refuses_a_part_without_content_disposition(void **state)
{
    assert_text_refused("--b\r\n\r\nv" CLOSE, "no Content-Disposition", *state);
    assert_text_refused("--b\r\nContent-Type: text/plain\r\n\r\nv" CLOSE, "no Content-Disposition",
                        *state);
}

static void refuses_another_disposition(void **state)
{
    assert_text_refused(with_disposition("attachment; name=\"f\"", *state), "form-data", *state);
    assert_text_refused(with_disposition("", *state), "form-data", *state);
    assert_text_refused(with_disposition("form-data, name=\"f\"", *state), "form-data", *state);
}

static void refuses_a_part_without_a_name(void **state)
{
    assert_text_refused(with_disposition("form-data", *state), "no name", *state);
    assert_text_refused(with_disposition("form-data; name=\"\"", *state), "no name", *state);
    assert_text_refused(with_disposition("form-data; filename=\"f\"", *state), "no name", *state);
}

static void refuses_a_part_with_two_names(void **state)
{
    assert_text_refused(with_disposition("form-data; name=\"f\"; name=\"f\"", *state), "two names",
                        *state);
    assert_text_refused(with_disposition("form-data; name=f; NAME=\"g\"", *state), "two names",
                        *state);
    assert_text_refused(with_disposition("form-data; name=f; name*=utf-8''g", *state), "name*",
                        *state);
}

static void refuses_a_malformed_disposition(void **state)
{
    assert_text_refused(with_disposition("form-data; name=\"f", *state), "malformed", *state);
    assert_text_refused(with_disposition("form-data; name=\"f\\\"", *state), "malformed", *state);
    assert_text_refused(with_disposition("form-data; name=\"f\"g", *state), "malformed", *state);
    assert_text_refused(with_disposition("form-data; name=\"f\" x=y", *state), "malformed", *state);
    assert_text_refused(with_disposition("form-data; name=", *state), "malformed", *state);
    assert_text_refused(with_disposition("form-data; name", *state), "malformed", *state);
}

static void takes_a_name_as_a_token_without_escapes(void **state)
{
    const char *body = with_disposition("form-data; name=a%22 ;", *state);

    assert_slice_equal(read_one(body, *state).name, "a%22");
}

/* Only the three escapes that browsers write; a percent sign itself is not escaped by them. */
static void leaves_other_percent_signs_in_names_alone(void **state)
{
    const char *body = with_disposition("form-data; name=\"%%41%2%22%0d%\"", *state);

    assert_slice_equal(read_one(body, *state).name, "%%41%2\"%0d%");
}

static void tells_files_from_fields(void **state)
{
    assert_true(
        read_one(with_disposition("form-data; name=f; filename=\"\"", *state), *state).is_file);
    assert_true(read_one(with_disposition("form-data; filename*=utf-8''x; name=f", *state), *state)
                    .is_file);
    assert_false(read_one(with_disposition("form-data; name=filename", *state), *state).is_file);
}

static void ignores_unknown_headers(void **state)
{
    assert_slice_equal(read_one(with_header("Content-Length: 1\r\nX-Y:", *state), *state).value,
                       "v");
}

static void ignores_case_in_headers(void **state)
{
    assert_slice_equal(
        read_one("--b\r\ncontent-DISPOSITION:Form-Data;Name=f\r\n\r\nv" CLOSE, *state).value, "v");
}

static void refuses_malformed_headers(void **state)
{
    assert_text_refused(with_header("no colon", *state), "malformed header", *state);
    assert_text_refused(with_header(": no name", *state), "malformed header", *state);
    assert_text_refused(with_header("Space : before", *state), "malformed header", *state);
    assert_text_refused(with_header("X: folded\r\n line", *state), "malformed header", *state);
    assert_text_refused(with_header("X: \x7f", *state), "control", *state);
}

static void refuses_nul_in_headers(void **state)
{
    static const char body[] = HEAD("f\0") "v" CLOSE;

    assert_refused(gc_slice(body, sizeof(body) - 1), "control", *state);
}

static void refuses_a_header_that_matters_twice(void **state)
{
    assert_text_refused(with_header("content-disposition: form-data; name=\"f\"", *state), "twice",
                        *state);
    assert_text_refused(with_header("Content-Type: a/b\r\nContent-Type: a/b", *state), "twice",
                        *state);
    assert_text_refused(with_header("Content-Transfer-Encoding: 8bit\r\n"
                                    "Content-Transfer-Encoding: 8bit",
                                    *state),
                        "twice", *state);
}

static void limits_the_number_of_headers(void **state)
{
    const char *line = "X: 1\r\nX: 2\r\nX: 3\r\nX: 4\r\nX: 5\r\nX: 6\r\nX: 7";

    assert_slice_equal(read_one(with_header(line, *state), *state).value, "v");
    assert_text_refused(with_header(apr_pstrcat(*state, line, "\r\nX: 8", NULL), *state),
                        "too many", *state);
}

static void limits_the_length_of_a_header(void **state)
{
    char line[CHAT_MULTIPART_LINE_MAX + 2];

    apr_snprintf(line, sizeof(line), "X: %0*d", CHAT_MULTIPART_LINE_MAX - 3, 1);
    assert_int_equal(strlen(line), CHAT_MULTIPART_LINE_MAX);
    assert_slice_equal(read_one(with_header(line, *state), *state).value, "v");
    apr_snprintf(line, sizeof(line), "X: %0*d", CHAT_MULTIPART_LINE_MAX - 2, 1);
    assert_text_refused(with_header(line, *state), "too long", *state);
}

static void limits_the_number_of_parts(void **state)
{
    char *body = "";
    chat_multipart_part_t part;
    int i;

    for (i = 0; i < CHAT_MULTIPART_PARTS_MAX; i++) {
        body = apr_pstrcat(*state, body, HEAD("f") "v\r\n", NULL);
    }
    assert_int_equal(read_all(gc_slice_of(apr_pstrcat(*state, body, "--b--", NULL)), &part, *state),
                     CHAT_MULTIPART_PARTS_MAX);
    body = apr_pstrcat(*state, body, HEAD("f") "v\r\n--b--", NULL);
    assert_text_refused(body, "too many parts", *state);
}

static void takes_only_transfer_encodings_that_change_nothing(void **state)
{
    assert_slice_equal(
        read_one(with_header("Content-Transfer-Encoding: 7BIT", *state), *state).value, "v");
    assert_slice_equal(
        read_one(with_header("Content-Transfer-Encoding: binary", *state), *state).value, "v");
    assert_text_refused(with_header("Content-Transfer-Encoding: base64", *state), "Encoding",
                        *state);
    assert_text_refused(with_header("Content-Transfer-Encoding: quoted-printable", *state),
                        "Encoding", *state);
    assert_text_refused(with_header("Content-Transfer-Encoding:", *state), "Encoding", *state);
}

static void takes_only_charsets_that_mean_the_same_in_utf8(void **state)
{
    static const char high[] = "--b\r\nContent-Disposition: form-data; name=f\r\n"
                               "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n\xc3\xa9" CLOSE;
    const char *utf8 = with_header("Content-Type: text/plain; Charset=\"UTF-8\"", *state);
    const char *ascii = with_header("Content-Type: text/plain; charset=us-ascii", *state);
    const char *latin1 = with_header("Content-Type: text/plain; charset=ISO-8859-1", *state);

    assert_slice_equal(read_one(utf8, *state).value, "v");
    assert_slice_equal(read_one(ascii, *state).value, "v");
    assert_slice_equal(read_one(latin1, *state).value, "v");
    assert_text_refused(high, "charset", *state);
    assert_text_refused(with_header("Content-Type: a/b; charset=utf-16", *state), "charset",
                        *state);
    assert_text_refused(with_header("Content-Type: a/b; charset=utf-8; charset=utf-7", *state),
                        "charset", *state);
}

static void leaves_the_charset_of_files_alone(void **state)
{
    assert_slice_equal(read_one("--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n"
                                "Content-Type: text/plain; charset=utf-16\r\n\r\nv" CLOSE,
                                *state)
                           .value,
                       "v");
}

static void refuses_a_boundary_that_cannot_be_one(void **state)
{
    chat_multipart_t cursor;
    chat_multipart_part_t part;
    char longer[CHAT_MULTIPART_BOUNDARY_MAX + 2];

    memset(longer, 'b', sizeof(longer));
    assert_int_equal(chat_multipart_open(&cursor, gc_slice_of("--\r\n"), gc_slice(NULL, 0)),
                     APR_EINVAL);
    assert_int_equal(chat_multipart_next(&cursor, &part, *state), APR_EINVAL);
    assert_int_equal(chat_multipart_open(&cursor, gc_slice_of("--b--"),
                                         gc_slice(longer, CHAT_MULTIPART_BOUNDARY_MAX + 1)),
                     APR_EINVAL);
    assert_int_equal(chat_multipart_open(&cursor, gc_slice_of("--b\r\n--"), gc_slice_of("b\r\n")),
                     APR_EINVAL);
    assert_non_null(strstr(cursor.why, "boundary"));
}

static void leaves_the_part_untouched_on_failure(void **state)
{
    chat_multipart_t cursor;
    chat_multipart_part_t part = {{"n", 1}, {"v", 1}, {"t", 1}, 7};

    assert_int_equal(chat_multipart_open(&cursor, gc_slice_of("--b\r\n" CLOSE), gc_slice_of("b")),
                     APR_SUCCESS);
    assert_int_equal(chat_multipart_next(&cursor, &part, *state), APR_EINVAL);
    assert_slice_equal(part.name, "n");
    assert_slice_equal(part.value, "v");
    assert_slice_equal(part.content_type, "t");
    assert_int_equal(part.is_file, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(takes_quotes_escaped_by_a_backslash),
        POOL_TEST(takes_a_form_without_fields),
        POOL_TEST(takes_a_body_that_ends_with_the_closing_delimiter),
        POOL_TEST(keeps_every_byte_of_a_value),
        POOL_TEST(skips_preamble_epilogue_and_padding),
        POOL_TEST(limits_the_preamble),
        POOL_TEST(limits_the_epilogue),
        POOL_TEST(refuses_a_delimiter_after_the_closing_one),
        POOL_TEST(refuses_a_body_without_the_boundary),
        POOL_TEST(refuses_a_body_that_is_cut_off),
        POOL_TEST(refuses_line_ends_without_cr),
        POOL_TEST(refuses_a_value_with_a_line_that_begins_with_the_delimiter),
        POOL_TEST(refuses_a_delimiter_among_the_headers),
        POOL_TEST(refuses_a_part_without_content_disposition),
        POOL_TEST(refuses_another_disposition),
        POOL_TEST(refuses_a_part_without_a_name),
        POOL_TEST(refuses_a_part_with_two_names),
        POOL_TEST(refuses_a_malformed_disposition),
        POOL_TEST(takes_a_name_as_a_token_without_escapes),
        POOL_TEST(leaves_other_percent_signs_in_names_alone),
        POOL_TEST(tells_files_from_fields),
        POOL_TEST(ignores_unknown_headers),
        POOL_TEST(ignores_case_in_headers),
        POOL_TEST(refuses_malformed_headers),
        POOL_TEST(refuses_nul_in_headers),
        POOL_TEST(refuses_a_header_that_matters_twice),
        POOL_TEST(limits_the_number_of_headers),
        POOL_TEST(limits_the_length_of_a_header),
        POOL_TEST(limits_the_number_of_parts),
        POOL_TEST(takes_only_transfer_encodings_that_change_nothing),
        POOL_TEST(takes_only_charsets_that_mean_the_same_in_utf8),
        POOL_TEST(leaves_the_charset_of_files_alone),
        POOL_TEST(refuses_a_boundary_that_cannot_be_one),
        POOL_TEST(leaves_the_part_untouched_on_failure),
    };

    return UNIT_RUN(tests);
}
