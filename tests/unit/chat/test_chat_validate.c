#include "chat_validate.h"
#include "unit.h"

#include <stdlib.h>

#define TEXT_MAX 100

/* Judge bytes as a text, without a NUL behind them, so that a sanitizer sees a read past the end. */
static chat_verdict_e judge(const char *bytes, apr_size_t len)
{
    char *exact = malloc(len + !len);
    chat_verdict_e verdict;

    assert_non_null(exact);
    memcpy(exact, bytes, len);
    verdict = chat_validate_text(gc_slice(exact, len), TEXT_MAX);
    free(exact);
    return verdict;
}

#define assert_text(bytes, verdict) assert_int_equal(judge((bytes), sizeof(bytes) - 1), (verdict))

/* count times a piece, in pool. */
static const char *repeat(const char *piece, apr_size_t count, apr_pool_t *pool)
{
    apr_size_t len = strlen(piece);
    char *all = apr_pcalloc(pool, count * len + 1);
    apr_size_t i;

    for (i = 0; i < count; i++) {
        memcpy(all + i * len, piece, len);
    }
    return all;
}

static chat_verdict_e room(const char *name)
{
    return chat_validate_room(gc_slice_of(name));
}

static chat_verdict_e name_of_four(const char *name)
{
    return chat_validate_name(gc_slice_of(name), 4);
}

static void takes_the_edges_of_every_length(void **state)
{
    assert_text("\x20", CHAT_VALID);
    assert_text("\x7e", CHAT_VALID);
    assert_text("\xc2\xa0", CHAT_VALID);
    assert_text("\xdf\xbf", CHAT_VALID);
    assert_text("\xe0\xa0\x80", CHAT_VALID);
    assert_text("\xef\xbf\xbf", CHAT_VALID);
    assert_text("\xf0\x90\x80\x80", CHAT_VALID);
    assert_text("\xf4\x8f\xbf\xbf", CHAT_VALID);
}

static void refuses_overlong_forms(void **state)
{
    assert_text("\xc0\x80", CHAT_NOT_UTF8);
    assert_text("\xc0\xaf", CHAT_NOT_UTF8);
    assert_text("\xc1\xbf", CHAT_NOT_UTF8);
    assert_text("\xe0\x80\xaf", CHAT_NOT_UTF8);
    assert_text("\xe0\x9f\xbf", CHAT_NOT_UTF8);
    assert_text("\xf0\x80\x80\xaf", CHAT_NOT_UTF8);
    assert_text("\xf0\x8f\xbf\xbf", CHAT_NOT_UTF8);
}

static void refuses_surrogates_and_takes_their_neighbours(void **state)
{
    assert_text("\xed\x9f\xbf", CHAT_VALID);
    assert_text("\xed\xa0\x80", CHAT_NOT_UTF8);
    assert_text("\xed\xaf\xbf", CHAT_NOT_UTF8);
    assert_text("\xed\xb0\x80", CHAT_NOT_UTF8);
    assert_text("\xed\xbf\xbf", CHAT_NOT_UTF8);
    assert_text("\xed\xa0\xbd\xed\xb8\x80", CHAT_NOT_UTF8);
    assert_text("\xee\x80\x80", CHAT_VALID);
}

static void refuses_what_lies_beyond_unicode(void **state)
{
    assert_text("\xf4\x90\x80\x80", CHAT_NOT_UTF8);
    assert_text("\xf5\x80\x80\x80", CHAT_NOT_UTF8);
    assert_text("\xf8\x88\x80\x80\x80", CHAT_NOT_UTF8);
    assert_text("\xfc\x84\x80\x80\x80\x80", CHAT_NOT_UTF8);
    assert_text("\xfe", CHAT_NOT_UTF8);
    assert_text("\xff", CHAT_NOT_UTF8);
}

static void refuses_truncated_characters(void **state)
{
    assert_text("\xc3", CHAT_NOT_UTF8);
    assert_text("\xe2\x82", CHAT_NOT_UTF8);
    assert_text("\xe2", CHAT_NOT_UTF8);
    assert_text("\xf0\x9f\x98", CHAT_NOT_UTF8);
    assert_text("\xf0\x9f", CHAT_NOT_UTF8);
    assert_text("\xf0", CHAT_NOT_UTF8);
    assert_text("a\xc3", CHAT_NOT_UTF8);
}

