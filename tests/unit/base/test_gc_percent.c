#include "gc_percent.h"
#include "unit.h"

static gc_slice_t encode(gc_slice_t text, apr_pool_t *pool)
{
    gc_buffer_t buffer = gc_buffer_make(1, pool);

    gc_percent_append(&buffer, text);
    return gc_buffer_slice(&buffer);
}

static gc_slice_t decode(const char *text, apr_pool_t *pool)
{
    gc_slice_t bytes = {NULL, 0};

    assert_int_equal(gc_percent_decode(&bytes, gc_slice_of(text), pool), APR_SUCCESS);
    return bytes;
}

static void assert_refused(const char *text, apr_pool_t *pool)
{
    gc_slice_t bytes = gc_slice_of("untouched");

    if (gc_percent_decode(&bytes, gc_slice_of(text), pool) != APR_EINVAL) {
        fail_msg("taken: '%s'", text);
    }
    assert_slice_equal(bytes, "untouched");
}

static void leaves_unreserved_characters_alone(void **state)
{
    static const char text[] = "ABCXYZabcxyz0189-._~";

    assert_slice_equal(encode(gc_slice_of(text), *state), text);
}

/* Characters that would end a value in a Grip header, a path or an id line. */
static void encodes_everything_else_in_upper_case(void **state)
{
    assert_slice_equal(encode(gc_slice_of("a b/c,;\"<>%+\xc3\xa9\x7f\r\n"), *state),
                       "a%20b%2Fc%2C%3B%22%3C%3E%25%2B%C3%A9%7F%0D%0A");
    assert_slice_equal(encode(gc_slice("\0\xff", 2), *state), "%00%FF");
    assert_slice_equal(encode(gc_slice_of("@`[{^|}"), *state), "%40%60%5B%7B%5E%7C%7D");
}

static void appends_to_what_is_there(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);

    gc_buffer_append_text(&buffer, "room-");
    gc_percent_append(&buffer, gc_slice_of("a b"));
    gc_percent_append(&buffer, gc_slice(NULL, 0));
    assert_slice_equal(gc_buffer_slice(&buffer), "room-a%20b");
}

static void decodes_both_cases_of_digits(void **state)
{
    assert_slice_equal(decode("caf%C3%a9%2F%2f", *state), "caf\xc3\xa9//");
    assert_slice_equal(decode("%41%5a%6A", *state), "AZj");
}

static void decodes_once(void **state)
{
    assert_slice_equal(decode("%2525", *state), "%25");
}

static void leaves_a_plus_alone(void **state)
{
    assert_slice_equal(decode("a+b", *state), "a+b");
}

static void decodes_nul_and_ends_in_another(void **state)
{
    gc_slice_t bytes = decode("a%00b", *state);

    assert_int_equal(bytes.len, 3);
    assert_memory_equal(bytes.data, "a\0b", 4);
}

static void decodes_nothing_as_nothing(void **state)
{
    gc_slice_t bytes = gc_slice_of("x");

    assert_int_equal(gc_percent_decode(&bytes, gc_slice(NULL, 0), *state), APR_SUCCESS);
    assert_int_equal(bytes.len, 0);
    assert_string_equal(bytes.data, "");
}

static void leaves_raw_bytes_alone(void **state)
{
    assert_slice_equal(decode("\xc3\xa9 /\xff", *state), "\xc3\xa9 /\xff");
}

static void refuses_an_escape_that_is_cut_off(void **state)
{
    assert_refused("%", *state);
    assert_refused("a%", *state);
    assert_refused("a%4", *state);
}

/* The two digits behind the slice's end are none of its own. */
static void reads_no_further_than_its_length(void **state)
{
    gc_slice_t bytes;

    assert_int_equal(gc_percent_decode(&bytes, gc_slice("%41", 2), *state), APR_EINVAL);
    assert_int_equal(gc_percent_decode(&bytes, gc_slice("%41", 1), *state), APR_EINVAL);
}

static void refuses_what_are_not_hexadecimal_digits(void **state)
{
    assert_refused("%G0", *state);
    assert_refused("%0g", *state);
    assert_refused("%%41", *state);
    assert_refused("% 1", *state);
    assert_refused("%+1", *state);
    assert_refused("%0x", *state);
    assert_refused("%:0", *state);
    assert_refused("%@0", *state);
    assert_refused("%`0", *state);
    assert_refused("%/0", *state);
}

static void decodes_what_it_encodes(void **state)
{
    char data[256];
    gc_slice_t back;
    int i;

    for (i = 0; i < 256; i++) {
        data[i] = (char)i;
    }
    assert_int_equal(gc_percent_decode(&back, encode(gc_slice(data, 256), *state), *state),
                     APR_SUCCESS);
    assert_true(gc_slice_equal(back, gc_slice(data, 256)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(leaves_unreserved_characters_alone),
        POOL_TEST(encodes_everything_else_in_upper_case),
        POOL_TEST(appends_to_what_is_there),
        POOL_TEST(decodes_both_cases_of_digits),
        POOL_TEST(decodes_once),
        POOL_TEST(leaves_a_plus_alone),
        POOL_TEST(decodes_nul_and_ends_in_another),
        POOL_TEST(decodes_nothing_as_nothing),
        POOL_TEST(leaves_raw_bytes_alone),
        POOL_TEST(refuses_an_escape_that_is_cut_off),
        POOL_TEST(reads_no_further_than_its_length),
        POOL_TEST(refuses_what_are_not_hexadecimal_digits),
        POOL_TEST(decodes_what_it_encodes),
    };

    return UNIT_RUN(tests);
}
