#include "stream_ledger.h"
#include "unit.h"

#include <stdlib.h>

#define PLACES 8

static const apr_uint64_t al[2] = {0, 0x7f000001};
static const apr_uint64_t bo[2] = {0x20010db8, 0};

static apr_status_t free_memory(void *memory)
{
    free(memory);
    return APR_SUCCESS;
}

/* Ledgers for two children, whose memory has their size and lies in no pool, so that sanitizers see
 * a step out of it. */
static stream_ledgers_t *make_ledgers(apr_pool_t *pool)
{
    stream_ledgers_t *all = apr_pcalloc(pool, sizeof(*all));

    stream_ledgers_plan(all, 2, PLACES);
    all->seed = 12345;
    all->memory = calloc(1, stream_ledgers_bytes(all));
    assert_non_null(all->memory);
    apr_pool_cleanup_register(pool, all->memory, free_memory, apr_pool_cleanup_null);
    return all;
}

static stream_ledger_t open_ledger(const stream_ledgers_t *all, apr_uint64_t owner,
                                   apr_pool_t *pool)
{
    stream_ledger_t ledger;

    stream_ledger_open(&ledger, all, owner, pool);
    return ledger;
}

static void counts_up_and_down(void **state)
{
    stream_ledgers_t *all = make_ledgers(*state);
    stream_ledger_t ledger = open_ledger(all, 1, *state);
    stream_ledger_client_t *first = stream_ledger_enter(&ledger, al);
    stream_ledger_client_t *other = stream_ledger_enter(&ledger, bo);

    assert_non_null(first);
    assert_ptr_not_equal(first, other);
    assert_ptr_equal(stream_ledger_enter(&ledger, al), first);
    assert_int_equal(stream_ledger_count(&ledger), 3);
    assert_int_equal(stream_ledger_everywhere(&ledger, first), 2);
    assert_int_equal(stream_ledger_everywhere(&ledger, other), 1);
    stream_ledger_leave(&ledger, first);
    stream_ledger_leave(&ledger, other);
    assert_int_equal(stream_ledger_count(&ledger), 1);
    assert_int_equal(stream_ledger_everywhere(&ledger, first), 1);
}

static void adds_up_what_all_children_have(void **state)
{
    stream_ledgers_t *all = make_ledgers(*state);
    stream_ledger_t one = open_ledger(all, 1, *state);
    stream_ledger_t two = open_ledger(all, 2, *state);
    stream_ledger_client_t *client = stream_ledger_enter(&one, al);

    (void)stream_ledger_enter(&two, al);
    (void)stream_ledger_enter(&two, bo);
    assert_int_equal(stream_ledger_everywhere(&one, client), 2);
    assert_int_equal(stream_ledgers_count(all), 3);
}

static void has_a_place_for_each_stream_and_no_more(void **state)
{
    stream_ledgers_t *all = make_ledgers(*state);
    stream_ledger_t ledger = open_ledger(all, 1, *state);
    stream_ledger_client_t *clients[PLACES];
    apr_uint64_t address[2] = {0, 0};
    int round;
    int i;

    for (round = 0; round < 3; round++) {
        for (i = 0; i < PLACES; i++) {
            address[1] = (apr_uint64_t)(round * 100 + i);
            clients[i] = stream_ledger_enter(&ledger, address);
            assert_non_null(clients[i]);
        }
        address[1] = 99;
        assert_null(stream_ledger_enter(&ledger, address));
        assert_int_equal(stream_ledger_count(&ledger), PLACES);
        for (i = 0; i < PLACES; i++) {
            /* In another order than they came in. */
            stream_ledger_leave(&ledger, clients[(i * 3 + round) % PLACES]);
        }
        assert_int_equal(stream_ledger_count(&ledger), 0);
    }
}

