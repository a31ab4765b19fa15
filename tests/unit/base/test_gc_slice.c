#include "gc_slice.h"
#include "unit.h"

static const gc_slice_t nothing = {NULL, 0};

static void views_a_string_without_its_nul(void **state)
{
    assert_int_equal(gc_slice_of("abc").len, 3);
    assert_int_equal(gc_slice_of("").len, 0);
    assert_int_equal(gc_slice_of(NULL).len, 0);
}

static void compares_bytes_with_nul_among_them(void **state)
{
    assert_true(gc_slice_equal(gc_slice("a\0b", 3), gc_slice("a\0b", 3)));
    assert_false(gc_slice_equal(gc_slice("a\0b", 3), gc_slice("a\0c", 3)));
    assert_false(gc_slice_equal(gc_slice("a\0b", 3), gc_slice("a", 1)));
    assert_false(gc_slice_equal(gc_slice_of("a"), gc_slice_of("A")));
}

static void takes_empty_slices_for_equal(void **state)
{
    assert_true(gc_slice_equal(nothing, gc_slice("x", 0)));
    assert_false(gc_slice_equal(nothing, gc_slice_of("x")));
}

static void knows_a_prefix(void **state)
{
    assert_true(gc_slice_starts(gc_slice_of("room-x"), gc_slice_of("room-")));
    assert_true(gc_slice_starts(gc_slice_of("room-"), gc_slice_of("room-")));
    assert_true(gc_slice_starts(gc_slice_of("x"), nothing));
    assert_true(gc_slice_starts(nothing, nothing));
    assert_false(gc_slice_starts(gc_slice_of("room"), gc_slice_of("room-")));
    assert_false(gc_slice_starts(gc_slice_of("Room-"), gc_slice_of("room-")));
    assert_false(gc_slice_starts(gc_slice("room-", 4), gc_slice_of("room-")));
}

static void copies_to_a_terminated_string(void **state)
{
    assert_string_equal(gc_slice_dup(gc_slice("abcdef", 3), *state), "abc");
    assert_string_equal(gc_slice_dup(nothing, *state), "");
    assert_memory_equal(gc_slice_dup(gc_slice("a\0b", 3), *state), "a\0b", 4);
}

static void trims_spaces_and_tabs_only(void **state)
{
    assert_slice_equal(gc_slice_trim(gc_slice_of(" \t a b\t ")), "a b");
    assert_slice_equal(gc_slice_trim(gc_slice_of("\na\r\n")), "\na\r\n");
    assert_slice_equal(gc_slice_trim(gc_slice_of("\va\f")), "\va\f");
    assert_slice_equal(gc_slice_trim(gc_slice_of(" \t ")), "");
    assert_int_equal(gc_slice_trim(nothing).len, 0);
}

static void compares_without_case(void **state)
{
    assert_true(gc_slice_equal_nocase(gc_slice_of("Multipart/FORM-data"), "multipart/form-data"));
    assert_true(gc_slice_equal_nocase(nothing, ""));
    assert_false(gc_slice_equal_nocase(nothing, "a"));
    assert_false(gc_slice_equal_nocase(gc_slice_of("ab"), "abc"));
    assert_false(gc_slice_equal_nocase(gc_slice_of("abc"), "ab"));
    assert_false(gc_slice_equal_nocase(gc_slice("a\0c", 3), "abc"));
}

/* Bytes that differ by the bit that makes the case of letters, but are none. */
static void compares_without_case_only_letters(void **state)
{
    assert_false(gc_slice_equal_nocase(gc_slice_of("@"), "`"));
    assert_false(gc_slice_equal_nocase(gc_slice_of("["), "{"));
    assert_false(gc_slice_equal_nocase(gc_slice_of("\xc3\xa9"), "\xc3\x89"));
    assert_false(gc_slice_equal_nocase(gc_slice_of("\xe9"), "\xc9"));
}

static void cuts_at_the_first_separator(void **state)
{
    gc_slice_t rest = gc_slice_of("a,,b");
    gc_slice_t head;

    assert_int_equal(gc_slice_until(&rest, ',', &head), APR_SUCCESS);
    assert_slice_equal(head, "a");
    assert_slice_equal(rest, ",b");
    assert_int_equal(gc_slice_until(&rest, ',', &head), APR_SUCCESS);
    assert_slice_equal(head, "");
    assert_slice_equal(rest, "b");
}

static void leaves_the_rest_untouched_without_a_separator(void **state)
{
    gc_slice_t rest = gc_slice("ab,", 2);
    gc_slice_t head = gc_slice_of("untouched");

    assert_int_equal(gc_slice_until(&rest, ',', &head), APR_ENOENT);
    assert_slice_equal(rest, "ab");
    assert_slice_equal(head, "untouched");
    rest = nothing;
    assert_int_equal(gc_slice_until(&rest, ',', &head), APR_ENOENT);
}

static void cuts_at_the_last_byte(void **state)
{
    gc_slice_t rest = gc_slice_of("a,");
    gc_slice_t head;

    assert_int_equal(gc_slice_until(&rest, ',', &head), APR_SUCCESS);
    assert_slice_equal(head, "a");
    assert_int_equal(rest.len, 0);
}

