#include "chat_snapshot.h"

#include "snapshot_fixture.h"

#define ROOM    "caf\xc3\xa9: x"
#define HISTORY 10

/* The fixture of each test. */
typedef struct fixture_t {
    apr_pool_t *pool;
    chat_snapshot_spec_t spec;
} fixture_t;

static int set_up(void **state)
{
    apr_pool_t *pool;
    fixture_t *fixture;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    fixture = apr_palloc(pool, sizeof(*fixture));
    fixture->pool = pool;
    fixture->spec.room = gc_slice_of(ROOM);
    fixture->spec.history = HISTORY;
    fixture->spec.list_bytes = CHAT_LIST_MAX_BYTES;
    fixture->spec.account = chat_account_create();
    *state = fixture;
    return fixture->spec.account ? 0 : -1;
}

/* Nothing that a test made is alive afterwards. */
static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    int is_whole = chat_account_bytes(fixture->spec.account) == 0;

    chat_account_release(fixture->spec.account);
    apr_pool_destroy(fixture->pool);
    return is_whole ? 0 : -1;
}

static chat_snapshot_t *make(const fixture_t *fixture, chat_page_t page)
{
    chat_snapshot_t *snapshot = NULL;

    assert_int_equal(chat_snapshot_make(&snapshot, &fixture->spec, &page, fixture->pool),
                     APR_SUCCESS);
    return snapshot;
}

static chat_snapshot_t *extend(const fixture_t *fixture, chat_snapshot_t *old, chat_page_t page)
{
    chat_snapshot_t *snapshot = NULL;

    assert_int_equal(chat_snapshot_extend(&snapshot, old, &fixture->spec, &page, fixture->pool),
                     APR_SUCCESS);
    chat_snapshot_release(old);
    return snapshot;
}

/* Fail unless it holds just the events first .. last of texts of these bytes, and their list. */
static void assert_holds(const fixture_t *fixture, const chat_snapshot_t *snapshot,
                         apr_int64_t first, apr_int64_t last, apr_int64_t first_kept, int bytes)
{
    const chat_standing_t *standing = chat_snapshot_standing(snapshot);

    assert_int_equal(standing->last_event_id, last);
    assert_int_equal(standing->first_kept_event_id, first_kept);
    assert_int_equal(standing->newest_id, first > last ? 0 : last + 1000);
    assert_int_equal(standing->listed,
                     newest_of(last, first_kept, HISTORY, 1, fixture->pool).count);
    assert_string_equal(chat_snapshot_etag(snapshot),
                        apr_psprintf(fixture->pool,
                                     "\"%" APR_INT64_T_FMT "-%" APR_INT64_T_FMT "-%" APR_INT64_T_FMT
                                     "-%d-%" APR_INT64_T_FMT "\"",
                                     last, standing->newest_id, standing->newest_created_ms,
                                     standing->listed,
                                     standing->listed ? last - standing->listed + 1 : 0));
    assert_same(chat_block_text(chat_snapshot_events(snapshot)),
                events_of(ROOM, first, last, bytes, fixture->pool));
    assert_true(chat_snapshot_covers(snapshot, first - 1));
    assert_int_equal(chat_snapshot_covers(snapshot, first - 2), 0);
    assert_non_null(chat_snapshot_list(snapshot));
    assert_same(
        chat_block_text(chat_snapshot_list(snapshot)),
        list_of(ROOM, newest_of(last, first_kept, HISTORY, bytes, fixture->pool), fixture->pool));
}

static void holds_the_newest_events_and_the_list(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(130, 1, 100, 1, fixture->pool));

    assert_holds(fixture, snapshot, 31, 130, 1, 1);
    chat_snapshot_release(snapshot);
}

static void holds_a_room_that_was_never_written_to(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(0, 1, 100, 1, fixture->pool));
    apr_int64_t reached;

    assert_holds(fixture, snapshot, 1, 0, 1, 1);
    assert_int_equal(chat_snapshot_events_after(snapshot, 0, APR_INT64_MAX, &reached).len, 0);
    assert_int_equal(reached, 0);
    chat_snapshot_release(snapshot);
}

