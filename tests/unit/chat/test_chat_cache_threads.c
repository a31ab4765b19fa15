/* Many threads read a few rooms while messages are stored and deleted, and rooms are pushed out.
 * Each answer is whole, and none lacks a message that was stored before the call. */
#include "cache_fixture.h"

#define THREADS 8
#define ROOMS   6
#define ROUNDS  3000

typedef struct fixture_t {
    chat_cache_t *cache;
    stored_t *rooms[ROOMS];
    int is_over;
    int wrong; /* how many answers were not as they should be */
} fixture_t;

static const char *name_of(int room)
{
    static const char names[ROOMS][2] = {"a", "b", "c", "d", "e", "f"};

    return names[room];
}

/* Whether the answer has the messages that its own standing promises. */
static int is_right(const chat_snapshot_t *snapshot, const char *name, apr_int64_t acknowledged,
                    apr_pool_t *pool)
{
    const chat_standing_t *standing = chat_snapshot_standing(snapshot);
    gc_slice_t events = chat_block_text(chat_snapshot_events(snapshot));
    gc_slice_t list = chat_block_text(chat_snapshot_list(snapshot));
    apr_int64_t from = standing->last_event_id - 3;
    apr_int64_t reached;
    gc_slice_t newest = chat_snapshot_events_after(snapshot, from, APR_INT64_MAX, &reached);

    return standing->last_event_id >= acknowledged && reached == standing->last_event_id &&
           newest.data >= events.data && newest.data + newest.len == events.data + events.len &&
           gc_slice_equal(newest, events_of(name, from + 1, reached, 1, pool)) &&
           gc_slice_equal(list, list_of(name,
                                        newest_of(standing->last_event_id,
                                                  standing->first_kept_event_id, HISTORY, 1, pool),
                                        pool));
}

static void *APR_THREAD_FUNC run_reader(apr_thread_t *thread, void *data)
{
    fixture_t *fixture = data;
    apr_pool_t *pool;
    int i;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        __atomic_add_fetch(&fixture->wrong, 1, __ATOMIC_SEQ_CST);
        return NULL;
    }
    for (i = 0; i < ROUNDS; i++) {
        stored_t *stored = fixture->rooms[i % ROOMS];
        apr_int64_t acknowledged = __atomic_load_n(&stored->acknowledged, __ATOMIC_SEQ_CST);
        chat_snapshot_t *snapshot;

        if (get_from(fixture->cache, "site", name_of(i % ROOMS), stored, &snapshot) != APR_SUCCESS)
        {
            __atomic_add_fetch(&fixture->wrong, 1, __ATOMIC_SEQ_CST);
            continue;
        }
        if (!is_right(snapshot, name_of(i % ROOMS), acknowledged, pool)) {
            __atomic_add_fetch(&fixture->wrong, 1, __ATOMIC_SEQ_CST);
        }
        chat_snapshot_release(snapshot);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void *APR_THREAD_FUNC run_keeper(apr_thread_t *thread, void *data)
{
    fixture_t *fixture = data;
    int i;

    for (i = 0; !__atomic_load_n(&fixture->is_over, __ATOMIC_SEQ_CST); i++) {
        stored_t *stored = fixture->rooms[i % ROOMS];

        append(stored, 1);
        if (i % 50 == 0) {
            apr_thread_mutex_lock(stored->mutex);
            stored->first_kept = stored->last - 20;
            apr_thread_mutex_unlock(stored->mutex);
            append(stored, 0);
        }
        if (i % 500 == 0) {
            __atomic_add_fetch(&stored->version.epoch, 1, __ATOMIC_SEQ_CST);
        }
        apr_sleep(20);
    }
    return NULL;
}

static void answers_are_whole_whatever_else_goes_on(void **state)
{
    fixture_t fixture = {NULL};
    apr_thread_t *threads[THREADS];
    apr_thread_t *keeper;
    apr_pool_t *pool;
    apr_status_t rv;
    int i;

    assert_int_equal(apr_pool_create(&pool, *state), APR_SUCCESS);
    assert_int_equal(chat_cache_create(&fixture.cache, 64 * 1024, pool), APR_SUCCESS);
    for (i = 0; i < ROOMS; i++) {
        fixture.rooms[i] = store(40, pool);
    }
    assert_int_equal(apr_thread_create(&keeper, NULL, run_keeper, &fixture, pool), APR_SUCCESS);
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, run_reader, &fixture, pool),
                         APR_SUCCESS);
    }
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_join(&rv, threads[i]), APR_SUCCESS);
    }
    __atomic_store_n(&fixture.is_over, 1, __ATOMIC_SEQ_CST);
    assert_int_equal(apr_thread_join(&rv, keeper), APR_SUCCESS);
    assert_int_equal(fixture.wrong, 0);
    assert_true(chat_cache_stats(fixture.cache).bytes <= 64 * 1024);
    assert_true(chat_cache_stats(fixture.cache).hits > 0);
    apr_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(answers_are_whole_whatever_else_goes_on),
    };

    return UNIT_RUN(tests);
}
