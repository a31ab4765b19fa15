/* grip_url: operators paste GRIP_URL and GRIP_VERIFY_KEY from mails and web pages; what comes out
 * goes into header lines and logs. An input is the URL and, behind a line end, the separate key. */
#include "grip_url.h"

#include "fuzz_base.h"

static int is_visible(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~') {
            return 0;
        }
    }
    return 1;
}

static void check_proxy(const grip_proxy_t *proxy)
{
    apr_size_t len = strlen(proxy->log_uri);

    FUZZ_CHECK(is_visible(proxy->control_uri) && is_visible(proxy->publish_uri));
    FUZZ_CHECK(strncmp(proxy->log_uri, "http", 4) == 0);
    FUZZ_CHECK(!strchr(proxy->log_uri, '?'));
    FUZZ_CHECK(strncmp(proxy->control_uri, proxy->log_uri, len) == 0);
    FUZZ_CHECK(strncmp(proxy->publish_uri, proxy->log_uri, len) == 0);
    FUZZ_CHECK(strncmp(proxy->publish_uri + len, "/publish/", 9) == 0);
    FUZZ_CHECK((proxy->auth == GRIP_AUTH_JWT) == (proxy->sign_key != NULL));
    FUZZ_CHECK((proxy->auth == GRIP_AUTH_BEARER) == (proxy->bearer != NULL));
    FUZZ_CHECK((proxy->auth == GRIP_AUTH_BASIC) == (proxy->user != NULL));
    FUZZ_CHECK(!proxy->bearer || (*proxy->bearer && is_visible(proxy->bearer)));
    FUZZ_CHECK(!proxy->user || !strchr(proxy->user, ':'));
    FUZZ_CHECK(!proxy->iss || proxy->sign_key);
    FUZZ_CHECK(!proxy->verify_iss || proxy->verify_key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    gc_slice_t verify_key = fuzz_slice(data, size);
    const grip_proxy_t *proxy = NULL;
    const char *why = NULL;
    gc_slice_t url;

    if (gc_slice_until(&verify_key, '\n', &url) != APR_SUCCESS) {
        url = verify_key;
        verify_key = gc_slice("", 0);
    }
    if (grip_url_parse(&proxy, &why, gc_slice_dup(url, pool), gc_slice_dup(verify_key, pool),
                       pool) == APR_SUCCESS)
    {
        FUZZ_CHECK(why == NULL);
        check_proxy(proxy);
    }
    else {
        FUZZ_CHECK(proxy == NULL && why && strstr(why, "GRIP_"));
    }
    apr_pool_destroy(pool);
    return 0;
}