static void holds_a_room_whose_messages_are_all_gone(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(7, 8, 100, 1, fixture->pool));

    assert_holds(fixture, snapshot, 8, 7, 8, 1);
    chat_snapshot_release(snapshot);
}

static void goes_on_with_what_came_after(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(5, 1, 100, 1, fixture->pool));
    int i;

    for (i = 5; i < 100; i += 5) {
        snapshot = extend(fixture, snapshot, after_of(i - 1, 100, i + 5, 1, 1, fixture->pool));
        assert_holds(fixture, snapshot, 1, i + 5, 1, 1);
    }
    chat_snapshot_release(snapshot);
}

static void is_itself_where_nothing_came(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(5, 1, 100, 1, fixture->pool));
    chat_page_t page = after_of(4, 100, 5, 1, 1, fixture->pool);
    chat_snapshot_t *same = NULL;

    assert_int_equal(chat_snapshot_extend(&same, snapshot, &fixture->spec, &page, fixture->pool),
                     APR_SUCCESS);
    assert_ptr_equal(same, snapshot);
    chat_snapshot_release(same);
    assert_holds(fixture, snapshot, 1, 5, 1, 1);
    chat_snapshot_release(snapshot);
}

/* From before its first to behind its last: each cut leaves exactly what is stored. */
static void leaves_out_what_is_not_kept_any_more(void **state)
{
    const fixture_t *fixture = *state;
    apr_int64_t kept;

    for (kept = 1; kept <= 30; kept++) {
        chat_snapshot_t *snapshot = make(fixture, newest_of(30, 1, 20, 1, fixture->pool));

        snapshot = extend(fixture, snapshot, after_of(29, 100, 30, kept, 1, fixture->pool));
        assert_holds(fixture, snapshot, kept < 11 ? 11 : kept, 30, kept, 1);
        snapshot = extend(fixture, snapshot, after_of(29, 100, 32, kept, 1, fixture->pool));
        assert_holds(fixture, snapshot, kept < 11 ? 11 : kept, 32, kept, 1);
        chat_snapshot_release(snapshot);
    }
}

static void does_not_go_on_from_what_is_gone_or_another(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *old = make(fixture, newest_of(30, 1, 20, 1, fixture->pool));
    chat_page_t other = after_of(29, 100, 32, 1, 1, fixture->pool);
    chat_page_t date = after_of(29, 100, 32, 1, 1, fixture->pool);
    chat_page_t pages[] = {
        after_of(29, 100, 32, 31, 1, fixture->pool), /* the last event is not stored any more */
        after_of(29, 100, 30, 31, 1, fixture->pool), /* nothing is */
        after_of(29, 100, 200, 1, 1, fixture->pool), /* more came than was read */
        after_of(29, 100, 20, 1, 1, fixture->pool),  /* the room is shorter */
        after_of(30, 100, 32, 1, 1, fixture->pool),  /* read from elsewhere */
    };
    chat_snapshot_t *snapshot = NULL;
    int i;

    other.events[0].id++;
    date.events[0].created_ms++;
    assert_int_equal(chat_snapshot_extend(&snapshot, old, &fixture->spec, &other, fixture->pool),
                     APR_EINCOMPLETE);
    assert_int_equal(chat_snapshot_extend(&snapshot, old, &fixture->spec, &date, fixture->pool),
                     APR_EINCOMPLETE);
    for (i = 0; i < COUNT_OF(pages); i++) {
        assert_int_equal(
            chat_snapshot_extend(&snapshot, old, &fixture->spec, &pages[i], fixture->pool),
            APR_EINCOMPLETE);
    }
    assert_null(snapshot);
    chat_snapshot_release(old);
}

static void keeps_a_bounded_number_of_events(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(100, 1, 100, 1, fixture->pool));
    apr_int64_t last = 100;

    while (last < 700) {
        snapshot =
            extend(fixture, snapshot, after_of(last - 1, 100, last + 50, 1, 1, fixture->pool));
        last += 50;
    }
    assert_holds(fixture, snapshot, 700 - CHAT_SNAPSHOT_MAX_EVENTS + 1, 700, 1, 1);
    chat_snapshot_release(snapshot);
}

