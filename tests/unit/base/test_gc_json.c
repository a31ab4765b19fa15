#include "gc_json.h"
#include "unit.h"

/* How deep jansson lets values nest. */
#define DEPTH_MAX 2048

static const gc_json_t *parse(const char *text, apr_pool_t *pool)
{
    const gc_json_t *object = NULL;

    if (gc_json_parse_object(&object, gc_slice_of(text), pool) != APR_SUCCESS) {
        fail_msg("refused: %s", text);
    }
    return object;
}

static void assert_refused(gc_slice_t text, apr_pool_t *pool)
{
    const gc_json_t *object = NULL;

    if (gc_json_parse_object(&object, text, pool) != APR_EINVAL) {
        fail_msg("taken: %.*s", (int)text.len, text.data);
    }
    assert_null(object);
}

static void assert_text_refused(const char *text, apr_pool_t *pool)
{
    assert_refused(gc_slice_of(text), pool);
}

static gc_slice_t get(const char *text, const char *name, apr_pool_t *pool)
{
    gc_slice_t value = {NULL, 0};

    assert_int_equal(gc_json_get_string(&value, parse(text, pool), name), APR_SUCCESS);
    return value;
}

static void reads_the_strings_of_an_object(void **state)
{
    static const char text[] = " {\"from\": \"al\", \"text\" :\"\" }\r\n\t";

    assert_slice_equal(get(text, "from", *state), "al");
    assert_slice_equal(get(text, "text", *state), "");
}

static void decodes_escapes(void **state)
{
    assert_slice_equal(
        get("{\"x\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"}", "x", *state),
        "\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80");
}

static void keeps_an_escaped_nul(void **state)
{
    gc_slice_t value = get("{\"x\":\"a\\u0000b\"}", "x", *state);

    assert_int_equal(value.len, 3);
    assert_memory_equal(value.data, "a\0b", 3);
}

static void tells_a_missing_member_from_another_type(void **state)
{
    const gc_json_t *object = parse("{\"n\":1,\"s\":\"1\",\"z\":null,\"o\":{\"in\":\"\"}}", *state);
    gc_slice_t text = gc_slice_of("untouched");
    double number = 7;

    assert_int_equal(gc_json_get_string(&text, object, "in"), APR_ENOENT);
    assert_int_equal(gc_json_get_string(&text, object, "S"), APR_ENOENT);
    assert_int_equal(gc_json_get_string(&text, object, "n"), APR_EINVAL);
    assert_int_equal(gc_json_get_string(&text, object, "z"), APR_EINVAL);
    assert_int_equal(gc_json_get_string(&text, object, "o"), APR_EINVAL);
    assert_int_equal(gc_json_get_number(&number, object, "in"), APR_ENOENT);
    assert_int_equal(gc_json_get_number(&number, object, "s"), APR_EINVAL);
    assert_int_equal(gc_json_get_number(&number, object, "z"), APR_EINVAL);
    assert_slice_equal(text, "untouched");
    assert_true(number == 7);
}

static void reads_integers_and_reals(void **state)
{
    const gc_json_t *object = parse("{\"i\":-3,\"r\":1769214000.5,\"e\":1e300,\"z\":-0}", *state);
    double number = 7;

    assert_int_equal(gc_json_get_number(&number, object, "i"), APR_SUCCESS);
    assert_true(number == -3);
    assert_int_equal(gc_json_get_number(&number, object, "r"), APR_SUCCESS);
    assert_true(number == 1769214000.5);
    assert_int_equal(gc_json_get_number(&number, object, "e"), APR_SUCCESS);
    assert_true(number == 1e300);
    assert_int_equal(gc_json_get_number(&number, object, "z"), APR_SUCCESS);
    assert_true(number == 0);
}

/* They could not be told to the caller as they are. */
static void refuses_numbers_out_of_range(void **state)
{
    assert_text_refused("{\"x\":1e999}", *state);
    assert_text_refused("{\"x\":9223372036854775808}", *state);
}

static void refuses_any_other_value_at_the_top(void **state)
{
    assert_text_refused("[\"from\"]", *state);
    assert_text_refused("\"from\"", *state);
    assert_text_refused("1", *state);
    assert_text_refused("null", *state);
}

static void refuses_what_is_not_json(void **state)
{
    assert_refused(gc_slice(NULL, 0), *state);
    assert_text_refused("", *state);
    assert_text_refused(" ", *state);
    assert_text_refused("{", *state);
    assert_text_refused("{\"x\":1,}", *state);
    assert_text_refused("{x:1}", *state);
    assert_text_refused("{'x':1}", *state);
    assert_text_refused("{\"x\":01}", *state);
    assert_text_refused("{\"x\":NaN}", *state);
    assert_text_refused("{\"x\":\"a\nb\"}", *state);
    assert_text_refused("{\"x\":1} // no", *state);
    assert_text_refused("\xef\xbb\xbf{}", *state);
}

static void refuses_bytes_behind_the_end(void **state)
{
    assert_text_refused("{} {}", *state);
    assert_text_refused("{}x", *state);
    assert_refused(gc_slice("{}\0", 3), *state);
}

static void reads_no_further_than_its_length(void **state)
{
    const gc_json_t *object = NULL;

    assert_int_equal(gc_json_parse_object(&object, gc_slice("{}garbage", 2), *state), APR_SUCCESS);
}

/* Of two values other parsers take the other one. */
static void refuses_a_name_that_occurs_twice(void **state)
{
    assert_text_refused("{\"x\":1,\"x\":1}", *state);
    assert_text_refused("{\"x\":1,\"\\u0078\":2}", *state);
    assert_text_refused("{\"o\":{\"x\":1,\"x\":2}}", *state);
}

