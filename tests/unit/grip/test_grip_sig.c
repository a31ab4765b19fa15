#include "grip_sig.h"
#include "grip_vectors.h"
#include "unit.h"

#define EXP_OF_TOKENS 1800000000
#define NOW           apr_time_from_sec(EXP_OF_TOKENS - 100)
#define PUSHPIN       "http://127.0.0.1:5561/?key=changeme"
#define OTHER         "http://127.0.0.1:5562/?key=other"
#define KEYLESS       "http://127.0.0.1:5563/"
#define PROXIES_MAX   4

/* Check a header by the proxies of a list of URLs that ends with NULL; proxies[] gets them. */
static grip_sig_t check_at(const char *header, const char *const *urls,
                           const grip_proxy_t **proxies, apr_time_t now, apr_pool_t *pool)
{
    grip_sig_t sig = {GRIP_SIG_VALID, NULL, -1};
    apr_size_t count = 0;
    const char *why = "";

    for (; urls[count]; count++) {
        assert_true(count < PROXIES_MAX);
        if (grip_url_parse(&proxies[count], &why, urls[count], NULL, pool) != APR_SUCCESS) {
            fail_msg("%s", why);
        }
    }
    assert_int_equal(grip_sig_check(&sig, proxies, count, gc_slice_of(header), now, pool),
                     APR_SUCCESS);
    return sig;
}

static grip_sig_verdict_e verdict_of(const char *header, const char *first, const char *second,
                                     apr_pool_t *pool)
{
    const char *const urls[] = {first, second, NULL};
    const grip_proxy_t *proxies[PROXIES_MAX];

    return check_at(header, urls, proxies, NOW, pool).verdict;
}

static void no_header_and_an_empty_one_are_a_client_of_our_own(void **state)
{
    assert_int_equal(verdict_of(NULL, PUSHPIN, NULL, *state), GRIP_SIG_ABSENT);
    assert_int_equal(verdict_of("", PUSHPIN, NULL, *state), GRIP_SIG_ABSENT);
    assert_int_equal(verdict_of(" \t", PUSHPIN, NULL, *state), GRIP_SIG_ABSENT);
    assert_int_equal(verdict_of("", KEYLESS, NULL, *state), GRIP_SIG_ABSENT);
    assert_int_equal(verdict_of("", NULL, NULL, *state), GRIP_SIG_ABSENT);
}

static void any_proxy_may_have_signed_it(void **state)
{
    const char *const urls[] = {KEYLESS, OTHER, PUSHPIN, NULL};
    const char *const same_key[] = {PUSHPIN, PUSHPIN, NULL};
    const grip_proxy_t *proxies[PROXIES_MAX];
    grip_sig_t sig = check_at(TOKEN_HS256, urls, proxies, NOW, *state);

    assert_int_equal(sig.verdict, GRIP_SIG_VALID);
    assert_ptr_equal(sig.proxy, proxies[2]);
    assert_int_equal(sig.good_until, apr_time_from_sec(EXP_OF_TOKENS) + GRIP_JWS_SKEW);
    assert_int_equal(verdict_of(TOKEN_HS256, PUSHPIN, OTHER, *state), GRIP_SIG_VALID);
    sig = check_at(TOKEN_HS256, same_key, proxies, NOW, *state);
    assert_ptr_equal(sig.proxy, proxies[0]);
    assert_int_equal(verdict_of(" " TOKEN_HS256 " ", PUSHPIN, NULL, *state), GRIP_SIG_VALID);
}

static void takes_what_pushpin_sends(void **state)
{
    const char *const urls[] = {PUSHPIN "&verify-iss=pushpin", NULL};
    const grip_proxy_t *proxies[PROXIES_MAX];
    grip_sig_t sig =
        check_at(TOKEN_PUSHPIN, urls, proxies, apr_time_from_sec(1795567416 - 3600), *state);

    assert_int_equal(sig.verdict, GRIP_SIG_VALID);
}