static void keeps_bounded_bytes_but_all_of_the_list(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(40, 1, 40, 60000, fixture->pool));

    assert_holds(fixture, snapshot, 31, 40, 1, 60000);
    snapshot = extend(fixture, snapshot, after_of(39, 100, 43, 1, 60000, fixture->pool));
    assert_holds(fixture, snapshot, 34, 43, 1, 60000);
    chat_snapshot_release(snapshot);
    snapshot = make(fixture, newest_of(40, 1, 40, 10000, fixture->pool));
    assert_in_range(chat_block_text(chat_snapshot_events(snapshot)).len,
                    CHAT_SNAPSHOT_MAX_BYTES - 20000, CHAT_SNAPSHOT_MAX_BYTES);
    chat_snapshot_release(snapshot);
}

/* As an answer from the database: at most so many events, and bytes, but one event at least. */
static void gives_as_many_events_as_an_answer_takes(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(300, 1, 300, 1, fixture->pool));
    apr_int64_t reached;
    apr_int64_t after;

    for (after = 0; after <= 301; after++) {
        apr_int64_t end = after + CHAT_PAGE_MAX_EVENTS < 300 ? after + CHAT_PAGE_MAX_EVENTS : 300;

        assert_same(chat_snapshot_events_after(snapshot, after, APR_INT64_MAX, &reached),
                    events_of(ROOM, after + 1, end, 1, fixture->pool));
        assert_int_equal(reached, after > 300 ? after : end);
    }
    chat_snapshot_release(snapshot);
    snapshot = make(fixture, newest_of(10, 1, 10, 25000, fixture->pool));
    assert_same(chat_snapshot_events_after(snapshot, 3, APR_INT64_MAX, &reached),
                events_of(ROOM, 4, 5, 25000, fixture->pool));
    assert_int_equal(reached, 5);
    chat_snapshot_release(snapshot);
    snapshot = make(fixture, newest_of(10, 1, 10, CHAT_PAGE_MAX_BYTES + 1, fixture->pool));
    assert_same(chat_snapshot_events_after(snapshot, 3, APR_INT64_MAX, &reached),
                events_of(ROOM, 4, 4, CHAT_PAGE_MAX_BYTES + 1, fixture->pool));
    assert_int_equal(reached, 4);
    chat_snapshot_release(snapshot);
}

/* Another program wrote it. There must be no way past it, and no list over it. */
static void has_no_way_past_a_message_that_is_not_utf8(void **state)
{
    const fixture_t *fixture = *state;
    chat_page_t page = newest_of(30, 1, 30, 1, fixture->pool);
    chat_snapshot_t *snapshot;

    page.events[7].payload = gc_slice_of("\xff"); /* the 23rd */
    snapshot = make(fixture, page);
    assert_int_equal(chat_snapshot_covers(snapshot, 22), 0);
    assert_true(chat_snapshot_covers(snapshot, 23));
    assert_same(chat_block_text(chat_snapshot_events(snapshot)),
                events_of(ROOM, 24, 30, 1, fixture->pool));
    assert_null(chat_snapshot_list(snapshot));
    assert_int_equal(chat_snapshot_standing(snapshot)->newest_id, 1030);
    snapshot = extend(fixture, snapshot, after_of(29, 100, 32, 1, 1, fixture->pool));
    assert_null(chat_snapshot_list(snapshot));
    snapshot = extend(fixture, snapshot, after_of(31, 100, 33, 1, 1, fixture->pool));
    assert_holds(fixture, snapshot, 24, 33, 1, 1);
    chat_snapshot_release(snapshot);
}

static void has_no_way_past_one_that_comes_later(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(30, 1, 30, 1, fixture->pool));
    chat_page_t page = after_of(29, 100, 33, 1, 1, fixture->pool);

    page.events[2].payload = gc_slice_of("\xff"); /* the 32nd */
    snapshot = extend(fixture, snapshot, page);
    assert_int_equal(chat_snapshot_covers(snapshot, 31), 0);
    assert_true(chat_snapshot_covers(snapshot, 32));
    assert_same(chat_block_text(chat_snapshot_events(snapshot)),
                events_of(ROOM, 33, 33, 1, fixture->pool));
    assert_null(chat_snapshot_list(snapshot));
    chat_snapshot_release(snapshot);
}

