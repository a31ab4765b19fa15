#include "gc_buffer.h"
#include "unit.h"

static void begins_empty_and_terminated(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);

    assert_int_equal(buffer.len, 0);
    assert_string_equal(buffer.data, "");
    assert_int_equal(gc_buffer_slice(&buffer).len, 0);
}

static void appends_in_order(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(64, *state);

    gc_buffer_append_text(&buffer, "a");
    gc_buffer_append(&buffer, gc_slice("bcd", 2));
    gc_buffer_append_int64(&buffer, 7);
    assert_slice_equal(gc_buffer_slice(&buffer), "abc7");
}

static void stays_terminated_while_it_grows(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);
    apr_size_t i;

    for (i = 1; i <= 5000; i++) {
        gc_buffer_append(&buffer, gc_slice(&"ab"[i % 2], 1));
        assert_int_equal(buffer.len, i);
        assert_true(buffer.len < buffer.capacity);
        assert_int_equal(buffer.data[i], '\0');
    }
    for (i = 1; i <= 5000; i++) {
        assert_int_equal(buffer.data[i - 1], "ab"[i % 2]);
    }
}

/* The NUL needs a place, too, when the bytes fill the room that was asked for. */
static void fills_its_capacity_without_moving(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(4, *state);
    char *first = buffer.data;

    gc_buffer_append_text(&buffer, "1234");
    assert_ptr_equal(buffer.data, first);
    assert_string_equal(buffer.data, "1234");
    gc_buffer_append_text(&buffer, "5");
    assert_string_equal(buffer.data, "12345");
}

static void takes_a_piece_that_is_longer_than_twice_its_capacity(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(2, *state);
    char piece[1000];

    memset(piece, 'x', sizeof(piece));
    gc_buffer_append_text(&buffer, "a");
    gc_buffer_append(&buffer, gc_slice(piece, sizeof(piece)));
    assert_int_equal(buffer.len, 1 + sizeof(piece));
    assert_int_equal(buffer.data[0], 'a');
    assert_memory_equal(buffer.data + 1, piece, sizeof(piece));
}

static void keeps_nul_bytes(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);

    gc_buffer_append(&buffer, gc_slice("a\0b", 3));
    gc_buffer_append_text(&buffer, "c");
    assert_int_equal(buffer.len, 4);
    assert_memory_equal(buffer.data, "a\0bc", 5);
}

static void appends_nothing(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);

    gc_buffer_append(&buffer, gc_slice(NULL, 0));
    gc_buffer_append_text(&buffer, "");
    gc_buffer_append_text(&buffer, NULL);
    assert_string_equal(buffer.data, "");
    assert_int_equal(buffer.len, 0);
}

static void appends_the_extremes_of_a_number(void **state)
{
    gc_buffer_t buffer = gc_buffer_make(1, *state);

    gc_buffer_append_int64(&buffer, APR_INT64_MIN);
    gc_buffer_append_text(&buffer, " ");
    gc_buffer_append_int64(&buffer, 0);
    gc_buffer_append_text(&buffer, " ");
    gc_buffer_append_int64(&buffer, APR_INT64_MAX);
    assert_slice_equal(gc_buffer_slice(&buffer), "-9223372036854775808 0 9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(begins_empty_and_terminated),
        POOL_TEST(appends_in_order),
        POOL_TEST(stays_terminated_while_it_grows),
        POOL_TEST(fills_its_capacity_without_moving),
        POOL_TEST(takes_a_piece_that_is_longer_than_twice_its_capacity),
        POOL_TEST(keeps_nul_bytes),
        POOL_TEST(appends_nothing),
        POOL_TEST(appends_the_extremes_of_a_number),
    };

    return UNIT_RUN(tests);
}
