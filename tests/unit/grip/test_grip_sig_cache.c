#include "grip_sig_cache.h"

#include <apr_thread_proc.h>

#include "gc_b64url.h"
#include "grip_vectors.h"
#include "unit.h"

#define EXP_OF_TOKENS 1800000000
#define END           (apr_time_from_sec(EXP_OF_TOKENS) + GRIP_JWS_SKEW)
#define NOW           apr_time_from_sec(EXP_OF_TOKENS - 100)
#define PUSHPIN       "http://127.0.0.1:5561/?key=changeme"
#define OTHER         "http://127.0.0.1:5562/?key=other"
#define KEYLESS       "http://127.0.0.1:5563/"
#define THREADS       8
#define ROUNDS        2000

static const grip_proxy_t *proxy_of(const char *url, const char *verify_key, apr_pool_t *pool)
{
    const grip_proxy_t *proxy;
    const char *why = "";

    if (grip_url_parse(&proxy, &why, url, verify_key, pool) != APR_SUCCESS) {
        fail_msg("%s", why);
    }
    return proxy;
}

static grip_sig_cache_t *cache_of(const grip_proxy_t *proxy, apr_pool_t *pool)
{
    const grip_proxy_t **proxies = apr_palloc(pool, sizeof(proxy));
    grip_sig_cache_t *cache;

    proxies[0] = proxy;
    assert_int_equal(grip_sig_cache_create(&cache, proxies, 1, pool), APR_SUCCESS);
    return cache;
}

static grip_sig_verdict_e verdict_of(grip_sig_cache_t *cache, gc_slice_t token, apr_time_t now,
                                     apr_pool_t *pool)
{
    grip_sig_t sig = {GRIP_SIG_ABSENT, NULL, -1};

    assert_int_equal(grip_sig_cache_check(cache, &sig, token, now, pool), APR_SUCCESS);
    return sig.verdict;
}

static void assert_stats(grip_sig_cache_t *cache, apr_uint64_t hits, apr_uint64_t misses)
{
    grip_sig_cache_stats_t stats = grip_sig_cache_stats(cache);

    assert_int_equal(stats.hits, hits);
    assert_int_equal(stats.misses, misses);
}

/* A token with claims of one's own, signed by the key of PUSHPIN. */
static gc_slice_t signed_with(const char *claims, apr_pool_t *pool)
{
    unsigned char code[GRIP_CRYPTO_HMAC_BYTES];
    const char *text = apr_pstrcat(pool, gc_b64url_encode(gc_slice_of("{\"alg\":\"HS256\"}"), pool),
                                   ".", gc_b64url_encode(gc_slice_of(claims), pool), NULL);

    assert_int_equal(grip_crypto_hmac_sha256(code, gc_slice_of("changeme"), gc_slice_of(text)),
                     APR_SUCCESS);
    return gc_slice_of(apr_pstrcat(
        pool, text, ".", gc_b64url_encode(gc_slice((const char *)code, sizeof(code)), pool), NULL));
}

static gc_slice_t numbered(int number, apr_pool_t *pool)
{
    return signed_with(apr_psprintf(pool, "{\"exp\":%d,\"n\":%d}", EXP_OF_TOKENS, number), pool);
}

static gc_slice_t of_length(apr_size_t len, apr_pool_t *pool)
{
    gc_slice_t token = {NULL, 0};
    int fill;

    for (fill = 0; token.len < len; fill++) {
        token = signed_with(
            apr_psprintf(pool, "{\"exp\":%d,\"p\":\"%0*d\"}", EXP_OF_TOKENS, fill, 0), pool);
    }
    assert_int_equal(token.len, len);
    return token;
}

static void what_was_verified_is_answered_from_memory_alike(void **state)
{
    const grip_proxy_t *proxy = proxy_of("http://127.0.0.1:5561/?key=x", PEM_EC, *state);
    grip_sig_cache_t *cache = cache_of(proxy, *state);
    int i;

    for (i = 0; i < 3; i++) {
        grip_sig_t sig;

        assert_int_equal(
            grip_sig_cache_check(cache, &sig, gc_slice_of(" " TOKEN_ES256), NOW + i, *state),
            APR_SUCCESS);
        assert_int_equal(sig.verdict, GRIP_SIG_VALID);
        assert_ptr_equal(sig.proxy, proxy);
        assert_int_equal(sig.good_until, END);
    }
    assert_stats(cache, 2, 1);
}