static void forgets_a_child_that_is_gone(void **state)
{
    stream_ledgers_t *all = make_ledgers(*state);
    stream_ledger_t one = open_ledger(all, 1, *state);
    stream_ledger_t two = open_ledger(all, 2, *state);
    stream_ledger_client_t *client = stream_ledger_enter(&two, al);

    (void)stream_ledger_enter(&one, al);
    stream_ledgers_forget(all, 3);
    assert_int_equal(stream_ledger_everywhere(&two, client), 2);
    stream_ledgers_forget(all, 1);
    assert_int_equal(stream_ledger_everywhere(&two, client), 1);
    assert_int_equal(stream_ledgers_count(all), 1);
    /* The next owner begins with an empty one. */
    one = open_ledger(all, 3, *state);
    assert_int_equal(stream_ledger_count(&one), 0);
    assert_int_equal(stream_ledger_everywhere(&two, client), 1);
}

static void a_child_too_many_has_a_ledger_for_itself(void **state)
{
    stream_ledgers_t *all = make_ledgers(*state);
    stream_ledger_t one = open_ledger(all, 1, *state);
    stream_ledger_t two = open_ledger(all, 2, *state);
    stream_ledger_t three = open_ledger(all, 3, *state);
    stream_ledger_client_t *client = stream_ledger_enter(&three, al);

    (void)stream_ledger_enter(&one, al);
    (void)stream_ledger_enter(&two, al);
    assert_int_equal(stream_ledger_everywhere(&three, client), 3);
    assert_int_equal(stream_ledgers_count(all), 2);
}

static void tells_others_that_it_is_full(void **state)
{
    stream_ledgers_t *all = make_ledgers(*state);
    stream_ledger_t ledger = open_ledger(all, 7, *state);

    assert_false(stream_ledgers_is_full(all, 7));
    stream_ledger_set_full(&ledger, 1);
    assert_true(stream_ledger_is_full(&ledger));
    assert_true(stream_ledgers_is_full(all, 7));
    assert_false(stream_ledgers_is_full(all, 8));
    stream_ledger_set_full(&ledger, 0);
    assert_false(stream_ledgers_is_full(all, 7));
}

/* Each child can write into all memory: nothing there may lead another out of it, or on endlessly. */
static void what_another_child_wrote_leads_nowhere(void **state)
{
    static const unsigned char values[] = {0, 1, 0x7f, 0xff};
    stream_ledgers_t *all = make_ledgers(*state);
    apr_size_t page = stream_ledgers_bytes(all) / 2;
    stream_ledger_t one = open_ledger(all, 1, *state);
    stream_ledger_client_t *client = stream_ledger_enter(&one, al);
    int i;

    (void)open_ledger(all, 2, *state);
    for (i = 0; i < COUNT_OF(values); i++) {
        memset(all->memory + page, values[i], page);
        (void)stream_ledger_everywhere(&one, client);
        (void)stream_ledgers_count(all);
        (void)stream_ledgers_is_full(all, 2);
    }
    /* Its own too: the count is wrong then, and the ledger may be full. */
    for (i = 0; i < COUNT_OF(values); i++) {
        stream_ledger_client_t *found;

        stream_ledgers_forget(all, 1);
        one = open_ledger(all, 1, *state);
        memset(all->memory + 24, values[i], page - 24);
        found = stream_ledger_enter(&one, al);
        if (found) {
            stream_ledger_leave(&one, found);
        }
    }
}

static void nothing_is_mapped_where_there_is_no_memory(void **state)
{
    stream_ledgers_t all = {NULL, 0, 0, 0, 0};

    stream_ledgers_forget(&all, 1);
    assert_int_equal(stream_ledgers_count(&all), 0);
    assert_false(stream_ledgers_is_full(&all, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(counts_up_and_down),
        POOL_TEST(adds_up_what_all_children_have),
        POOL_TEST(has_a_place_for_each_stream_and_no_more),
        POOL_TEST(forgets_a_child_that_is_gone),
        POOL_TEST(a_child_too_many_has_a_ledger_for_itself),
        POOL_TEST(tells_others_that_it_is_full),
        POOL_TEST(what_another_child_wrote_leads_nowhere),
        POOL_TEST(nothing_is_mapped_where_there_is_no_memory),
    };

    return UNIT_RUN(tests);
}
