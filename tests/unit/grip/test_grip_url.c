#include "grip_url.h"
#include "grip_vectors.h"
#include "unit.h"

#define B64_FF "base64:%2F%2B8%3D" /* bytes ff ef, as encodeURIComponent writes it */

static const grip_proxy_t *parse_with(const char *url, const char *verify_key, apr_pool_t *pool)
{
    const grip_proxy_t *proxy = NULL;
    const char *why = "";

    if (grip_url_parse(&proxy, &why, url, verify_key, pool) != APR_SUCCESS) {
        fail_msg("'%s' refused: %s", url, why);
    }
    return proxy;
}

static const grip_proxy_t *parse(const char *url, apr_pool_t *pool)
{
    return parse_with(url, NULL, pool);
}

/* Fail unless refused with a sentence that holds a word and names the setting. */
static const char *refusal_of(const char *url, const char *verify_key, const char *word,
                              apr_pool_t *pool)
{
    const grip_proxy_t *proxy = NULL;
    const char *why = NULL;

    assert_int_equal(grip_url_parse(&proxy, &why, url, verify_key, pool), APR_EINVAL);
    assert_null(proxy);
    if (!why || !strstr(why, word) || !strstr(why, "GRIP_")) {
        fail_msg("'%s': reason '%s', wanted '%s'", url, why ? why : "", word);
    }
    return why;
}

static void assert_refused(const char *url, const char *word, apr_pool_t *pool)
{
    refusal_of(url, NULL, word, pool);
}

static int verifies(const grip_key_t *key, const char *secret)
{
    unsigned char code[GRIP_CRYPTO_HMAC_BYTES];
    int is_genuine = 0;

    assert_non_null(key);
    assert_int_equal(grip_crypto_hmac_sha256(code, gc_slice_of(secret), gc_slice_of("m")),
                     APR_SUCCESS);
    assert_int_equal(grip_crypto_verify(&is_genuine, key, gc_slice_of("m"),
                                        gc_slice((const char *)code, sizeof(code))),
                     APR_SUCCESS);
    return is_genuine;
}

static void reads_the_default_for_development(void **state)
{
    const grip_proxy_t *proxy = parse("http://127.0.0.1:5561/", *state);

    assert_string_equal(proxy->control_uri, "http://127.0.0.1:5561");
    assert_string_equal(proxy->publish_uri, "http://127.0.0.1:5561/publish/");
    assert_string_equal(proxy->log_uri, "http://127.0.0.1:5561");
    assert_int_equal(proxy->auth, GRIP_AUTH_NONE);
    assert_null(proxy->verify_key);
    assert_null(proxy->verify_iss);
}

static void reads_a_pushpin_with_a_key(void **state)
{
    const grip_proxy_t *proxy = parse("http://127.0.0.1:5561/?key=changeme", *state);

    assert_string_equal(proxy->publish_uri, "http://127.0.0.1:5561/publish/");
    assert_int_equal(proxy->auth, GRIP_AUTH_BEARER);
    assert_string_equal(proxy->bearer, "changeme");
    assert_true(verifies(proxy->verify_key, "changeme"));
}

static void reads_fastly_fanout_with_its_public_key(void **state)
{
    const grip_proxy_t *proxy =
        parse_with("https://api.fastly.com/service/abc?verify-iss=fastly:abc&key=tok-en_1",
                   "base64:" B64_PEM_FASTLY, *state);

    assert_string_equal(proxy->control_uri, "https://api.fastly.com/service/abc");
    assert_string_equal(proxy->publish_uri, "https://api.fastly.com/service/abc/publish/");
    assert_int_equal(proxy->auth, GRIP_AUTH_BEARER);
    assert_string_equal(proxy->bearer, "tok-en_1");
    assert_string_equal(proxy->verify_iss, "fastly:abc");
    assert_int_equal(grip_crypto_key_kind(proxy->verify_key), GRIP_KEY_EC_P256);
}

static void reads_iss_and_key_as_a_token_to_sign(void **state)
{
    const grip_proxy_t *proxy =
        parse("https://api.fanout.io/realm/x?iss=x&key=base64:Y2hhbmdlbWU=", *state);

    assert_int_equal(proxy->auth, GRIP_AUTH_JWT);
    assert_string_equal(proxy->iss, "x");
    assert_true(verifies(proxy->sign_key, "changeme"));
    assert_true(verifies(proxy->verify_key, "changeme"));
    assert_null(proxy->bearer);
}

static void a_binary_key_can_sign_and_verify_but_not_be_a_bearer_token(void **state)
{
    const grip_proxy_t *proxy = parse("http://h/?iss=x&key=" B64_FF, *state);

    assert_true(verifies(proxy->sign_key, "\xff\xef"));
    proxy = parse("http://h/?key=" B64_FF, *state);
    assert_true(verifies(proxy->verify_key, "\xff\xef"));
    assert_int_equal(proxy->auth, GRIP_AUTH_NONE);
    assert_refused("http://h/?key=a%20b", "bearer token", *state);
    assert_refused("http://h/?key=a%0d%0aX:b", "bearer token", *state);
}

