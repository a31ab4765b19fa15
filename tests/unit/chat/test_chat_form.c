#include "chat_form.h"
#include "unit.h"

#define URLENCODED "application/x-www-form-urlencoded"
#define MULTIPART  "multipart/form-data; boundary=b"
#define JSON       "application/json"

/* One field of a form as it is compared: NULL where it was not sent. */
static void assert_field(gc_slice_t field, const char *expected)
{
    if (expected) {
        assert_non_null(field.data);
        assert_slice_equal(field, expected);
    }
    else {
        assert_null(field.data);
    }
}

static void assert_form(const char *content_type, const char *body, const char *from,
                        const char *text, apr_pool_t *pool)
{
    gc_slice_t header = gc_slice_of(content_type);
    chat_form_fault_t fault = {"", ""};
    chat_form_type_e type;
    chat_form_t form;

    assert_int_equal(chat_form_type(&type, header), APR_SUCCESS);
    assert_int_equal(chat_form_read(&form, type, header, gc_slice_of(body), &fault, pool),
                     APR_SUCCESS);
    assert_field(form.from, from);
    assert_field(form.text, text);
}

static void assert_refused(const char *content_type, const char *body, const char *code,
                           const char *message, apr_pool_t *pool)
{
    gc_slice_t header = gc_slice_of(content_type);
    chat_form_fault_t fault = {"", ""};
    chat_form_type_e type;
    chat_form_t form;

    assert_int_equal(chat_form_type(&type, header), APR_SUCCESS);
    assert_int_equal(chat_form_read(&form, type, header, gc_slice_of(body), &fault, pool),
                     APR_EINVAL);
    assert_string_equal(fault.code, code);
    assert_string_equal(fault.message, message);
}

static void knows_three_media_types_in_utf8(void **state)
{
    static const char *const taken[] = {URLENCODED,
                                        MULTIPART,
                                        JSON,
                                        "Application/JSON ; charset=utf-8",
                                        JSON ";a=b; CHARSET = \"UTF8\"",
                                        URLENCODED ";charset=us-ascii",
                                        "multipart/form-data; charset=latin1"};
    static const char *const others[] = {"",
                                         "text/plain",
                                         "application/jsonp",
                                         JSON "; charset=latin1",
                                         URLENCODED ";charset=\"utf-16\"",
                                         "charset=utf-8; application/json"};
    chat_form_type_e type = CHAT_FORM_JSON;
    int i;

    for (i = 0; i < COUNT_OF(taken); i++) {
        assert_int_equal(chat_form_type(&type, gc_slice_of(taken[i])), APR_SUCCESS);
    }
    assert_int_equal(type, CHAT_FORM_MULTIPART);
    for (i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(chat_form_type(&type, gc_slice_of(others[i])), APR_ENOTIMPL);
    }
    assert_int_equal(type, CHAT_FORM_MULTIPART);
}

static void decodes_urlencoded_fields(void **state)
{
    assert_form(URLENCODED, "from=al&text=hello", "al", "hello", *state);
    assert_form(URLENCODED, "text=a+b%2B%26%3d%C3%A9&from=%61+", "a ", "a b+&=\xc3\xa9", *state);
    assert_form(URLENCODED, "fr%6Fm=al&text=1=2", "al", "1=2", *state);
    assert_form(URLENCODED, "from=&text", "", "", *state);
    assert_form(URLENCODED, "", NULL, NULL, *state);
    assert_form(URLENCODED, "&&From=x&&text=y&", NULL, "y", *state);
}

static void passes_over_values_of_unknown_fields(void **state)
{
    assert_form(URLENCODED, "other=%zz&other=%00&from=al", "al", NULL, *state);
    assert_form(JSON, "{\"other\": 1, \"from\": \"al\"}", "al", NULL, *state);
}

static void refuses_broken_escapes_and_nul(void **state)
{
    static const char *const texts[] = {"text=%",   "text=%4",    "text=%zz",
                                        "text=a%0", "text=a%00b", "text=%+1"};
    int i;

    for (i = 0; i < COUNT_OF(texts); i++) {
        assert_refused(URLENCODED, texts[i], "bad-form",
                       "the field 'text' is not percent-encoded text without NUL", *state);
    }
    assert_refused(URLENCODED, "from=al&te%xt=1", "bad-form",
                   "a field's name is not percent-encoded text without NUL", *state);
    assert_refused(URLENCODED, "%00=1", "bad-form",
                   "a field's name is not percent-encoded text without NUL", *state);
}

static void refuses_raw_nul(void **state)
{
    chat_form_fault_t fault = {"", ""};
    chat_form_t form;

    assert_int_equal(chat_form_read(&form, CHAT_FORM_URLENCODED, gc_slice_of(URLENCODED),
                                    gc_slice("text=a\0b", 8), &fault, *state),
                     APR_EINVAL);
    assert_string_equal(fault.code, "bad-form");
}

static void refuses_a_field_that_is_there_twice(void **state)
{
    assert_refused(URLENCODED, "from=a&text=b&from=", "duplicate-field",
                   "the field 'from' is there twice", *state);
    assert_refused(URLENCODED, "text=&t%65xt=", "duplicate-field",
                   "the field 'text' is there twice", *state);
    assert_refused(MULTIPART,
                   "--b\r\nContent-Disposition: form-data; name=text\r\n\r\n1\r\n"
                   "--b\r\nContent-Disposition: form-data; name=text\r\n\r\n2\r\n--b--",
                   "duplicate-field", "the field 'text' is there twice", *state);
}

static void reads_multipart_fields_but_no_files(void **state)
{
    assert_form(MULTIPART,
                "--b\r\nContent-Disposition: form-data; name=\"from\"\r\n\r\nal+%41\r\n"
                "--b\r\nContent-Disposition: form-data; name=text; filename=x\r\n\r\nno\r\n--b--",
                "al+%41", NULL, *state);
    assert_refused("multipart/form-data", "", "bad-multipart", "the content type has no boundary",
                   *state);
}

static void reads_a_json_object(void **state)
{
    assert_form(JSON, "{\"from\": \"al\", \"text\": \"\\u00e9\"}", "al", "\xc3\xa9", *state);
    assert_refused(JSON, "[]", "bad-json", "the body is not one JSON object with unique names",
                   *state);
    assert_refused(JSON, "{\"text\": 1}", "bad-json", "the field 'text' is not a string", *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(knows_three_media_types_in_utf8),
        POOL_TEST(decodes_urlencoded_fields),
        POOL_TEST(passes_over_values_of_unknown_fields),
        POOL_TEST(refuses_broken_escapes_and_nul),
        POOL_TEST(refuses_raw_nul),
        POOL_TEST(refuses_a_field_that_is_there_twice),
        POOL_TEST(reads_multipart_fields_but_no_files),
        POOL_TEST(reads_a_json_object),
    };

    return UNIT_RUN(tests);
}
