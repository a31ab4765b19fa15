#include "gc_query.h"
#include "unit.h"

static void assert_found(const char *query, const char *name, const char *expected)
{
    gc_slice_t value = {NULL, 0};

    assert_int_equal(gc_query_parameter(&value, query, name), APR_SUCCESS);
    assert_slice_equal(value, expected);
    assert_true(value.data >= query && value.data + value.len <= query + strlen(query));
}

static void assert_missing(const char *query, const char *name)
{
    gc_slice_t value = gc_slice_of("untouched");

    assert_int_equal(gc_query_parameter(&value, query, name), APR_ENOENT);
    assert_slice_equal(value, "untouched");
}

static void finds_a_parameter_anywhere(void **state)
{
    assert_found("a=1&b=2&c=3", "a", "1");
    assert_found("a=1&b=2&c=3", "b", "2");
    assert_found("a=1&b=2&c=3", "c", "3");
}

static void takes_the_last_one_that_is_not_empty(void **state)
{
    assert_found("a=1&a=2", "a", "2");
    assert_found("a=1&a=", "a", "1");
    assert_found("a=&a=2&a&b", "a", "2");
}

static void decodes_nothing(void **state)
{
    assert_found("a=%41+b=c", "a", "%41+b=c");
    assert_missing("%61=1", "a");
}

static void finds_no_part_of_a_name(void **state)
{
    assert_missing("ab=1&ba=2", "a");
    assert_missing("A=1", "a");
    assert_missing("", "a");
    assert_missing("a", "a");
    assert_missing("a=", "a");
    assert_missing("&&=&=1", "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(finds_a_parameter_anywhere),
        POOL_TEST(takes_the_last_one_that_is_not_empty),
        POOL_TEST(decodes_nothing),
        POOL_TEST(finds_no_part_of_a_name),
    };

    return UNIT_RUN(tests);
}
