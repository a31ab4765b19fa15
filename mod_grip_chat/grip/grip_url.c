#include "grip_url.h"

#include "gc_percent.h"

#define EXAMPLE "for example http://127.0.0.1:5561/"

/* The query parameters that are ours. */
typedef enum taken_e {
    TAKEN_KEY,
    TAKEN_ISS,
    TAKEN_VERIFY_KEY,
    TAKEN_VERIFY_ISS,
    TAKEN_COUNT
} taken_e;

static const char *const taken_names[TAKEN_COUNT] = {"key", "iss", "verify-key", "verify-iss"};

/* A URL on its way to become a proxy. */
typedef struct draft_t {
    const char *scheme;
    gc_slice_t userinfo;           /* as it stands there; data is NULL if there is none */
    gc_slice_t host;               /* with port */
    gc_slice_t path;               /* without its last slash */
    gc_slice_t query;              /* as it stands there */
    gc_buffer_t kept;              /* the query without the taken parameters */
    gc_slice_t taken[TAKEN_COUNT]; /* decoded; data is NULL if not given */
    const char **why;
    apr_pool_t *pool;
} draft_t;

static apr_status_t refuse(const draft_t *draft, const char *sentence)
{
    *draft->why = sentence;
    return APR_EINVAL;
}

/* Whether all bytes are ASCII from lowest (visible: '!', printable: ' ') to '~'. */
static int is_ascii_from(char lowest, gc_slice_t s)
{
    apr_size_t i;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < lowest || s.data[i] > '~') {
            return 0;
        }
    }
    return 1;
}

static apr_status_t check_text(const draft_t *draft, const char *url)
{
    if (!url || !*url) {
        return refuse(draft, "GRIP_URL is empty; write the proxy's control URL, " EXAMPLE);
    }
    if (strlen(url) > GRIP_URL_MAX_BYTES) {
        return refuse(draft, apr_psprintf(draft->pool, "GRIP_URL is longer than %d bytes",
                                          GRIP_URL_MAX_BYTES));
    }
    if (strstr(url, "${")) {
        return refuse(draft, "GRIP_URL holds ${, so a variable in it is not defined; define it, or "
                             "write its value");
    }
    if (!is_ascii_from('!', gc_slice_of(url))) {
        return refuse(draft, "GRIP_URL holds a space, a control character or one beyond ASCII; "
                             "write it percent-encoded, a space as %20");
    }
    if (strchr(url, '#')) {
        return refuse(draft, "GRIP_URL holds a #, which would cut off the rest; write it as %23");
    }
    return APR_SUCCESS;
}

static int is_host_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static int is_ipv6_character(char c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.';
}

/* "name", "name:port", "[v6]", "[v6]:port" (RFC 3986, section 3.2.2). */
static int is_host_and_port(gc_slice_t s)
{
    apr_size_t i = 0;
    apr_int64_t port;

    if (s.len && s.data[0] == '[') {
        for (i = 1; i < s.len && is_ipv6_character(s.data[i]); i++) {
        }
        if (i < 3 || i >= s.len || s.data[i] != ']') {
            return 0;
        }
        i++;
    }
    else {
        for (; i < s.len && is_host_character(s.data[i]); i++) {
        }
    }
    if (i == 0 || i == s.len) {
        return i > 0;
    }
    return s.data[i] == ':' &&
           gc_slice_number(gc_slice(s.data + i + 1, s.len - i - 1), 65535, &port) == APR_SUCCESS &&
           port > 0;
}

