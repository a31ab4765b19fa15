/* Which tags of lists are known, and for how long. */
#include "chat_tags.h"
#include "unit.h"

static chat_tags_t *make(apr_pool_t *pool)
{
    chat_tags_t *tags;

    assert_int_equal(chat_tags_create(&tags, pool), APR_SUCCESS);
    return tags;
}

static void keep(chat_tags_t *tags, const char *room, apr_int64_t before, chat_version_t version,
                 apr_int64_t last)
{
    chat_standing_t standing = {.last_event_id = last};

    chat_tags_keep(tags, room, before, version, &standing);
}

/* The last position that is known of a list, -1 where nothing is. */
static apr_int64_t find(chat_tags_t *tags, const char *room, apr_int64_t before,
                        chat_version_t version)
{
    chat_standing_t standing = {.last_event_id = -1};
    int is_known = chat_tags_find(tags, room, before, version, &standing);

    assert_int_equal(is_known, standing.last_event_id != -1);
    return standing.last_event_id;
}

static void are_known_for_one_position_of_one_room_at_one_version(void **state)
{
    chat_tags_t *tags = make(*state);
    chat_version_t now = {3, 7};
    chat_version_t posted = {3, 8};
    chat_version_t changed = {4, 7};

    assert_int_equal(find(tags, "a", 5, now), -1);
    keep(tags, "a", 5, now, 4);
    assert_int_equal(find(tags, "a", 5, now), 4);
    assert_int_equal(find(tags, "a", 6, now), -1);
    assert_int_equal(find(tags, "b", 5, now), -1);
    assert_int_equal(find(tags, "a", 5, posted), -1);
    assert_int_equal(find(tags, "a", 5, changed), -1);
    keep(tags, "a", 5, posted, 3);
    assert_int_equal(find(tags, "a", 5, posted), 3);
    assert_int_equal(find(tags, "a", 5, now), -1);
}

static void are_as_many_as_there_is_room_for(void **state)
{
    chat_tags_t *tags = make(*state);
    chat_version_t now = {1, 1};
    const char *longest = apr_psprintf(*state, "%*s", 4 * CHAT_ROOM_MAX_CHARS, "x");
    const char *longer = apr_psprintf(*state, "%*s", 4 * CHAT_ROOM_MAX_CHARS + 1, "x");
    int known = 0;
    int i;

    for (i = 0; i < 10 * CHAT_TAGS_MAX; i++) {
        keep(tags, "a", i, now, i);
    }
    for (i = 0; i < 10 * CHAT_TAGS_MAX; i++) {
        apr_int64_t last = find(tags, "a", i, now);

        assert_true(last == i || last == -1);
        known += last == i;
    }
    assert_in_range(known, 1, CHAT_TAGS_MAX);
    keep(tags, longest, 1, now, 1);
    assert_int_equal(find(tags, longest, 1, now), 1);
    keep(tags, longer, 1, now, 1);
    assert_int_equal(find(tags, longer, 1, now), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(are_known_for_one_position_of_one_room_at_one_version),
        POOL_TEST(are_as_many_as_there_is_room_for),
    };

    return UNIT_RUN(tests);
}