static void is_whole_again_when_such_a_message_is_gone(void **state)
{
    const fixture_t *fixture = *state;
    chat_page_t page = newest_of(30, 1, 30, 1, fixture->pool);
    chat_snapshot_t *snapshot;

    page.events[0].payload = gc_slice_of("\xff");
    snapshot = make(fixture, page);
    assert_int_equal(chat_snapshot_covers(snapshot, 29), 0);
    assert_true(chat_snapshot_covers(snapshot, 30));
    page = after_of(29, 100, 31, 1, 1, fixture->pool);
    snapshot = extend(fixture, snapshot, page);
    assert_null(chat_snapshot_list(snapshot));
    snapshot = extend(fixture, snapshot, after_of(30, 100, 31, 31, 1, fixture->pool));
    assert_holds(fixture, snapshot, 31, 31, 31, 1);
    chat_snapshot_release(snapshot);
}

static void lives_as_long_as_somebody_holds_it(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(30, 1, 30, 1, fixture->pool));
    chat_block_t *list = chat_snapshot_list(snapshot);
    gc_slice_t wanted = list_of(ROOM, newest_of(30, 1, HISTORY, 1, fixture->pool), fixture->pool);

    assert_int_equal(chat_account_bytes(fixture->spec.account), chat_snapshot_bytes(snapshot));
    chat_snapshot_pin(snapshot);
    chat_block_pin(list);
    chat_snapshot_release(snapshot);
    assert_holds(fixture, snapshot, 1, 30, 1, 1);
    chat_snapshot_release(snapshot);
    assert_int_equal(chat_account_bytes(fixture->spec.account), chat_block_bytes(list));
    assert_same(chat_block_text(list), wanted);
    chat_block_release(list);
    assert_int_equal(chat_account_bytes(fixture->spec.account), 0);
    chat_block_release(NULL);
    chat_snapshot_release(NULL);
}

/* The newest, as many as there is room for, one at least; it says whether there are older ones. */
static void bounds_the_list_in_bytes(void **state)
{
    fixture_t *fixture = *state;
    chat_page_t page = newest_of(40, 1, 40, 10000, fixture->pool);
    chat_snapshot_t *snapshot;
    gc_slice_t list;
    apr_size_t bytes;

    fixture->spec.list_bytes = 50000;
    snapshot = make(fixture, page);
    assert_int_equal(chat_snapshot_standing(snapshot)->listed, 4);
    assert_int_equal(chat_snapshot_standing(snapshot)->listed_from, 37);
    assert_true(chat_snapshot_standing(snapshot)->has_older);
    page.count = 4;
    list = list_of(ROOM, page, fixture->pool);
    assert_same(chat_block_text(chat_snapshot_list(snapshot)), list);
    bytes = list.len;
    chat_snapshot_release(snapshot);
    page.count = 40;
    fixture->spec.list_bytes = bytes + 2;
    snapshot = make(fixture, page);
    assert_int_equal(chat_snapshot_standing(snapshot)->listed, 4);
    chat_snapshot_release(snapshot);
    fixture->spec.list_bytes = bytes - 1;
    snapshot = make(fixture, page);
    assert_int_equal(chat_snapshot_standing(snapshot)->listed, 3);
    snapshot = extend(fixture, snapshot, after_of(39, 100, 41, 1, 1, fixture->pool));
    assert_int_equal(chat_snapshot_standing(snapshot)->listed, 4);
    assert_int_equal(chat_snapshot_standing(snapshot)->listed_from, 38);
    chat_snapshot_release(snapshot);
    fixture->spec.list_bytes = 1;
    snapshot = make(fixture, page);
    assert_int_equal(chat_snapshot_standing(snapshot)->listed, 1);
    assert_true(chat_snapshot_standing(snapshot)->has_older);
    chat_snapshot_release(snapshot);
    snapshot = make(fixture, newest_of(1, 1, 40, 10000, fixture->pool));
    assert_int_equal(chat_snapshot_standing(snapshot)->listed, 1);
    assert_int_equal(chat_snapshot_standing(snapshot)->has_older, 0);
    chat_snapshot_release(snapshot);
}