static apr_status_t split_url(draft_t *draft, const char *url)
{
    gc_slice_t rest = gc_slice_of(url);
    gc_slice_t scheme;
    gc_slice_t authority;
    apr_size_t i;

    if (gc_slice_until(&rest, ':', &scheme) == APR_SUCCESS &&
        gc_slice_starts(rest, gc_slice_of("//"))) {
        draft->scheme = gc_slice_equal_nocase(scheme, "http")    ? "http"
                        : gc_slice_equal_nocase(scheme, "https") ? "https"
                                                                 : NULL;
    }
    if (!draft->scheme) {
        return refuse(draft, "GRIP_URL does not begin with http:// or https://; write the proxy's "
                             "control URL, " EXAMPLE);
    }
    authority = gc_slice(rest.data + 2, strcspn(rest.data + 2, "/?"));
    rest = gc_slice_of(authority.data + authority.len);
    for (i = authority.len; i > 0 && authority.data[i - 1] != '@'; i--) {
    }
    if (i > 0) {
        draft->userinfo = gc_slice(authority.data, i - 1);
    }
    draft->host = gc_slice(authority.data + i, authority.len - i);
    if (!is_host_and_port(draft->host)) {
        return refuse(draft, "GRIP_URL has no proper host and port behind its scheme; write "
                             "them as in http://127.0.0.1:5561/, and a / @ : or ? in a user name "
                             "or password percent-encoded");
    }
    if (gc_slice_until(&rest, '?', &draft->path) == APR_SUCCESS) {
        draft->query = rest;
    }
    else {
        draft->path = rest;
    }
    if (draft->path.len && draft->path.data[draft->path.len - 1] == '/') {
        draft->path.len--;
    }
    return APR_SUCCESS;
}

/* Which of our parameters this is, or TAKEN_COUNT. */
static taken_e taken_by_name(gc_slice_t name, apr_pool_t *pool)
{
    gc_slice_t decoded;
    int which;

    if (gc_percent_decode(&decoded, name, pool) != APR_SUCCESS) {
        return TAKEN_COUNT;
    }
    for (which = 0; which < TAKEN_COUNT; which++) {
        if (gc_slice_equal(decoded, gc_slice_of(taken_names[which]))) {
            break;
        }
    }
    return (taken_e)which;
}

static apr_status_t take_parameter(draft_t *draft, gc_slice_t parameter)
{
    gc_slice_t value = parameter;
    gc_slice_t name;
    taken_e which;

    if (gc_slice_until(&value, '=', &name) != APR_SUCCESS) {
        name = parameter;
        value = gc_slice("", 0);
    }
    which = taken_by_name(name, draft->pool);
    if (which == TAKEN_COUNT) {
        gc_buffer_append_text(&draft->kept, draft->kept.len ? "&" : "?");
        gc_buffer_append(&draft->kept, parameter);
        return APR_SUCCESS;
    }
    if (draft->taken[which].data) {
        return refuse(draft, apr_psprintf(draft->pool, "GRIP_URL has %s twice; write it once",
                                          taken_names[which]));
    }
    if (value.len == 0) {
        return refuse(draft, apr_psprintf(draft->pool,
                                          "GRIP_URL has an empty %s; write its value, or leave "
                                          "%s= out",
                                          taken_names[which], taken_names[which]));
    }
    if (gc_percent_decode(&draft->taken[which], value, draft->pool) != APR_SUCCESS) {
        return refuse(draft, apr_psprintf(draft->pool,
                                          "%s in GRIP_URL holds a %% that is not followed by two "
                                          "hexadecimal digits; write a percent sign as %%25",
                                          taken_names[which]));
    }
    return APR_SUCCESS;
}

static apr_status_t take_parameters(draft_t *draft)
{
    gc_slice_t rest = draft->query;
    gc_slice_t parameter;
    apr_status_t rv = APR_SUCCESS;

    while (rest.len && rv == APR_SUCCESS) {
        if (gc_slice_until(&rest, '&', &parameter) != APR_SUCCESS) {
            parameter = rest;
            rest.len = 0;
        }
        if (parameter.len) {
            rv = take_parameter(draft, parameter);
        }
    }
    return rv;
}

