#include "chat_key.h"

#include "chat_types.h"
#include "unit.h"

static void assert_key(const char *value, const char *key, apr_pool_t *pool)
{
    gc_slice_t read;

    if (chat_key_parse(&read, gc_slice_of(value), pool) != APR_SUCCESS) {
        fail_msg("refused: %s", value);
    }
    assert_slice_equal(read, key);
    assert_int_equal(read.data[read.len], 0);
}

static void assert_bytes_refused(gc_slice_t value, apr_pool_t *pool)
{
    gc_slice_t key = {"before", 6};

    if (chat_key_parse(&key, value, pool) != APR_EINVAL) {
        fail_msg("taken: %.*s", (int)value.len, value.data);
    }
    assert_slice_equal(key, "before");
}

static void assert_refused(const char *value, apr_pool_t *pool)
{
    assert_bytes_refused(gc_slice_of(value), pool);
}

static void reads_a_string_in_quotes(void **state)
{
    assert_key("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324",
               *state);
    assert_key(" \"a\"\t", "a", *state);
    assert_key("\"a,;b\"", "a,;b", *state);
    assert_key("\"a\\\"b\\\\c\"", "a\"b\\c", *state);
}

static void reads_the_same_without_quotes(void **state)
{
    assert_key("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324",
               *state);
    assert_key("a=b/c+d~!", "a=b/c+d~!", *state);
}

static void refuses_what_is_no_key(void **state)
{
    static const char *const values[] = {
        "",         " ",          "\"\"",         "\"a",     "\"",       "a\"",
        "\"a\"b",   "\"a\"; p=1", "\"a\", \"b\"", "a, b",    "a;b",      "a\\b",
        "a b",      "\"a b\"",    "\"a\\",        "\"a\\\"", "\"a\\n\"", "\"\xc3\xa9\"",
        "\xc3\xa9", "a\x7f",      "a\tb",
    };
    unsigned i;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_refused(values[i], *state);
    }
    assert_bytes_refused(gc_slice("a\0b", 3), *state);
}

static void bounds_the_length(void **state)
{
    char *longest = apr_pcalloc(*state, CHAT_KEY_MAX_CHARS + 2);
    char *quoted = apr_pcalloc(*state, 2 * CHAT_KEY_MAX_CHARS + 3);

    memset(longest, 'k', CHAT_KEY_MAX_CHARS);
    assert_key(longest, longest, *state);
    longest[CHAT_KEY_MAX_CHARS] = 'k';
    assert_refused(longest, *state);
    memset(quoted, '\\', 2 * CHAT_KEY_MAX_CHARS + 2);
    quoted[0] = quoted[2 * CHAT_KEY_MAX_CHARS + 1] = '"';
    longest[CHAT_KEY_MAX_CHARS] = '\0';
    memset(longest, '\\', CHAT_KEY_MAX_CHARS);
    assert_key(quoted, longest, *state);
}

static void knows_a_key_from_other_text(void **state)
{
    assert_true(chat_key_is_valid(gc_slice_of("a\"\\b")));
    assert_false(chat_key_is_valid(gc_slice_of("")));
    assert_false(chat_key_is_valid(gc_slice_of("a b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(reads_a_string_in_quotes),    POOL_TEST(reads_the_same_without_quotes),
        POOL_TEST(refuses_what_is_no_key),      POOL_TEST(bounds_the_length),
        POOL_TEST(knows_a_key_from_other_text),
    };

    return UNIT_RUN(tests);
}