static void verify_key_goes_before_key(void **state)
{
    const grip_proxy_t *proxy = parse("http://h/?key=a&verify-key=b", *state);

    assert_true(verifies(proxy->verify_key, "b"));
    assert_false(verifies(proxy->verify_key, "a"));
    assert_string_equal(proxy->bearer, "a");
}

static void the_separate_setting_goes_before_verify_key(void **state)
{
    const grip_proxy_t *proxy = parse_with("http://h/?key=a&verify-key=b", "c", *state);

    assert_true(verifies(proxy->verify_key, "c"));
    proxy = parse_with("http://h/?key=a&verify-key=b", "", *state);
    assert_true(verifies(proxy->verify_key, "b"));
    proxy = parse_with("http://h/", PEM_RSA, *state);
    assert_int_equal(grip_crypto_key_kind(proxy->verify_key), GRIP_KEY_RSA);
}

static void a_plus_stays_a_plus_and_lost_ones_come_back(void **state)
{
    const grip_proxy_t *proxy = parse("http://h/?iss=a+b&key=x+y", *state);

    assert_string_equal(proxy->iss, "a+b");
    assert_true(verifies(proxy->sign_key, "x+y"));
    proxy = parse("http://h/?iss=x&key=base64:++8=", *state);
    assert_true(verifies(proxy->sign_key, "\xfb\xef"));
    proxy = parse("http://h/?iss=x&key=base64:+%208=", *state);
    assert_true(verifies(proxy->sign_key, "\xfb\xef"));
    proxy = parse_with("http://h/", "base64:  8=", *state);
    assert_non_null(proxy->verify_key);
}

static void other_parameters_stay_as_they_are(void **state)
{
    const grip_proxy_t *proxy =
        parse("HTTP://h:80/a/?x=%41&&key=k&y&verify%2Diss=z&%zz=1&", *state);

    assert_string_equal(proxy->control_uri, "http://h:80/a?x=%41&y&%zz=1");
    assert_string_equal(proxy->publish_uri, "http://h:80/a/publish/?x=%41&y&%zz=1");
    assert_string_equal(proxy->log_uri, "http://h:80/a");
    assert_string_equal(proxy->verify_iss, "z");
}

static void only_the_last_slash_is_cut(void **state)
{
    assert_string_equal(parse("http://h", *state)->publish_uri, "http://h/publish/");
    assert_string_equal(parse("http://h/a", *state)->publish_uri, "http://h/a/publish/");
    assert_string_equal(parse("http://h/a//", *state)->control_uri, "http://h/a/");
    assert_string_equal(parse("http://h?x=1", *state)->publish_uri, "http://h/publish/?x=1");
    assert_string_equal(parse("http://h/?x=a/", *state)->control_uri, "http://h?x=a/");
}

static void user_and_password_mean_basic_and_appear_nowhere(void **state)
{
    const grip_proxy_t *proxy = parse("https://us%40er:p%3Aw%25@h:8443/a?x=1", *state);

    assert_int_equal(proxy->auth, GRIP_AUTH_BASIC);
    assert_string_equal(proxy->user, "us@er");
    assert_string_equal(proxy->password, "p:w%");
    assert_string_equal(proxy->control_uri, "https://h:8443/a?x=1");
    assert_string_equal(proxy->log_uri, "https://h:8443/a");
    assert_string_equal(parse("http://me@h/", *state)->password, "");
    assert_int_equal(parse("http://u:p@h/?key=k", *state)->auth, GRIP_AUTH_BEARER);
    assert_string_equal(parse("http://h/?key=a@b", *state)->bearer, "a@b");
}

static void refuses_improper_user_names(void **state)
{
    assert_refused("http://@h/", "user:password", *state);
    assert_refused("http://:p@h/", "user:password", *state);
    assert_refused("http://a%3Ab:p@h/", "user:password", *state);
    assert_refused("http://a:%0a@h/", "user:password", *state);
    assert_refused("http://a:%zz@h/", "user:password", *state);
}

static void takes_hosts_of_every_form(void **state)
{
    assert_string_equal(parse("http://[::1]:5561/", *state)->log_uri, "http://[::1]:5561");
    assert_string_equal(parse("http://[fe80::1]", *state)->log_uri, "http://[fe80::1]");
    assert_string_equal(parse("http://push-pin_1.x:65535/", *state)->log_uri,
                        "http://push-pin_1.x:65535");
}

static void refuses_what_is_no_http_url(void **state)
{
    assert_refused("", "empty", *state);
    assert_refused(NULL, "empty", *state);
    assert_refused("127.0.0.1:5561", "http://", *state);
    assert_refused("localhost", "http://", *state);
    assert_refused("ftp://h/", "http://", *state);
    assert_refused("file:///etc/passwd", "http://", *state);
    assert_refused("http:/h", "http://", *state);
    assert_refused("tcp://127.0.0.1:5560", "http://", *state);
}