static void refuses_invalid_utf8(void **state)
{
    assert_text_refused("{\"x\":\"\xff\"}", *state);
    assert_text_refused("{\"x\":\"\xc3\"}", *state);
    assert_text_refused("{\"x\":\"\xc0\xaf\"}", *state);
    assert_text_refused("{\"x\":\"\xe0\x80\xaf\"}", *state);
    assert_text_refused("{\"x\":\"\xed\xa0\x80\"}", *state);
    assert_text_refused("{\"x\":\"\xf4\x90\x80\x80\"}", *state);
    assert_text_refused("{\"\xff\":1}", *state);
}

static void refuses_lone_surrogates(void **state)
{
    assert_text_refused("{\"x\":\"\\ud83d\"}", *state);
    assert_text_refused("{\"x\":\"\\ude00\"}", *state);
    assert_text_refused("{\"x\":\"\\ud83dx\"}", *state);
}

static void refuses_nul_in_names_and_between_tokens(void **state)
{
    assert_text_refused("{\"a\\u0000b\":1}", *state);
    assert_refused(gc_slice("{\0}", 3), *state);
    assert_refused(gc_slice("{\"x\":\"a\0b\"}", 11), *state);
}

/* An object whose member nests arrays, so that depth values lie in each other. */
static const char *nested(int depth, apr_pool_t *pool)
{
    gc_buffer_t buffer = gc_buffer_make(64, pool);
    int i;

    gc_buffer_append_text(&buffer, "{\"x\":");
    for (i = 1; i < depth; i++) {
        gc_buffer_append_text(&buffer, "[");
    }
    for (i = 1; i < depth; i++) {
        gc_buffer_append_text(&buffer, "]");
    }
    gc_buffer_append_text(&buffer, "}");
    return buffer.data;
}

static void limits_nesting(void **state)
{
    parse(nested(DEPTH_MAX, *state), *state);
    assert_text_refused(nested(DEPTH_MAX + 1, *state), *state);
    assert_text_refused(nested(100000, *state), *state);
}

static void appends_a_quoted_string(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);

    gc_buffer_append_text(&buffer, "{\"from\": ");
    assert_int_equal(gc_json_append_string(&buffer, gc_slice_of("al")), APR_SUCCESS);
    assert_int_equal(gc_json_append_string(&buffer, gc_slice(NULL, 0)), APR_SUCCESS);
    assert_slice_equal(gc_buffer_slice(&buffer), "{\"from\": \"al\"\"\"");
}

static void escapes_only_what_must_be(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);

    assert_int_equal(
        gc_json_append_string(&buffer, gc_slice_of("<\"\\/\n\x01\x7f\xc3\xa9\xf0\x9f\x98\x80")),
        APR_SUCCESS);
    assert_slice_equal(gc_buffer_slice(&buffer),
                       "\"<\\\"\\\\/\\n\\u0001\x7f\xc3\xa9\xf0\x9f\x98\x80\"");
}

static void escapes_every_control_character(void **state)
{
    char controls[32];
    gc_buffer_t buffer = gc_buffer_make(1, *state);
    const gc_json_t *object = NULL;
    gc_slice_t back;
    apr_size_t i;

    for (i = 0; i < sizeof(controls); i++) {
        controls[i] = (char)i;
    }
    gc_buffer_append_text(&buffer, "{\"x\":");
    assert_int_equal(gc_json_append_string(&buffer, gc_slice(controls, sizeof(controls))),
                     APR_SUCCESS);
    gc_buffer_append_text(&buffer, "}");
    for (i = 0; i < buffer.len; i++) {
        assert_true(buffer.data[i] >= ' ');
    }
    assert_int_equal(gc_json_parse_object(&object, gc_buffer_slice(&buffer), *state), APR_SUCCESS);
    assert_int_equal(gc_json_get_string(&back, object, "x"), APR_SUCCESS);
    assert_true(gc_slice_equal(back, gc_slice(controls, sizeof(controls))));
}

static void appends_nothing_for_invalid_utf8(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);

    gc_buffer_append_text(&buffer, "[");
    assert_int_equal(gc_json_append_string(&buffer, gc_slice_of("ok\xc3")), APR_EINVAL);
    assert_int_equal(gc_json_append_string(&buffer, gc_slice_of("\xed\xa0\x80")), APR_EINVAL);
    assert_int_equal(gc_json_append_string(&buffer, gc_slice_of("\xc0\x80")), APR_EINVAL);
    assert_slice_equal(gc_buffer_slice(&buffer), "[");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(reads_the_strings_of_an_object),
        POOL_TEST(decodes_escapes),
        POOL_TEST(keeps_an_escaped_nul),
        POOL_TEST(tells_a_missing_member_from_another_type),
        POOL_TEST(reads_integers_and_reals),
        POOL_TEST(refuses_numbers_out_of_range),
        POOL_TEST(refuses_any_other_value_at_the_top),
        POOL_TEST(refuses_what_is_not_json),
        POOL_TEST(refuses_bytes_behind_the_end),
        POOL_TEST(reads_no_further_than_its_length),
        POOL_TEST(refuses_a_name_that_occurs_twice),
        POOL_TEST(refuses_invalid_utf8),
        POOL_TEST(refuses_lone_surrogates),
        POOL_TEST(refuses_nul_in_names_and_between_tokens),
        POOL_TEST(limits_nesting),
        POOL_TEST(appends_a_quoted_string),
        POOL_TEST(escapes_only_what_must_be),
        POOL_TEST(escapes_every_control_character),
        POOL_TEST(appends_nothing_for_invalid_utf8),
    };

    return UNIT_RUN(tests);
}