static void a_changed_byte_anywhere_is_not_what_was_verified(void **state)
{
    grip_sig_cache_t *cache =
        cache_of(proxy_of("http://127.0.0.1:5561/?key=x", PEM_EC, *state), *state);
    char token[] = TOKEN_ES256;
    apr_size_t i;

    assert_int_equal(verdict_of(cache, gc_slice_of(token), NOW, *state), GRIP_SIG_VALID);
    for (i = 0; i < sizeof(token) - 1; i++) {
        token[i] ^= 1;
        assert_int_equal(verdict_of(cache, gc_slice_of(token), NOW, *state), GRIP_SIG_INVALID);
        token[i] ^= 1;
        assert_int_equal(verdict_of(cache, gc_slice(token, i), NOW, *state),
                         i == 0 ? GRIP_SIG_ABSENT : GRIP_SIG_INVALID);
    }
    assert_stats(cache, 0, 1 + (sizeof(token) - 1) + (sizeof(token) - 2));
    assert_int_equal(verdict_of(cache, gc_slice_of(token), NOW, *state), GRIP_SIG_VALID);
    assert_int_equal(grip_sig_cache_stats(cache).hits, 1);
}

static void it_ends_in_the_microsecond_in_which_a_check_would_end_it(void **state)
{
    grip_sig_cache_t *cache = cache_of(proxy_of(PUSHPIN, NULL, *state), *state);
    gc_slice_t token = gc_slice_of(TOKEN_HS256);

    assert_int_equal(verdict_of(cache, token, NOW, *state), GRIP_SIG_VALID);
    assert_int_equal(verdict_of(cache, token, END - 1, *state), GRIP_SIG_VALID);
    assert_stats(cache, 1, 1);
    assert_int_equal(verdict_of(cache, token, END, *state), GRIP_SIG_EXPIRED);
    assert_int_equal(verdict_of(cache, token, END, *state), GRIP_SIG_EXPIRED);
    assert_stats(cache, 1, 3);
}

static void a_clock_that_is_set_back_meets_nbf_again(void **state)
{
    grip_sig_cache_t *cache = cache_of(proxy_of(PUSHPIN, NULL, *state), *state);
    gc_slice_t token = signed_with(
        apr_psprintf(*state, "{\"exp\":%d,\"nbf\":%d}", EXP_OF_TOKENS, EXP_OF_TOKENS - 100),
        *state);

    assert_int_equal(verdict_of(cache, token, NOW, *state), GRIP_SIG_VALID);
    assert_int_equal(verdict_of(cache, token, NOW - GRIP_JWS_SKEW, *state), GRIP_SIG_VALID);
    assert_int_equal(verdict_of(cache, token, NOW - GRIP_JWS_SKEW - 1, *state), GRIP_SIG_INVALID);
    assert_stats(cache, 0, 3);
    assert_int_equal(verdict_of(cache, token, NOW - 1, *state), GRIP_SIG_VALID);
    assert_stats(cache, 1, 3);
}

static void other_keys_have_another_cache(void **state)
{
    grip_sig_cache_t *ours = cache_of(proxy_of(PUSHPIN, NULL, *state), *state);
    grip_sig_cache_t *other = cache_of(proxy_of(OTHER, NULL, *state), *state);
    grip_sig_cache_t *issuer = cache_of(proxy_of(PUSHPIN "&verify-iss=else", NULL, *state), *state);
    gc_slice_t token = gc_slice_of(TOKEN_HS256);

    assert_int_equal(verdict_of(ours, token, NOW, *state), GRIP_SIG_VALID);
    assert_int_equal(verdict_of(other, token, NOW, *state), GRIP_SIG_INVALID);
    assert_int_equal(verdict_of(issuer, token, NOW, *state), GRIP_SIG_INVALID);
    assert_stats(other, 0, 1);
}

static void only_what_is_valid_is_kept(void **state)
{
    grip_sig_cache_t *cache = cache_of(proxy_of(OTHER, NULL, *state), *state);
    grip_sig_cache_t *keyless = cache_of(proxy_of(KEYLESS, NULL, *state), *state);
    int i;

    for (i = 0; i < 2; i++) {
        assert_int_equal(verdict_of(cache, gc_slice_of(TOKEN_HS256), NOW, *state),
                         GRIP_SIG_INVALID);
        assert_int_equal(verdict_of(keyless, gc_slice_of("anything"), NOW, *state),
                         GRIP_SIG_UNCHECKED_ACCEPTED);
    }
    assert_stats(cache, 0, 2);
    assert_stats(keyless, 0, 2);
}