/* Rows that were deleted by hand: in the middle, and at the end of a room that ends at 40. */
static void leads_over_gaps(void **state)
{
    const fixture_t *fixture = *state;
    chat_page_t page = page_of(30, 1, 40, 1, 1, fixture->pool);
    chat_page_t next = page_of(30, 31, 41, 1, 1, fixture->pool);
    chat_snapshot_t *snapshot;
    apr_int64_t reached;

    memmove(&page.events[10], &page.events[20], 10 * sizeof(page.events[0]));
    page.count = 20; /* 30 .. 21, 10 .. 1 */
    snapshot = make(fixture, page);
    assert_true(chat_snapshot_covers(snapshot, 0));
    assert_int_equal(chat_snapshot_standing(snapshot)->listed_from, 21);
    assert_same(chat_snapshot_events_after(snapshot, 29, APR_INT64_MAX, &reached),
                events_of(ROOM, 30, 30, 1, fixture->pool));
    assert_int_equal(reached, 40);
    assert_same(chat_snapshot_events_after(snapshot, 15, 21, &reached),
                events_of(ROOM, 21, 21, 1, fixture->pool));
    assert_int_equal(reached, 21);
    assert_int_equal(chat_snapshot_events_after(snapshot, 12, 18, &reached).len, 0);
    assert_int_equal(reached, 18);
    assert_int_equal(chat_snapshot_events_after(snapshot, 33, APR_INT64_MAX, &reached).len, 0);
    assert_int_equal(reached, 40);
    next.events[1] = message_at(41, 1, fixture->pool);
    snapshot = extend(fixture, snapshot, next);
    assert_same(chat_snapshot_events_after(snapshot, 29, APR_INT64_MAX, &reached),
                chat_snapshot_events_after(snapshot, 20 + 9, 41, &reached));
    assert_int_equal(reached, 41);
    assert_same(chat_snapshot_events_after(snapshot, 40, APR_INT64_MAX, &reached),
                events_of(ROOM, 41, 41, 1, fixture->pool));
    chat_snapshot_release(snapshot);
}

static void keeps_the_first_note(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *snapshot = make(fixture, newest_of(3, 1, HISTORY, 1, fixture->pool));
    char text[] = "first";
    const char *note;

    assert_null(chat_snapshot_note(snapshot));
    chat_snapshot_set_note(snapshot, text);
    text[0] = 'x';
    note = chat_snapshot_note(snapshot);
    assert_string_equal(note, "first");
    chat_snapshot_set_note(snapshot, "second");
    assert_ptr_equal(chat_snapshot_note(snapshot), note);
    chat_snapshot_release(snapshot);
}

static void has_no_note_of_the_one_before(void **state)
{
    const fixture_t *fixture = *state;
    chat_snapshot_t *old = make(fixture, newest_of(3, 1, HISTORY, 1, fixture->pool));
    chat_snapshot_t *next;

    chat_snapshot_set_note(old, "old");
    next = extend(fixture, old, after_of(2, 10, 4, 1, 1, fixture->pool));
    assert_ptr_not_equal(next, old);
    assert_null(chat_snapshot_note(next));
    chat_snapshot_release(next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(holds_the_newest_events_and_the_list),
        TEST(holds_a_room_that_was_never_written_to),
        TEST(holds_a_room_whose_messages_are_all_gone),
        TEST(goes_on_with_what_came_after),
        TEST(is_itself_where_nothing_came),
        TEST(leaves_out_what_is_not_kept_any_more),
        TEST(does_not_go_on_from_what_is_gone_or_another),
        TEST(keeps_a_bounded_number_of_events),
        TEST(keeps_bounded_bytes_but_all_of_the_list),
        TEST(gives_as_many_events_as_an_answer_takes),
        TEST(has_no_way_past_a_message_that_is_not_utf8),
        TEST(has_no_way_past_one_that_comes_later),
        TEST(is_whole_again_when_such_a_message_is_gone),
        TEST(lives_as_long_as_somebody_holds_it),
        TEST(bounds_the_list_in_bytes),
        TEST(leads_over_gaps),
        TEST(keeps_the_first_note),
        TEST(has_no_note_of_the_one_before),
    };

    return UNIT_RUN(tests);
}
