/* A list that is made for itself: what a snapshot of the same page says and has, in every case that there is. */
#include "chat_list.h"
#include "snapshot_fixture.h"

#define ROOM  "a b"
#define COUNT 12

/* Both must be the same, whatever the bounds; whether there is a list at all. */
static int check_same(const chat_page_t *page, int history, apr_size_t list_bytes, apr_pool_t *pool)
{
    chat_account_t *account = chat_account_create();
    chat_snapshot_spec_t spec = {gc_slice_of(ROOM), history, list_bytes, account};
    char etag[CHAT_LIST_ETAG_SIZE];
    chat_standing_t standing;
    const chat_standing_t *wanted;
    chat_snapshot_t *snapshot;
    chat_block_t *list;
    int has_list;

    assert_int_equal(chat_snapshot_make(&snapshot, &spec, page, pool), APR_SUCCESS);
    assert_int_equal(chat_list_make(&list, &standing, &spec, page, pool), APR_SUCCESS);
    chat_list_etag(etag, &standing);
    assert_string_equal(etag, chat_snapshot_etag(snapshot));
    wanted = chat_snapshot_standing(snapshot);
    assert_int_equal(standing.last_event_id, wanted->last_event_id);
    assert_int_equal(standing.first_kept_event_id, wanted->first_kept_event_id);
    assert_int_equal(standing.newest_event_id, wanted->newest_event_id);
    assert_int_equal(standing.base_event_id, wanted->base_event_id);
    assert_int_equal(standing.listed, wanted->listed);
    assert_int_equal(standing.listed_from, wanted->listed_from);
    assert_int_equal(standing.has_older, wanted->has_older);
    has_list = list != NULL;
    assert_int_equal(has_list, chat_snapshot_list(snapshot) != NULL);
    if (list) {
        gc_slice_t text = chat_block_text(list);
        gc_slice_t other = chat_block_text(chat_snapshot_list(snapshot));

        assert_int_equal(text.len, other.len);
        assert_memory_equal(text.data, other.data, text.len);
    }
    chat_block_release(list);
    chat_snapshot_release(snapshot);
    assert_int_equal(chat_account_bytes(account), 0);
    chat_account_release(account);
    return has_list;
}

/* A page of long and short texts, some of which take more bytes in JSON; one may be broken. */
static chat_page_t page_with(int count, int broken, apr_int64_t first_kept, int has_more,
                             apr_pool_t *pool)
{
    chat_page_t page = page_of(100, 100 - count + 1, 100, first_kept, 1, pool);
    int i;

    for (i = 0; i < count; i++) {
        const char *text = apr_psprintf(pool, "%d \"\\\t\xc3\xa9 %*s", i, i % 3 ? 5 : 700, "x");

        page.events[i].payload = gc_slice_of(i == broken ? "\xff" : text);
        page.events[i].key = gc_slice_of(i % 2 ? "key" : "");
    }
    page.has_more = has_more;
    return page;
}

static void is_what_a_snapshot_has(void **state)
{
    static const apr_size_t bounds[] = {1024, 1100, 1500, 2500, 3300, 65536};
    int lists = 0;
    int cases = 0;
    int count, broken, kept, history, more;
    unsigned b;

    for (count = 0; count <= COUNT; count += 3) {
        for (broken = -1; broken < count; broken++) {
            for (kept = 85; kept <= 101; kept += 4) {
                apr_pool_t *pool;

                assert_int_equal(apr_pool_create(&pool, *state), APR_SUCCESS);
                for (more = 0; more < 2; more++) {
                    chat_page_t page =
                        count ? page_with(count, broken, kept, more, pool)
                              : (chat_page_t){.last_event_id = 100, .first_kept_event_id = kept};

                    for (history = 1; history <= COUNT; history += 2) {
                        for (b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++) {
                            lists += check_same(&page, history, bounds[b], pool);
                            cases++;
                        }
                    }
                }
                apr_pool_destroy(pool);
            }
        }
    }
    assert_true(lists > cases / 2 && lists < cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(is_what_a_snapshot_has),
    };

    return UNIT_RUN(tests);
}
