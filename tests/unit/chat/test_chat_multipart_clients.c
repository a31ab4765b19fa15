/* The boundary of a Content-Type, and bodies as the common clients were seen to send them. */
#include "chat_multipart.h"
#include "unit.h"

#include <stdlib.h>

static gc_slice_t boundary_of(const char *content_type)
{
    const char *why = NULL;
    gc_slice_t boundary = {NULL, 0};

    assert_int_equal(chat_multipart_boundary(gc_slice_of(content_type), &boundary, &why),
                     APR_SUCCESS);
    assert_null(why);
    return boundary;
}

static void assert_boundary_refused(const char *content_type)
{
    const char *why = NULL;
    gc_slice_t boundary = gc_slice_of("untouched");
    apr_size_t len = strlen(content_type);
    /* Without the NUL, so that a sanitizer sees a read past the end. */
    char *exact = malloc(len + !len);

    assert_non_null(exact);
    memcpy(exact, content_type, len);
    if (chat_multipart_boundary(gc_slice(exact, len), &boundary, &why) != APR_EINVAL) {
        fail_msg("taken: %s", content_type);
    }
    free(exact);
    assert_non_null(why);
    assert_slice_equal(boundary, "untouched");
}

static void finds_the_boundary_as_a_token(void **state)
{
    assert_slice_equal(boundary_of("multipart/form-data; boundary=----WebKitFormBoundaryAB12"),
                       "----WebKitFormBoundaryAB12");
    assert_slice_equal(boundary_of("multipart/form-data;boundary=azAZ09"), "azAZ09");
}

static void finds_the_boundary_in_quotes(void **state)
{
    assert_slice_equal(boundary_of("multipart/form-data; boundary=\"=== a:b ?/(1)\""),
                       "=== a:b ?/(1)");
}

static void ignores_case_and_other_parameters_beside_the_boundary(void **state)
{
    assert_slice_equal(boundary_of(" Multipart/FORM-Data ;; charset=\"a;\\\" boundary=no\" ;\t"
                                   "BOUNDARY=Yes ; "),
                       "Yes");
}

static void takes_a_boundary_of_70_characters_and_no_longer_one(void **state)
{
    char type[128];
    gc_slice_t boundary;

    apr_snprintf(type, sizeof(type), "multipart/form-data; boundary=%070d", 7);
    boundary = boundary_of(type);
    assert_int_equal(boundary.len, CHAT_MULTIPART_BOUNDARY_MAX);
    apr_snprintf(type, sizeof(type), "multipart/form-data; boundary=%071d", 7);
    assert_boundary_refused(type);
}

static void refuses_another_media_type(void **state)
{
    assert_boundary_refused("");
    assert_boundary_refused("multipart/mixed; boundary=x");
    assert_boundary_refused("multipart/form-data2; boundary=x");
    assert_boundary_refused("multipart/form-data, multipart/form-data; boundary=x");
}

static void refuses_a_content_type_without_a_boundary(void **state)
{
    assert_boundary_refused("multipart/form-data");
    assert_boundary_refused("multipart/form-data; charset=utf-8");
    assert_boundary_refused("multipart/form-data; boundary");
    assert_boundary_refused("multipart/form-data; boundary=");
    assert_boundary_refused("multipart/form-data; boundary=\"\"");
    assert_boundary_refused("multipart/form-data; xboundary=x");
}

static void refuses_two_boundaries(void **state)
{
    assert_boundary_refused("multipart/form-data; boundary=x; boundary=x");
    assert_boundary_refused("multipart/form-data; boundary=x; Boundary=\"y\"");
}

static void refuses_malformed_parameters(void **state)
{
    assert_boundary_refused("multipart/form-data; boundary = x");
    assert_boundary_refused("multipart/form-data; boundary=x y");
    assert_boundary_refused("multipart/form-data; boundary=x, boundary=y");
    assert_boundary_refused("multipart/form-data; boundary=a:b");
    assert_boundary_refused("multipart/form-data; boundary=\"x");
    assert_boundary_refused("multipart/form-data; boundary=x; y=\"\\\"");
    assert_boundary_refused("multipart/form-data; =x; boundary=x");
}

static void refuses_characters_that_no_boundary_has(void **state)
{
    assert_boundary_refused("multipart/form-data; boundary=\"a\tb\"");
    assert_boundary_refused("multipart/form-data; boundary=\"a\\b\"");
    assert_boundary_refused("multipart/form-data; boundary=\"a;b\"");
    assert_boundary_refused("multipart/form-data; boundary=a*b");
    assert_boundary_refused("multipart/form-data; boundary=\"\xc3\xa9\"");
    assert_boundary_refused("multipart/form-data; boundary=\"ends in space \"");
}

