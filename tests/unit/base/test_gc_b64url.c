#include "gc_b64url.h"
#include "unit.h"

static void assert_refused(gc_slice_t text, apr_pool_t *pool)
{
    gc_slice_t bytes = gc_slice_of("untouched");

    if (gc_b64url_decode(&bytes, text, pool) != APR_EINVAL) {
        fail_msg("taken: '%.*s'", (int)text.len, text.data);
    }
    assert_slice_equal(bytes, "untouched");
}

static void assert_text_refused(const char *text, apr_pool_t *pool)
{
    assert_refused(gc_slice_of(text), pool);
}

static gc_slice_t decode(const char *text, apr_pool_t *pool)
{
    gc_slice_t bytes = {NULL, 0};

    assert_int_equal(gc_b64url_decode(&bytes, gc_slice_of(text), pool), APR_SUCCESS);
    return bytes;
}

/* RFC 4648, section 10, without the padding. */
static void encodes_the_vectors_of_the_rfc(void **state)
{
    assert_string_equal(gc_b64url_encode(gc_slice_of("f"), *state), "Zg");
    assert_string_equal(gc_b64url_encode(gc_slice_of("fo"), *state), "Zm8");
    assert_string_equal(gc_b64url_encode(gc_slice_of("foo"), *state), "Zm9v");
    assert_string_equal(gc_b64url_encode(gc_slice_of("foob"), *state), "Zm9vYg");
}

static void encodes_with_the_alphabet_for_urls(void **state)
{
    assert_string_equal(gc_b64url_encode(gc_slice("\xfb\xff\xbf\0", 4), *state), "-_-_AA");
}

static void encodes_nothing_as_nothing(void **state)
{
    assert_string_equal(gc_b64url_encode(gc_slice(NULL, 0), *state), "");
    assert_string_equal(gc_b64url_encode(gc_slice("", 0), *state), "");
}

static void decodes_the_vectors_of_the_rfc(void **state)
{
    assert_slice_equal(decode("Zg", *state), "f");
    assert_slice_equal(decode("Zm8", *state), "fo");
    assert_slice_equal(decode("Zm9v", *state), "foo");
    assert_slice_equal(decode("Zm9vYg", *state), "foob");
}

static void decodes_nothing_as_nothing(void **state)
{
    gc_slice_t bytes = gc_slice_of("x");

    assert_int_equal(gc_b64url_decode(&bytes, gc_slice(NULL, 0), *state), APR_SUCCESS);
    assert_int_equal(bytes.len, 0);
    assert_string_equal(bytes.data, "");
}

static void ends_decoded_bytes_in_a_nul_that_does_not_count(void **state)
{
    gc_slice_t bytes = decode("AGEA", *state);

    assert_int_equal(bytes.len, 3);
    assert_memory_equal(bytes.data, "\0a\0", 4);
}

static void decodes_what_it_encodes(void **state)
{
    char data[256];
    gc_slice_t back;
    apr_size_t len;

    for (len = 0; len < sizeof(data); len++) {
        gc_slice_t bytes = gc_slice(data, len);

        data[len] = (char)(255 - len);
        assert_int_equal(
            gc_b64url_decode(&back, gc_slice_of(gc_b64url_encode(bytes, *state)), *state),
            APR_SUCCESS);
        assert_true(gc_slice_equal(back, bytes));
    }
}

static void refuses_padding(void **state)
{
    assert_text_refused("Zg==", *state);
    assert_text_refused("Zm8=", *state);
    assert_text_refused("Zm9v=", *state);
    assert_text_refused("=", *state);
    assert_text_refused("Zg=Zg", *state);
}

static void refuses_the_other_alphabet(void **state)
{
    assert_text_refused("+/+/", *state);
    assert_text_refused("-_+_", *state);
}

static void refuses_white_space(void **state)
{
    assert_text_refused("Zm9v\n", *state);
    assert_text_refused(" Zm9v", *state);
    assert_text_refused("Zm 9v", *state);
    assert_text_refused("Zg\r\n", *state);
}

/* Two spellings of one token would be two cache keys and one signature. */
static void refuses_unused_bits(void **state)
{
    assert_text_refused("Zh", *state);
    assert_text_refused("Zm9", *state);
    assert_text_refused("_x", *state);
}

static void refuses_a_length_that_no_bytes_have(void **state)
{
    assert_text_refused("Z", *state);
    assert_text_refused("Zm9vY", *state);
}

static void refuses_bytes_outside_the_alphabet(void **state)
{
    assert_text_refused("Zm9.", *state);
    assert_text_refused("Zm9v.Zg", *state);
    assert_text_refused("\xc3\xa9"
                        "AA",
                        *state);
    assert_refused(gc_slice("Zm\0v", 4), *state);
    assert_refused(gc_slice("Zm9v\0", 5), *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(encodes_the_vectors_of_the_rfc),
        POOL_TEST(encodes_with_the_alphabet_for_urls),
        POOL_TEST(encodes_nothing_as_nothing),
        POOL_TEST(decodes_the_vectors_of_the_rfc),
        POOL_TEST(decodes_nothing_as_nothing),
        POOL_TEST(ends_decoded_bytes_in_a_nul_that_does_not_count),
        POOL_TEST(decodes_what_it_encodes),
        POOL_TEST(refuses_padding),
        POOL_TEST(refuses_the_other_alphabet),
        POOL_TEST(refuses_white_space),
        POOL_TEST(refuses_unused_bits),
        POOL_TEST(refuses_a_length_that_no_bytes_have),
        POOL_TEST(refuses_bytes_outside_the_alphabet),
    };

    return UNIT_RUN(tests);
}