static void a_token_that_is_too_long_is_verified_each_time(void **state)
{
    grip_sig_cache_t *cache = cache_of(proxy_of(PUSHPIN, NULL, *state), *state);
    gc_slice_t longest = of_length(GRIP_SIG_CACHE_TOKEN_MAX, *state);
    gc_slice_t longer = of_length(GRIP_SIG_CACHE_TOKEN_MAX + 1, *state);
    int i;

    for (i = 0; i < 2; i++) {
        assert_int_equal(verdict_of(cache, longest, NOW, *state), GRIP_SIG_VALID);
        assert_int_equal(verdict_of(cache, longer, NOW, *state), GRIP_SIG_VALID);
    }
    assert_stats(cache, 1, 1);
}

static void many_tokens_push_out_what_was_used_longest_ago(void **state)
{
    grip_sig_cache_t *cache = cache_of(proxy_of(PUSHPIN, NULL, *state), *state);
    gc_slice_t busy = gc_slice_of(TOKEN_HS256);
    apr_uint64_t before;
    int i;

    assert_int_equal(verdict_of(cache, busy, NOW, *state), GRIP_SIG_VALID);
    for (i = 0; i < 20 * GRIP_SIG_CACHE_ENTRIES; i++) {
        assert_int_equal(verdict_of(cache, numbered(i, *state), NOW, *state), GRIP_SIG_VALID);
        assert_int_equal(verdict_of(cache, busy, NOW, *state), GRIP_SIG_VALID);
    }
    assert_int_equal(grip_sig_cache_stats(cache).hits, 20 * GRIP_SIG_CACHE_ENTRIES);
    before = grip_sig_cache_stats(cache).hits;
    for (i = 20 * GRIP_SIG_CACHE_ENTRIES - 1; i >= 0; i--) {
        assert_int_equal(verdict_of(cache, numbered(i, *state), NOW, *state), GRIP_SIG_VALID);
    }
    assert_in_range(grip_sig_cache_stats(cache).hits - before, 1, GRIP_SIG_CACHE_ENTRIES);
}

typedef struct fixture_t {
    grip_sig_cache_t *cache;
    int wrong;
} fixture_t;

/* Valid tokens, more than are kept, and each of them spoiled. */
static void *APR_THREAD_FUNC run_asker(apr_thread_t *thread, void *data)
{
    fixture_t *fixture = data;
    apr_pool_t *pool;
    int i;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        __atomic_add_fetch(&fixture->wrong, 1, __ATOMIC_SEQ_CST);
        return NULL;
    }
    for (i = 0; i < ROUNDS; i++) {
        gc_slice_t token = numbered(i % (i % 3 ? 5 : 2 * GRIP_SIG_CACHE_ENTRIES), pool);
        char *spoiled = gc_slice_dup(token, pool);
        grip_sig_t sig;

        spoiled[token.len - 2] ^= 1;
        if (grip_sig_cache_check(fixture->cache, &sig, token, NOW + i, pool) != APR_SUCCESS ||
            sig.verdict != GRIP_SIG_VALID || sig.good_until != END)
        {
            __atomic_add_fetch(&fixture->wrong, 1, __ATOMIC_SEQ_CST);
        }
        if (grip_sig_cache_check(fixture->cache, &sig, gc_slice_of(spoiled), NOW, pool) !=
                APR_SUCCESS ||
            sig.verdict != GRIP_SIG_INVALID)
        {
            __atomic_add_fetch(&fixture->wrong, 1, __ATOMIC_SEQ_CST);
        }
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void threads_get_the_same_answers(void **state)
{
    fixture_t fixture = {cache_of(proxy_of(PUSHPIN, NULL, *state), *state), 0};
    apr_thread_t *threads[THREADS];
    grip_sig_cache_stats_t stats;
    apr_status_t rv;
    int i;

    for (i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, run_asker, &fixture, *state),
                         APR_SUCCESS);
    }
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_join(&rv, threads[i]), APR_SUCCESS);
    }
    stats = grip_sig_cache_stats(fixture.cache);
    assert_int_equal(fixture.wrong, 0);
    assert_int_equal(stats.hits + stats.misses, 2 * THREADS * ROUNDS);
    assert_true(stats.hits > THREADS * ROUNDS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(what_was_verified_is_answered_from_memory_alike),
        POOL_TEST(a_changed_byte_anywhere_is_not_what_was_verified),
        POOL_TEST(it_ends_in_the_microsecond_in_which_a_check_would_end_it),
        POOL_TEST(a_clock_that_is_set_back_meets_nbf_again),
        POOL_TEST(other_keys_have_another_cache),
        POOL_TEST(only_what_is_valid_is_kept),
        POOL_TEST(a_token_that_is_too_long_is_verified_each_time),
        POOL_TEST(many_tokens_push_out_what_was_used_longest_ago),
        POOL_TEST(threads_get_the_same_answers),
    };

    return UNIT_RUN(tests);
}
