#include "publish_room.h"
#include "unit.h"

#define MAX 10

/* Add an event whose message id is its event id and 100. */
static void add(publish_room_t *room, apr_int64_t event_id, const char *text)
{
    assert_int_equal(publish_room_add(room, event_id + 100, event_id, gc_slice_of(text), MAX),
                     APR_SUCCESS);
}

static void assert_item(const publish_item_t *item, apr_int64_t prev_id, apr_int64_t id,
                        const char *content)
{
    assert_non_null(item);
    assert_int_equal(item->prev_id, prev_id);
    assert_int_equal(item->id, id);
    assert_int_equal(item->first_message_id, prev_id + 101);
    assert_slice_equal(gc_slice(item->content, item->len), content);
}

static publish_room_t *make(void)
{
    publish_room_t *room = publish_room_create("caf\xc3\xa9", "events-room-caf%C3%A9", 7);

    assert_non_null(room);
    return room;
}

static void starts_with_nothing_to_do(void **state)
{
    char name[] = "a";
    char channel[] = "c";
    publish_room_t *room = publish_room_create(name, channel, 9);

    assert_non_null(room);
    name[0] = channel[0] = 'x'; /* it has copies of its own */
    assert_string_equal(room->name, "a");
    assert_string_equal(room->channel, "c");
    assert_int_equal(room->tag, 9);
    assert_null(room->first);
    assert_int_equal(room->is_dirty | room->is_queued | room->is_sending, 0);
    assert_true(room->hint_due == 0 && room->unpublished_id == 0);
    publish_room_free(room);
}

static void gathers_consecutive_events_in_one_item(void **state)
{
    publish_room_t *room = make();

    add(room, 5, "e5;");
    add(room, 6, "e6;");
    add(room, 7, "e7;");
    assert_item(room->first, 4, 7, "e5;e6;e7;");
    assert_null(room->first->next);
    assert_int_equal(room->pending_bytes, 9);
    publish_room_free(room);
}

/* A proxy takes prev-id for what its readers have: an item must not hide a gap. */
static void starts_an_item_where_events_are_not_consecutive(void **state)
{
    publish_room_t *room = make();

    add(room, 5, "e5;");
    add(room, 7, "e7;");
    add(room, 10, "e10;");
    assert_item(room->first, 4, 5, "e5;");
    assert_item(room->first->next, 6, 7, "e7;");
    assert_item(room->first->next->next, 9, 10, "e10;");
    assert_null(room->first->next->next->next);
    assert_int_equal(room->pending_bytes, 10);
    publish_room_free(room);
}

/* A room that was changed by hand gives out positions again. */
static void takes_no_event_that_is_not_behind_the_others(void **state)
{
    publish_room_t *room = make();

    add(room, 5, "e5;");
    assert_int_equal(publish_room_add(room, 106, 5, gc_slice_of("e;"), MAX), APR_EINVAL);
    publish_room_send_first(room);
    assert_int_equal(publish_room_add(room, 107, 1, gc_slice_of("e;"), MAX), APR_EINVAL);
    assert_null(room->first);
    assert_int_equal(room->pending_bytes, 3);
    add(room, 6, "e6;");
    publish_room_free(room);
}

static void fills_an_item_up_to_the_limit_and_no_further(void **state)
{
    publish_room_t *room = make();

    add(room, 1, "12345");
    add(room, 2, "67890");
    add(room, 3, "x");
    assert_item(room->first, 0, 2, "1234567890");
    assert_item(room->first->next, 2, 3, "x");
    publish_room_free(room);
}

static void sends_an_event_beyond_the_limit_alone(void **state)
{
    publish_room_t *room = make();

    add(room, 1, "a");
    add(room, 2, "a long event");
    add(room, 3, "b");
    assert_item(room->first, 0, 1, "a");
    assert_item(room->first->next, 1, 2, "a long event");
    assert_item(room->first->next->next, 2, 3, "b");
    publish_room_free(room);
}