/* curl 7.88: -F from=al -F 'na"me\x=1' -F 'f=@a"b.txt;type=text/plain' -F 'u=x;encoder=8bit' */
static void reads_what_curl_sends(void **state)
{
    static const char body[] =
        "--------------------------4399e83e455985fe\r\n"
        "Content-Disposition: form-data; name=\"from\"\r\n\r\nal\r\n"
        "--------------------------4399e83e455985fe\r\n"
        "Content-Disposition: form-data; name=\"na%22me\\x\"\r\n\r\n1\r\n"
        "--------------------------4399e83e455985fe\r\n"
        "Content-Disposition: form-data; name=\"f\"; filename=\"a%22b.txt\"\r\n"
        "Content-Type: text/plain\r\n\r\nfile text\r\n"
        "--------------------------4399e83e455985fe\r\n"
        "Content-Disposition: form-data; name=\"u\"\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\nx\r\n"
        "--------------------------4399e83e455985fe--\r\n";
    chat_multipart_t cursor;
    chat_multipart_part_t part;
    gc_slice_t boundary = boundary_of("multipart/form-data; "
                                      "boundary=------------------------4399e83e455985fe");

    assert_int_equal(chat_multipart_open(&cursor, gc_slice_of(body), boundary), APR_SUCCESS);
    assert_int_equal(chat_multipart_next(&cursor, &part, *state), APR_SUCCESS);
    assert_slice_equal(part.name, "from");
    assert_slice_equal(part.value, "al");
    assert_slice_equal(part.content_type, "");
    assert_false(part.is_file);
    assert_int_equal(chat_multipart_next(&cursor, &part, *state), APR_SUCCESS);
    assert_slice_equal(part.name, "na\"me\\x");
    assert_int_equal(chat_multipart_next(&cursor, &part, *state), APR_SUCCESS);
    assert_slice_equal(part.value, "file text");
    assert_slice_equal(part.content_type, "text/plain");
    assert_true(part.is_file);
    assert_int_equal(chat_multipart_next(&cursor, &part, *state), APR_SUCCESS);
    assert_slice_equal(part.name, "u");
    assert_false(part.is_file);
    assert_int_equal(chat_multipart_next(&cursor, &part, *state), APR_EOF);
    assert_int_equal(chat_multipart_next(&cursor, &part, *state), APR_EOF);
}

/* The value of a field, in a body that is well formed to its end. */
static gc_slice_t field_of(const char *body, const char *boundary, const char *name,
                           apr_pool_t *pool)
{
    chat_multipart_t cursor;
    chat_multipart_part_t part;
    gc_slice_t value = gc_slice_of("no such field");
    apr_status_t rv = chat_multipart_open(&cursor, gc_slice_of(body), gc_slice_of(boundary));

    while (rv == APR_SUCCESS) {
        rv = chat_multipart_next(&cursor, &part, pool);
        if (rv == APR_SUCCESS && gc_slice_equal(part.name, gc_slice_of(name))) {
            value = part.value;
        }
    }
    assert_int_equal(rv, APR_EOF);
    return value;
}

/* Chromium's FormData: newlines in a value are CRLF on the wire; a name is UTF-8, and only the quote,
 * CR and LF in it are escaped. */
static void reads_what_chromium_sends(void **state)
{
    static const char body[] =
        "------WebKitFormBoundarywv6N1n3JcjdB8DRS\r\n"
        "Content-Disposition: form-data; name=\"text\"\r\n\r\n"
        "h\xc3\xa9\r\nx\r\ny\r\n"
        "------WebKitFormBoundarywv6N1n3JcjdB8DRS\r\n"
        "Content-Disposition: form-data; name=\"a%22b\\%0D%0A%22\xc3\xa4\"\r\n"
        "\r\n1\r\n"
        "------WebKitFormBoundarywv6N1n3JcjdB8DRS\r\n"
        "Content-Disposition: form-data; name=\"f\"; filename=\"q%22\\.t\"\r\n"
        "Content-Type: text/plain\r\n\r\nz\r\n"
        "------WebKitFormBoundarywv6N1n3JcjdB8DRS--\r\n";
    static const char boundary[] = "----WebKitFormBoundarywv6N1n3JcjdB8DRS";

    assert_slice_equal(field_of(body, boundary, "text", *state), "h\xc3\xa9\r\nx\r\ny");
    assert_slice_equal(field_of(body, boundary, "a\"b\\\r\n\"\xc3\xa4", *state), "1");
}

/* python-requests 2.34: no Content-Type, the file name in raw UTF-8. */
static void reads_what_requests_sends(void **state)
{
    static const char body[] =
        "--c9faa9f609e50c940be7956c486c2636\r\n"
        "Content-Disposition: form-data; name=\"text\"\r\n\r\n\r\n"
        "--c9faa9f609e50c940be7956c486c2636\r\n"
        "Content-Disposition: form-data; name=\"f\"; filename=\"\xc3\xbc.t\"\r\n"
        "\r\nz\r\n"
        "--c9faa9f609e50c940be7956c486c2636--\r\n";

    assert_slice_equal(field_of(body, "c9faa9f609e50c940be7956c486c2636", "text", *state), "");
}

/* Django's test client ends its bodies in CRLF too, and gives files a type. */
static void reads_what_the_test_client_of_django_sends(void **state)
{
    static const char body[] = "--BoUnDaRyStRiNg\r\n"
                               "Content-Disposition: form-data; name=\"from\"\r\n\r\nal\r\n"
                               "--BoUnDaRyStRiNg\r\n"
                               "Content-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\n"
                               "Content-Type: application/octet-stream\r\n\r\n\r\n\r\n\r\n"
                               "--BoUnDaRyStRiNg--\r\n";

    assert_slice_equal(field_of(body, "BoUnDaRyStRiNg", "from", *state), "al");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_boundary_as_a_token),
        cmocka_unit_test(finds_the_boundary_in_quotes),
        cmocka_unit_test(ignores_case_and_other_parameters_beside_the_boundary),
        cmocka_unit_test(takes_a_boundary_of_70_characters_and_no_longer_one),
        cmocka_unit_test(refuses_another_media_type),
        cmocka_unit_test(refuses_a_content_type_without_a_boundary),
        cmocka_unit_test(refuses_two_boundaries),
        cmocka_unit_test(refuses_malformed_parameters),
        cmocka_unit_test(refuses_characters_that_no_boundary_has),
        POOL_TEST(reads_what_curl_sends),
        POOL_TEST(reads_what_chromium_sends),
        POOL_TEST(reads_what_requests_sends),
        POOL_TEST(reads_what_the_test_client_of_django_sends),
    };

    return UNIT_RUN(tests);
}