static void refuses_misplaced_continuation_bytes(void **state)
{
    assert_text("\x80", CHAT_NOT_UTF8);
    assert_text("\xbf", CHAT_NOT_UTF8);
    assert_text("\xc3\xa9\xa9", CHAT_NOT_UTF8);
    assert_text("\xc3(", CHAT_NOT_UTF8);
    assert_text("\xe2(\xa1", CHAT_NOT_UTF8);
    assert_text("\xe2\x82\xc0", CHAT_NOT_UTF8);
    assert_text("\xf0\x9f\x98\x7f", CHAT_NOT_UTF8);
}

static void takes_tabs_and_line_ends_in_texts(void **state)
{
    assert_text("a\r\n\tb", CHAT_VALID);
    assert_text(" ", CHAT_VALID);
    assert_text("\xe2\x80\x8b\xe2\x80\xae", CHAT_VALID);
}

/* In JSON each takes six bytes. */
static void refuses_other_control_characters_in_texts(void **state)
{
    char c;

    assert_text("\0", CHAT_CONTROL);
    assert_text("a\0b", CHAT_CONTROL);
    for (c = 1; c < 0x20; c++) {
        int is_taken = c == '\t' || c == '\n' || c == '\r';

        assert_int_equal(chat_validate_text(gc_slice(&c, 1), TEXT_MAX),
                         is_taken ? CHAT_VALID : CHAT_CONTROL);
    }
    assert_text("a\x7f", CHAT_CONTROL);
    assert_text("\xc2\x80", CHAT_CONTROL);
    assert_text("\xc2\x85", CHAT_CONTROL);
    assert_text("\xc2\x9f", CHAT_CONTROL);
    assert_text("\xc2\xa0", CHAT_VALID);
}

static void limits_texts_in_bytes(void **state)
{
    const char *full = repeat("\xc3\xa9", TEXT_MAX / 2, *state);

    assert_int_equal(chat_validate_text(gc_slice_of(full), TEXT_MAX), CHAT_VALID);
    assert_int_equal(chat_validate_text(gc_slice_of(full), TEXT_MAX - 1), CHAT_TOO_LONG);
    assert_int_equal(chat_validate_text(gc_slice_of(""), TEXT_MAX), CHAT_EMPTY);
    assert_int_equal(chat_validate_text(gc_slice(NULL, 0), TEXT_MAX), CHAT_EMPTY);
}

static void limits_names_in_characters(void **state)
{
    assert_int_equal(name_of_four("abcd"), CHAT_VALID);
    assert_int_equal(name_of_four("abcde"), CHAT_TOO_LONG);
    assert_int_equal(
        name_of_four("\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"),
        CHAT_VALID);
    assert_int_equal(name_of_four("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9x"), CHAT_TOO_LONG);
    assert_int_equal(name_of_four("abcdefghijklmnopq"), CHAT_TOO_LONG);
    assert_int_equal(name_of_four(""), CHAT_EMPTY);
    assert_int_equal(chat_validate_name(gc_slice(NULL, 0), 4), CHAT_EMPTY);
}

static void refuses_every_control_character_in_names(void **state)
{
    char c;

    for (c = 1; c < 0x20; c++) {
        assert_int_equal(chat_validate_name(gc_slice(&c, 1), 4), CHAT_CONTROL);
    }
    assert_int_equal(chat_validate_name(gc_slice("a\0", 2), 4), CHAT_CONTROL);
    assert_int_equal(name_of_four("a\x7f"), CHAT_CONTROL);
    assert_int_equal(name_of_four("\xc2\x80"), CHAT_CONTROL);
    assert_int_equal(name_of_four("\xc2\x9f"), CHAT_CONTROL);
    assert_int_equal(name_of_four("a\xc2\xa0"), CHAT_VALID);
    assert_int_equal(name_of_four("\xff"), CHAT_NOT_UTF8);
}

/* A name that is drawn like another one. */
static void refuses_characters_that_cannot_be_seen_in_names(void **state)
{
    static const char *const unseen[] = {
        "\xc2\xad",         /* U+00AD, the soft hyphen */
        "\xe2\x80\x8b",     /* U+200B, a space without width */
        "\xe2\x80\x8e",     /* U+200E, a mark of direction */
        "\xe2\x80\xae",     /* U+202E, what follows runs backwards */
        "\xe2\x81\xa0",     /* U+2060, the word joiner */
        "\xef\xbb\xbf",     /* U+FEFF, the byte order mark */
        "\xf3\xa0\x80\x81", /* U+E0001, the first tag */
        "\xf3\xa0\x81\xbf", /* U+E007F, the last */
    };
    apr_size_t i;

    for (i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
        assert_int_equal(name_of_four(unseen[i]), CHAT_UNSEEN);
        assert_int_equal(name_of_four(apr_pstrcat(*state, "al", unseen[i], NULL)), CHAT_UNSEEN);
        assert_int_equal(room(unseen[i]), CHAT_VALID);
    }
    assert_int_equal(name_of_four("a\xe2\x80\x8d\xe2\x80\x8c"), CHAT_VALID); /* the joiners */
    assert_int_equal(name_of_four("\xe2\x9d\xa4\xef\xb8\x8f"), CHAT_VALID);  /* a red heart */
    assert_int_equal(name_of_four("\xd9\x86\xe2\x80\x8c\xd9\x85"), CHAT_VALID);
}