static void counts_what_is_sent_until_it_is_dropped(void **state)
{
    publish_room_t *room = make();

    add(room, 1, "1234567890");
    add(room, 2, "abc");
    publish_room_send_first(room);
    assert_int_equal(room->pending_bytes, 13);
    assert_item(room->first, 1, 2, "abc");
    assert_item(room->sent_first, 0, 1, "1234567890");
    assert_int_equal(publish_room_drop_sent(room), 10);
    assert_int_equal(room->pending_bytes, 3);
    assert_null(room->sent_first);
    assert_int_equal(publish_room_drop_sent(room), 0);
    publish_room_send_first(room);
    assert_int_equal(publish_room_drop_sent(room), 3);
    assert_int_equal(room->pending_bytes, 0);
    add(room, 3, "next");
    assert_item(room->first, 2, 3, "next");
    publish_room_free(room);
}

/* An item on its way must not change any more. */
static void adds_nothing_to_an_item_that_was_sent(void **state)
{
    publish_room_t *room = make();

    add(room, 1, "a");
    publish_room_send_first(room);
    add(room, 2, "b");
    assert_item(room->sent_first, 0, 1, "a");
    assert_item(room->first, 1, 2, "b");
    publish_room_free(room);
}

static void takes_back_in_the_old_order_before_what_came_meanwhile(void **state)
{
    publish_room_t *room = make();

    add(room, 1, "1234567890");
    add(room, 2, "abcdefghij");
    publish_room_send_first(room);
    publish_room_send_first(room);
    publish_room_take_back(room);
    assert_null(room->sent_first);
    assert_ptr_equal(room->last, room->first->next);
    publish_room_send_first(room);
    add(room, 3, "new");
    publish_room_take_back(room);
    publish_room_take_back(room);
    assert_item(room->first, 0, 1, "1234567890");
    assert_item(room->first->next, 1, 2, "abcdefghij");
    assert_item(room->first->next->next, 2, 3, "new");
    assert_ptr_equal(room->last, room->first->next->next);
    add(room, 4, "er");
    assert_item(room->last, 2, 4, "newer");
    assert_int_equal(room->pending_bytes, 25);
    publish_room_free(room);
}

static void drops_all_that_waits_and_all_that_was_sent(void **state)
{
    publish_room_t *room = make();

    assert_int_equal(publish_room_drop_all(room), 0);
    add(room, 1, "1234567890");
    add(room, 2, "abc");
    publish_room_send_first(room);
    assert_int_equal(publish_room_drop_all(room), 13);
    assert_int_equal(room->pending_bytes, 0);
    assert_null(room->first);
    assert_null(room->last);
    assert_null(room->sent_first);
    add(room, 7, "x");
    assert_item(room->first, 6, 7, "x");
    publish_room_free(room);
}

static void grows_an_item_event_by_event(void **state)
{
    publish_room_t *room = make();
    apr_int64_t i;

    for (i = 1; i <= 5000; i++) {
        assert_int_equal(publish_room_add(room, i, i, gc_slice_of("0123456789"), 64 * 1024),
                         APR_SUCCESS);
    }
    assert_int_equal(room->pending_bytes, 50000);
    assert_null(room->first->next);
    assert_int_equal(room->first->len, 50000);
    assert_memory_equal(room->first->content + 49990, "0123456789", 10);
    publish_room_free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_with_nothing_to_do),
        cmocka_unit_test(gathers_consecutive_events_in_one_item),
        cmocka_unit_test(starts_an_item_where_events_are_not_consecutive),
        cmocka_unit_test(takes_no_event_that_is_not_behind_the_others),
        cmocka_unit_test(fills_an_item_up_to_the_limit_and_no_further),
        cmocka_unit_test(sends_an_event_beyond_the_limit_alone),
        cmocka_unit_test(counts_what_is_sent_until_it_is_dropped),
        cmocka_unit_test(adds_nothing_to_an_item_that_was_sent),
        cmocka_unit_test(takes_back_in_the_old_order_before_what_came_meanwhile),
        cmocka_unit_test(drops_all_that_waits_and_all_that_was_sent),
        cmocka_unit_test(grows_an_item_event_by_event),
    };

    return UNIT_RUN(tests);
}