/* "base64:…" or the bytes as they stand. */
static apr_status_t decode_key(const draft_t *draft, gc_slice_t *bytes, gc_slice_t text,
                               const char *subject)
{
    const gc_slice_t prefix = gc_slice_of("base64:");
    gc_slice_t encoded = text;
    char *copy;
    char *at;

    if (!gc_slice_starts(text, prefix)) {
        *bytes = text;
        return APR_SUCCESS;
    }
    encoded.data += prefix.len;
    encoded.len -= prefix.len;
    copy = gc_slice_dup(encoded, draft->pool);
    /* A query decoder in front of us may have made spaces of the plus signs. */
    for (at = strchr(copy, ' '); at; at = strchr(at, ' ')) {
        *at = '+';
    }
    if (grip_crypto_base64_decode(bytes, gc_slice_of(copy), draft->pool) != APR_SUCCESS) {
        return refuse(draft, apr_psprintf(draft->pool,
                                          "%s is not proper base64 behind base64:; write standard "
                                          "base64 (with + and /) on one line, with its = at the "
                                          "end",
                                          subject));
    }
    return APR_SUCCESS;
}

static apr_status_t make_key(const draft_t *draft, const grip_key_t **key, gc_slice_t bytes,
                             const char *subject)
{
    const char *fragment;
    apr_status_t rv = grip_crypto_key_make(key, &fragment, bytes, draft->pool);

    if (rv != APR_SUCCESS) {
        return refuse(draft, apr_psprintf(draft->pool, "%s %s", subject, fragment));
    }
    return APR_SUCCESS;
}

static apr_status_t set_basic(const draft_t *draft, grip_proxy_t *proxy)
{
    gc_slice_t password = draft->userinfo;
    gc_slice_t user;

    if (gc_slice_until(&password, ':', &user) != APR_SUCCESS) {
        user = draft->userinfo;
        password = gc_slice("", 0);
    }
    if (user.len == 0 || gc_percent_decode(&user, user, draft->pool) != APR_SUCCESS ||
        gc_percent_decode(&password, password, draft->pool) != APR_SUCCESS ||
        !is_ascii_from(' ', user) || !is_ascii_from(' ', password) ||
        memchr(user.data, ':', user.len))
    {
        return refuse(draft, "GRIP_URL has no proper user name or password before the @; write "
                             "user:password@host with special characters percent-encoded, ASCII "
                             "only, and no colon in the user name");
    }
    proxy->auth = GRIP_AUTH_BASIC;
    proxy->user = user.data;
    proxy->password = password.data;
    return APR_SUCCESS;
}

/* How publishes are authorized. *key is set if there is a key, for it may verify as well. */
static apr_status_t set_auth(const draft_t *draft, grip_proxy_t *proxy, const grip_key_t **key)
{
    gc_slice_t bytes = gc_slice("", 0);
    apr_status_t rv;

    if (!draft->taken[TAKEN_KEY].data) {
        if (draft->taken[TAKEN_ISS].data) {
            return refuse(draft, "GRIP_URL has iss but no key; write key=… too, or leave iss out");
        }
        return draft->userinfo.data ? set_basic(draft, proxy) : APR_SUCCESS;
    }
    rv = decode_key(draft, &bytes, draft->taken[TAKEN_KEY], "key in GRIP_URL");
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (bytes.len && bytes.data[0] == '-' && strstr(bytes.data, "-----BEGIN ")) {
        return refuse(draft, "key in GRIP_URL is a PEM, but publishing needs a shared secret or an "
                             "API token; write that as key, and a public key as verify-key");
    }
    rv = make_key(draft, key, bytes, "key in GRIP_URL");
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (grip_crypto_key_kind(*key) != GRIP_KEY_HMAC) {
        return refuse(draft, "key in GRIP_URL is a public key; write the shared secret as key, and "
                             "the public key as verify-key");
    }
    if (draft->taken[TAKEN_ISS].data) {
        proxy->auth = GRIP_AUTH_JWT;
        proxy->sign_key = *key;
        return APR_SUCCESS;
    }
    if (!is_ascii_from('!', bytes)) {
        if (gc_slice_starts(draft->taken[TAKEN_KEY], gc_slice_of("base64:"))) {
            return APR_SUCCESS; /* a binary key verifies, but cannot stand in a header */
        }
        return refuse(draft, "key in GRIP_URL holds bytes that cannot be sent as a bearer token; "
                             "add iss=… to sign with it, or write it as verify-key if it only "
                             "verifies");
    }
    proxy->auth = GRIP_AUTH_BEARER;
    proxy->bearer = gc_slice_dup(bytes, draft->pool);
    return APR_SUCCESS;
}