static void what_nobody_of_ours_signed_is_invalid(void **state)
{
    const char *const urls[] = {OTHER, NULL};
    const grip_proxy_t *proxies[PROXIES_MAX];
    grip_sig_t sig = check_at(TOKEN_HS256, urls, proxies, NOW, *state);

    assert_int_equal(sig.verdict, GRIP_SIG_INVALID);
    assert_null(sig.proxy);
    assert_int_equal(sig.good_until, 0);
    assert_int_equal(verdict_of("garbage", PUSHPIN, NULL, *state), GRIP_SIG_INVALID);
    assert_int_equal(verdict_of(TOKEN_NONE, PUSHPIN, NULL, *state), GRIP_SIG_INVALID);
    /* two headers, joined by httpd */
    assert_int_equal(verdict_of(TOKEN_HS256 ", " TOKEN_HS256, PUSHPIN, NULL, *state),
                     GRIP_SIG_INVALID);
}

static void an_old_signature_is_expired(void **state)
{
    const char *const urls[] = {OTHER, PUSHPIN, KEYLESS, NULL};
    const grip_proxy_t *proxies[PROXIES_MAX];
    grip_sig_t sig =
        check_at(TOKEN_HS256, urls, proxies, apr_time_from_sec(EXP_OF_TOKENS + 60), *state);

    assert_int_equal(sig.verdict, GRIP_SIG_EXPIRED);
    assert_ptr_equal(sig.proxy, proxies[1]);
    assert_int_equal(sig.good_until, 0);
    assert_false(grip_sig_is_proxied(&sig));
}

static void anything_is_taken_only_where_no_proxy_has_a_key(void **state)
{
    assert_int_equal(verdict_of("garbage", KEYLESS, KEYLESS, *state), GRIP_SIG_UNCHECKED_ACCEPTED);
    assert_int_equal(verdict_of(TOKEN_NONE, KEYLESS, NULL, *state), GRIP_SIG_UNCHECKED_ACCEPTED);
    assert_int_equal(verdict_of("garbage", KEYLESS, PUSHPIN, *state), GRIP_SIG_INVALID);
    assert_int_equal(verdict_of("garbage", PUSHPIN, KEYLESS, *state), GRIP_SIG_INVALID);
}

static void nothing_is_taken_where_there_is_no_proxy(void **state)
{
    assert_int_equal(verdict_of(TOKEN_HS256, NULL, NULL, *state), GRIP_SIG_INVALID);
}

static void the_issuer_must_be_the_one_that_is_set(void **state)
{
    assert_int_equal(verdict_of(TOKEN_HS256, PUSHPIN "&verify-iss=pushpin", NULL, *state),
                     GRIP_SIG_VALID);
    assert_int_equal(verdict_of(TOKEN_HS256, PUSHPIN "&verify-iss=else", NULL, *state),
                     GRIP_SIG_INVALID);
    assert_int_equal(verdict_of(TOKEN_HS256, PUSHPIN "&verify-iss=else", PUSHPIN, *state),
                     GRIP_SIG_VALID);
}

static void only_two_verdicts_are_proxied(void **state)
{
    static const int proxied[] = {0, 0, 0, 1, 1};
    static const char *const names[] = {"absent", "invalid", "expired", "valid", "unchecked"};
    int verdict;

    for (verdict = GRIP_SIG_ABSENT; verdict <= GRIP_SIG_UNCHECKED_ACCEPTED; verdict++) {
        grip_sig_t sig = {(grip_sig_verdict_e)verdict, NULL, 0};

        assert_int_equal(grip_sig_is_proxied(&sig), proxied[verdict]);
        assert_string_equal(grip_sig_verdict_name(sig.verdict), names[verdict]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(no_header_and_an_empty_one_are_a_client_of_our_own),
        POOL_TEST(any_proxy_may_have_signed_it),
        POOL_TEST(takes_what_pushpin_sends),
        POOL_TEST(what_nobody_of_ours_signed_is_invalid),
        POOL_TEST(an_old_signature_is_expired),
        POOL_TEST(anything_is_taken_only_where_no_proxy_has_a_key),
        POOL_TEST(nothing_is_taken_where_there_is_no_proxy),
        POOL_TEST(the_issuer_must_be_the_one_that_is_set),
        POOL_TEST(only_two_verdicts_are_proxied),
    };

    return UNIT_RUN(tests);
}