static void refuses_names_of_which_nothing_can_be_seen(void **state)
{
    assert_int_equal(name_of_four(" "), CHAT_BLANK);
    assert_int_equal(name_of_four("  \xc2\xa0"), CHAT_BLANK);
    assert_int_equal(name_of_four("\xe3\x80\x80\xe2\x80\x83"), CHAT_BLANK);
    assert_int_equal(name_of_four("\xe2\x80\x8d"), CHAT_BLANK);
    assert_int_equal(name_of_four("\xe3\x85\xa4"), CHAT_BLANK);
    assert_int_equal(name_of_four("\xe2\xa0\x80"), CHAT_BLANK);
    assert_int_equal(name_of_four("\xef\xb8\x8f"), CHAT_BLANK);
    assert_int_equal(name_of_four(" a"), CHAT_VALID);
    assert_int_equal(name_of_four("     "), CHAT_TOO_LONG);
    assert_int_equal(room(" "), CHAT_VALID);
}

static void takes_rooms_of_any_script(void **state)
{
    assert_int_equal(room("default"), CHAT_VALID);
    assert_int_equal(room("caf\xc3\xa9 \xe2\x98\x83"), CHAT_VALID);
    assert_int_equal(room("a:b,c;d\"e%2F\\"), CHAT_VALID);
    assert_int_equal(room("..."), CHAT_VALID);
    assert_int_equal(room(".a"), CHAT_VALID);
    assert_int_equal(room("a.."), CHAT_VALID);
}

static void refuses_rooms_that_no_path_can_name(void **state)
{
    assert_int_equal(room(""), CHAT_EMPTY);
    assert_int_equal(room("."), CHAT_FORBIDDEN);
    assert_int_equal(room(".."), CHAT_FORBIDDEN);
    assert_int_equal(room("a/b"), CHAT_FORBIDDEN);
    assert_int_equal(room("/"), CHAT_FORBIDDEN);
    assert_int_equal(room("a\nb"), CHAT_CONTROL);
    assert_int_equal(room("a\xc2\x85"), CHAT_CONTROL);
    assert_int_equal(chat_validate_room(gc_slice("a\0b", 3)), CHAT_CONTROL);
    assert_int_equal(room("\xed\xa0\x80"), CHAT_NOT_UTF8);
}

static void limits_rooms_to_64_characters(void **state)
{
    assert_int_equal(room(repeat("a", 64, *state)), CHAT_VALID);
    assert_int_equal(room(repeat("a", 65, *state)), CHAT_TOO_LONG);
    assert_int_equal(room(repeat("\xf0\x9f\x98\x80", 64, *state)), CHAT_VALID);
    assert_int_equal(room(repeat("\xf0\x9f\x98\x80", 65, *state)), CHAT_TOO_LONG);
    assert_int_equal(room(repeat("\xc3\xa9", 65, *state)), CHAT_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(takes_the_edges_of_every_length),
        POOL_TEST(refuses_overlong_forms),
        POOL_TEST(refuses_surrogates_and_takes_their_neighbours),
        POOL_TEST(refuses_what_lies_beyond_unicode),
        POOL_TEST(refuses_truncated_characters),
        POOL_TEST(refuses_misplaced_continuation_bytes),
        POOL_TEST(takes_tabs_and_line_ends_in_texts),
        POOL_TEST(refuses_other_control_characters_in_texts),
        POOL_TEST(limits_texts_in_bytes),
        POOL_TEST(limits_names_in_characters),
        POOL_TEST(refuses_every_control_character_in_names),
        POOL_TEST(refuses_characters_that_cannot_be_seen_in_names),
        POOL_TEST(refuses_names_of_which_nothing_can_be_seen),
        POOL_TEST(takes_rooms_of_any_script),
        POOL_TEST(refuses_rooms_that_no_path_can_name),
        POOL_TEST(limits_rooms_to_64_characters),
    };

    return UNIT_RUN(tests);
}