static apr_status_t set_verifier(const draft_t *draft, grip_proxy_t *proxy, const char *verify_key,
                                 const grip_key_t *key)
{
    const char *subject = "verify-key in GRIP_URL";
    gc_slice_t text = draft->taken[TAKEN_VERIFY_KEY];
    gc_slice_t bytes = gc_slice("", 0);
    apr_status_t rv;

    if (verify_key && *verify_key) {
        subject = "GRIP_VERIFY_KEY";
        text = gc_slice_of(verify_key);
        if (gc_slice_starts(text, gc_slice_of("${"))) {
            return refuse(draft, "GRIP_VERIFY_KEY begins with ${, so a variable in it is not "
                                 "defined; define it, or write its value");
        }
    }
    if (!text.data) {
        proxy->verify_key = key;
    }
    else {
        rv = decode_key(draft, &bytes, text, subject);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rv = make_key(draft, &proxy->verify_key, bytes, subject);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (proxy->verify_iss && !proxy->verify_key) {
        return refuse(draft,
                      "GRIP_URL has verify-iss but nothing to verify with; write verify-key=… "
                      "or GRIP_VERIFY_KEY too, or leave verify-iss out");
    }
    return APR_SUCCESS;
}

static apr_status_t set_issuer(const draft_t *draft, const char **issuer, taken_e which)
{
    gc_slice_t value = draft->taken[which];

    if (!value.data) {
        return APR_SUCCESS;
    }
    if (!is_ascii_from(' ', value)) {
        return refuse(draft, apr_psprintf(draft->pool,
                                          "%s in GRIP_URL holds a control character or one beyond "
                                          "ASCII; write the name that the proxy is known by",
                                          taken_names[which]));
    }
    *issuer = value.data;
    return APR_SUCCESS;
}

static void set_uris(const draft_t *draft, grip_proxy_t *proxy)
{
    const char *kept = draft->kept.data;

    proxy->log_uri =
        apr_pstrcat(draft->pool, draft->scheme, "://", gc_slice_dup(draft->host, draft->pool),
                    gc_slice_dup(draft->path, draft->pool), NULL);
    proxy->control_uri = apr_pstrcat(draft->pool, proxy->log_uri, kept, NULL);
    proxy->publish_uri = apr_pstrcat(draft->pool, proxy->log_uri, "/publish/", kept, NULL);
}

static apr_status_t fill_proxy(draft_t *draft, grip_proxy_t *proxy, const char *url,
                               const char *verify_key)
{
    const grip_key_t *key = NULL;
    apr_status_t rv;

    if ((rv = check_text(draft, url)) != APR_SUCCESS ||
        (rv = split_url(draft, url)) != APR_SUCCESS ||
        (rv = take_parameters(draft)) != APR_SUCCESS ||
        (rv = set_issuer(draft, &proxy->iss, TAKEN_ISS)) != APR_SUCCESS ||
        (rv = set_issuer(draft, &proxy->verify_iss, TAKEN_VERIFY_ISS)) != APR_SUCCESS ||
        (rv = set_auth(draft, proxy, &key)) != APR_SUCCESS)
    {
        return rv;
    }
    rv = set_verifier(draft, proxy, verify_key, key);
    if (rv == APR_SUCCESS) {
        set_uris(draft, proxy);
    }
    return rv;
}

apr_status_t grip_url_parse(const grip_proxy_t **out, const char **why, const char *url,
                            const char *verify_key, apr_pool_t *pool)
{
    draft_t *draft = apr_pcalloc(pool, sizeof(*draft));
    grip_proxy_t *proxy = apr_pcalloc(pool, sizeof(*proxy));
    apr_status_t rv;

    draft->why = why;
    draft->pool = pool;
    draft->kept = gc_buffer_make(64, pool);
    rv = fill_proxy(draft, proxy, url, verify_key);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *out = proxy;
    return APR_SUCCESS;
}
