#include "gc_dotenv.h"
#include "unit.h"

static apr_hash_t *read_text(const char *text, apr_pool_t *pool)
{
    apr_hash_t *pairs = apr_hash_make(pool);
    gc_dotenv_fault_t fault;

    assert_int_equal(gc_dotenv_read(pairs, gc_slice_of(text), &fault, pool), APR_SUCCESS);
    return pairs;
}

static void assert_value(const char *text, const char *expected, apr_pool_t *pool)
{
    apr_hash_t *pairs = read_text(text, pool);

    assert_int_equal(apr_hash_count(pairs), 1);
    assert_string_equal(apr_hash_get(pairs, "KEY", APR_HASH_KEY_STRING), expected);
}

static void assert_fault(const char *text, int line, const char *key, apr_pool_t *pool)
{
    gc_dotenv_fault_t fault = {0, ""};

    assert_int_equal(gc_dotenv_read(apr_hash_make(pool), gc_slice_of(text), &fault, pool),
                     APR_EINVAL);
    assert_int_equal(fault.line, line);
    assert_string_equal(fault.key, key);
}

static void reads_plain_values(void **state)
{
    assert_value("KEY=value", "value", *state);
    assert_value("KEY=value\n", "value", *state);
    assert_value("KEY=value\r\n", "value", *state);
    assert_value("  KEY \t=\t a b  \n", "a b", *state);
    assert_value("export KEY=value", "value", *state);
    assert_value("export   KEY = value", "value", *state);
    assert_value("KEY=", "", *state);
    assert_value("KEY=a=b", "a=b", *state);
    assert_value("KEY=\\n$X${X}", "\\n$X${X}", *state);
    assert_value("KEY=it's", "it's", *state);
}

static void leaves_comments_out(void **state)
{
    assert_value("# KEY=no\nKEY=yes # or no\n#KEY=no", "yes", *state);
    assert_value("KEY=a#b", "a#b", *state);
    assert_value("KEY=#b", "", *state);
    assert_value("KEY=\"a # b\" # c", "a # b", *state);
    assert_int_equal(apr_hash_count(read_text("no pair\n=no key\n\n \n", *state)), 0);
}

static void reads_quoted_values(void **state)
{
    assert_value("KEY=\"\"", "", *state);
    assert_value("KEY=\"a\\n\\r\\t\\\"\\\\\\x'b\"", "a\n\r\t\"\\\\x'b", *state);
    assert_value("KEY='a\\n\\'\\\\\"b'", "a\\n'\\\"b", *state);
    assert_value("KEY = \"two\nlines\" and more\n", "two\nlines", *state);
}

static void takes_the_last_of_a_key(void **state)
{
    assert_value("KEY=1\nKEY=2\n", "2", *state);
}

static void tells_which_quote_is_not_closed(void **state)
{
    assert_fault("KEY=\"a", 1, "KEY", *state);
    assert_fault("KEY='a\\'", 1, "KEY", *state);
    assert_fault("A=1\nB=\"two\nlines\"\nC='", 4, "C", *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(reads_plain_values),
        POOL_TEST(leaves_comments_out),
        POOL_TEST(reads_quoted_values),
        POOL_TEST(takes_the_last_of_a_key),
        POOL_TEST(tells_which_quote_is_not_closed),
    };

    return UNIT_RUN(tests);
}