static void assert_number(const char *text, apr_int64_t max, apr_int64_t wanted)
{
    apr_int64_t number = -1;

    if (gc_slice_number(gc_slice_of(text), max, &number) != APR_SUCCESS || number != wanted) {
        fail_msg("'%s' gave %" APR_INT64_T_FMT, text, number);
    }
}

static void assert_no_number(gc_slice_t text, apr_int64_t max, apr_status_t wanted)
{
    apr_int64_t number = -1;
    apr_status_t rv = gc_slice_number(text, max, &number);

    if (rv != wanted || number != -1) {
        fail_msg("'%.*s' below %" APR_INT64_T_FMT " gave %" APR_INT64_T_FMT ", status %d",
                 (int)text.len, text.data, max, number, rv);
    }
}

static void reads_numbers_up_to_the_largest(void **state)
{
    assert_number("0", 0, 0);
    assert_number("0", APR_INT64_MAX, 0);
    assert_number("7", 7, 7);
    assert_number("10", 10, 10);
    assert_number("120", 3600, 120);
    assert_number("9223372036854775807", APR_INT64_MAX, APR_INT64_MAX);
}

static void tells_a_number_above_the_largest(void **state)
{
    assert_no_number(gc_slice_of("11"), 10, APR_EGENERAL);
    assert_no_number(gc_slice_of("100"), 10, APR_EGENERAL);
    assert_no_number(gc_slice_of("3601"), 3600, APR_EGENERAL);
    assert_no_number(gc_slice_of("9223372036854775808"), APR_INT64_MAX, APR_EGENERAL);
    assert_no_number(gc_slice_of("99999999999999999999999999"), APR_INT64_MAX, APR_EGENERAL);
}

static void tells_a_digit_above_the_largest(void **state)
{
    assert_no_number(gc_slice_of("1"), 0, APR_EGENERAL);
    assert_no_number(gc_slice_of("7"), 5, APR_EGENERAL);
    assert_no_number(gc_slice_of("9"), 8, APR_EGENERAL);
}

static void refuses_what_is_no_number(void **state)
{
    assert_no_number(nothing, 10, APR_EINVAL);
    assert_no_number(gc_slice_of("+1"), 10, APR_EINVAL);
    assert_no_number(gc_slice_of("-1"), 10, APR_EINVAL);
    assert_no_number(gc_slice_of(" 1"), 10, APR_EINVAL);
    assert_no_number(gc_slice_of("1 "), 10, APR_EINVAL);
    assert_no_number(gc_slice_of("0x1"), 10, APR_EINVAL);
    assert_no_number(gc_slice_of("1e1"), 10, APR_EINVAL);
    assert_no_number(gc_slice_of("1.0"), 10, APR_EINVAL);
    assert_no_number(gc_slice_of("/"), 10, APR_EINVAL);
    assert_no_number(gc_slice_of(":"), 10, APR_EINVAL);
    assert_no_number(gc_slice("1\0", 2), 10, APR_EINVAL);
    assert_no_number(gc_slice_of("\xd9\xa1"), 10, APR_EINVAL);
}

/* A number has one spelling, so that a position is equal to another when its bytes are. */
static void refuses_leading_zeros(void **state)
{
    assert_no_number(gc_slice_of("00"), 10, APR_EINVAL);
    assert_no_number(gc_slice_of("01"), 10, APR_EINVAL);
}

/* Too large, but no number in the first place. */
static void looks_at_every_byte_before_it_counts(void **state)
{
    assert_no_number(gc_slice_of("99999999999999999999x"), 10, APR_EINVAL);
}

static void reads_no_further_than_its_length(void **state)
{
    apr_int64_t number = -1;

    assert_int_equal(gc_slice_number(gc_slice("123", 2), 1000, &number), APR_SUCCESS);
    assert_int_equal(number, 12);
}

static void gives_the_pieces_of_a_list_and_then_nothing(void **state)
{
    gc_slice_t rest = gc_slice_of("a,,b");

    assert_slice_equal(gc_slice_piece(&rest, ','), "a");
    assert_slice_equal(gc_slice_piece(&rest, ','), "");
    assert_slice_equal(gc_slice_piece(&rest, ','), "b");
    assert_int_equal(rest.len, 0);
    assert_slice_equal(gc_slice_piece(&rest, ','), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_a_string_without_its_nul),
        cmocka_unit_test(compares_bytes_with_nul_among_them),
        cmocka_unit_test(takes_empty_slices_for_equal),
        cmocka_unit_test(knows_a_prefix),
        cmocka_unit_test(gives_the_pieces_of_a_list_and_then_nothing),
        POOL_TEST(copies_to_a_terminated_string),
        cmocka_unit_test(trims_spaces_and_tabs_only),
        cmocka_unit_test(compares_without_case),
        cmocka_unit_test(compares_without_case_only_letters),
        cmocka_unit_test(cuts_at_the_first_separator),
        cmocka_unit_test(leaves_the_rest_untouched_without_a_separator),
        cmocka_unit_test(cuts_at_the_last_byte),
        cmocka_unit_test(reads_numbers_up_to_the_largest),
        cmocka_unit_test(tells_a_number_above_the_largest),
        cmocka_unit_test(tells_a_digit_above_the_largest),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(refuses_leading_zeros),
        cmocka_unit_test(looks_at_every_byte_before_it_counts),
        cmocka_unit_test(reads_no_further_than_its_length),
    };

    return UNIT_RUN(tests);
}