static void refuses_improper_hosts_and_ports(void **state)
{
    static const char *const refused[] = {
        "http://",         "http:///a",      "http://:80/",   "http://h:/",   "http://h:0/",
        "http://h:65536/", "http://h:8x/",   "http://h:-1/",  "http://a b/",  "http://[::1/",
        "http://[]/",      "http://[::1]x/", "http://h:1:2/", "http://h\\a/", "http://u:p/w@h/"};
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_refused(refused[i], strchr(refused[i], ' ') ? "space" : "host and port", *state);
    }
}

static void refuses_what_operators_mistype(void **state)
{
    assert_refused("http://h/?key=${KEY}", "not defined", *state);
    assert_refused("http://h/?key=a#b", "%23", *state);
    assert_refused(" http://h/", "space", *state);
    assert_refused("http://h/\xc3\xa9", "beyond ASCII", *state);
    assert_refused("http://h/?key=", "empty key", *state);
    assert_refused("http://h/?verify-key", "empty verify-key", *state);
    assert_refused("http://h/?key=a&key=b", "twice", *state);
    assert_refused("http://h/?key=%4", "%25", *state);
    assert_refused("http://h/?iss=a", "no key", *state);
    assert_refused("http://h/?iss=%0a&key=a", "iss in GRIP_URL", *state);
    assert_refused("http://h/?verify-iss=a", "nothing to verify with", *state);
    assert_refused("http://h/?key=base64:x", "base64", *state);
    assert_refused("http://h/?key=base64:", "is empty", *state);
    assert_refused("http://h/?key=base64:-_8%3D", "base64", *state);
    assert_refused("http://h/?iss=x&key=base64:" B64_PEM_FASTLY, "verify-key", *state);
    assert_refused("http://h/?iss=x&key=base64:" B64_DER_EC, "key in GRIP_URL", *state);
    assert_refused(apr_psprintf(*state, "http://h/%*s", GRIP_URL_MAX_BYTES, "x"), "longer", *state);
}

static void refuses_an_improper_separate_verify_key(void **state)
{
    refusal_of("http://h/", "base64:?", "GRIP_VERIFY_KEY is not proper base64", *state);
    refusal_of("http://h/", "${KEY}", "not defined", *state);
    refusal_of("http://h/", PEM_P384, "GRIP_VERIFY_KEY is an EC public key", *state);
    refusal_of("http://h/", PEM_EC_PRIVATE, "GRIP_VERIFY_KEY is a private key", *state);
    refusal_of("http://h/", "base64:" B64_DER_EC, "DER", *state);
}

static void no_refusal_tells_a_secret(void **state)
{
    static const char *const urls[] = {"http://h/?key=s3cret&key=s3cret",
                                       "http://h/?key=s3cret%0a",
                                       "http://h/?key=base64:s3cret",
                                       "http://u:s3cret/@h/",
                                       "http://a%3Ab:s3cret@h/",
                                       "s3cret",
                                       "http://h/?verify-key=s3cret%z",
                                       "http://h/?key=s3cret&iss=%0as3cret",
                                       "http://h/?key=-----BEGIN%20s3cret",
                                       "http://h/?iss=s3cret",
                                       "http://h/?key=%7B%22kty%22%3As3cret"};
    apr_size_t i;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        const char *why = refusal_of(urls[i], NULL, "", *state);

        if (strstr(why, "s3cret")) {
            fail_msg("'%s' tells: %s", urls[i], why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(reads_the_default_for_development),
        POOL_TEST(reads_a_pushpin_with_a_key),
        POOL_TEST(reads_fastly_fanout_with_its_public_key),
        POOL_TEST(reads_iss_and_key_as_a_token_to_sign),
        POOL_TEST(a_binary_key_can_sign_and_verify_but_not_be_a_bearer_token),
        POOL_TEST(verify_key_goes_before_key),
        POOL_TEST(the_separate_setting_goes_before_verify_key),
        POOL_TEST(a_plus_stays_a_plus_and_lost_ones_come_back),
        POOL_TEST(other_parameters_stay_as_they_are),
        POOL_TEST(only_the_last_slash_is_cut),
        POOL_TEST(user_and_password_mean_basic_and_appear_nowhere),
        POOL_TEST(refuses_improper_user_names),
        POOL_TEST(takes_hosts_of_every_form),
        POOL_TEST(refuses_what_is_no_http_url),
        POOL_TEST(refuses_improper_hosts_and_ports),
        POOL_TEST(refuses_what_operators_mistype),
        POOL_TEST(refuses_an_improper_separate_verify_key),
        POOL_TEST(no_refusal_tells_a_secret),
    };

    return UNIT_RUN(tests);
}
