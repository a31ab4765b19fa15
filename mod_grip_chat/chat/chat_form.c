#include "chat_form.h"

#include "chat_multipart.h"
#include "gc_json.h"
#include "gc_percent.h"

static apr_status_t refuse(chat_form_fault_t *fault, const char *code, const char *message)
{
    fault->code = code;
    fault->message = message;
    return APR_EINVAL;
}

/* The place for the value of a known field, NULL for others. */
static gc_slice_t *field_of(chat_form_t *form, gc_slice_t name)
{
    if (gc_slice_equal(name, gc_slice_of("from"))) {
        return &form->from;
    }
    return gc_slice_equal(name, gc_slice_of("text")) ? &form->text : NULL;
}

/* Take a field once. */
static apr_status_t put_field(chat_form_t *form, gc_slice_t name, gc_slice_t value,
                              chat_form_fault_t *fault)
{
    gc_slice_t *field = field_of(form, name);

    if (!field) {
        return APR_SUCCESS;
    }
    if (field->data) {
        return refuse(fault, "duplicate-field",
                      field == &form->from ? "the field 'from' is there twice"
                                           : "the field 'text' is there twice");
    }
    *field = gc_slice(value.len ? value.data : "", value.len);
    return APR_SUCCESS;
}

/* Decode one name or value of a form: "+" is a space, "%XX" a byte, but not NUL. */
static apr_status_t decode(gc_slice_t text, gc_slice_t *out, apr_pool_t *pool)
{
    char *spaced = gc_slice_dup(text, pool);
    gc_slice_t bytes;
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        spaced[i] = spaced[i] == '+' ? ' ' : spaced[i];
    }
    if (gc_percent_decode(&bytes, gc_slice(spaced, text.len), pool) != APR_SUCCESS ||
        memchr(bytes.data, '\0', bytes.len))
    {
        return APR_EINVAL;
    }
    *out = bytes;
    return APR_SUCCESS;
}

static apr_status_t read_form(gc_slice_t body, chat_form_t *form, chat_form_fault_t *fault,
                              apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && body.len) {
        gc_slice_t value = gc_slice_piece(&body, '&');
        gc_slice_t name;

        if (gc_slice_until(&value, '=', &name) != APR_SUCCESS) {
            name = value;
            value = gc_slice("", 0);
        }
        if (decode(name, &name, pool) != APR_SUCCESS) {
            return refuse(fault, "bad-form",
                          "a field's name is not percent-encoded text without NUL");
        }
        if (!field_of(form, name)) {
            continue;
        }
        if (decode(value, &value, pool) != APR_SUCCESS) {
            return refuse(fault, "bad-form",
                          apr_psprintf(pool,
                                       "the field '%s' is not percent-encoded text without "
                                       "NUL",
                                       name.data));
        }
        rv = put_field(form, name, value, fault);
    }
    return rv;
}

static apr_status_t read_multipart(gc_slice_t content_type, gc_slice_t body, chat_form_t *form,
                                   chat_form_fault_t *fault, apr_pool_t *pool)
{
    chat_multipart_t cursor;
    chat_multipart_part_t part;
    const char *why = NULL;
    gc_slice_t boundary;
    apr_status_t rv = chat_multipart_boundary(content_type, &boundary, &why);

    if (rv == APR_SUCCESS) {
        rv = chat_multipart_open(&cursor, body, boundary);
        why = rv == APR_SUCCESS ? NULL : "the multipart body cannot be read";
    }
    while (rv == APR_SUCCESS) {
        rv = chat_multipart_next(&cursor, &part, pool);
        if (rv != APR_SUCCESS) {
            why = cursor.why;
        }
        else if (!part.is_file && put_field(form, part.name, part.value, fault) != APR_SUCCESS) {
            return APR_EINVAL;
        }
    }
    if (rv == APR_EOF) {
        return APR_SUCCESS;
    }
    return refuse(fault, "bad-multipart", why);
}

static apr_status_t read_json(gc_slice_t body, chat_form_t *form, chat_form_fault_t *fault,
                              apr_pool_t *pool)
{
    static const char *const names[] = {"from", "text"};
    const gc_json_t *object;
    unsigned i;

    if (gc_json_parse_object(&object, body, pool) != APR_SUCCESS) {
        return refuse(fault, "bad-json", "the body is not one JSON object with unique names");
    }
    for (i = 0; i < 2; i++) {
        gc_slice_t value;
        apr_status_t rv = gc_json_get_string(&value, object, names[i]);

        if (rv == APR_EINVAL) {
            return refuse(fault, "bad-json",
                          apr_psprintf(pool, "the field '%s' is not a string", names[i]));
        }
        if (rv == APR_SUCCESS &&
            put_field(form, gc_slice_of(names[i]), value, fault) != APR_SUCCESS) {
            return APR_EINVAL;
        }
    }
    return APR_SUCCESS;
}

/* Whether a media type's charset, if it has one, is UTF-8; multipart has its own say on this. */
static int is_utf8(gc_slice_t parameters)
{
    while (parameters.len) {
        gc_slice_t value = gc_slice_piece(&parameters, ';');
        gc_slice_t name;

        if (gc_slice_until(&value, '=', &name) != APR_SUCCESS ||
            !gc_slice_equal_nocase(gc_slice_trim(name), "charset"))
        {
            continue;
        }
        value = gc_slice_trim(value);
        if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"') {
            value = gc_slice(value.data + 1, value.len - 2);
        }
        if (!gc_slice_equal_nocase(value, "utf-8") && !gc_slice_equal_nocase(value, "utf8") &&
            !gc_slice_equal_nocase(value, "us-ascii"))
        {
            return 0;
        }
    }
    return 1;
}

apr_status_t chat_form_type(chat_form_type_e *out, gc_slice_t content_type)
{
    gc_slice_t parameters = content_type;
    gc_slice_t type = gc_slice_trim(gc_slice_piece(&parameters, ';'));

    if (gc_slice_equal_nocase(type, "multipart/form-data")) {
        *out = CHAT_FORM_MULTIPART;
        return APR_SUCCESS;
    }
    if (!is_utf8(parameters)) {
        return APR_ENOTIMPL;
    }
    if (gc_slice_equal_nocase(type, "application/x-www-form-urlencoded")) {
        *out = CHAT_FORM_URLENCODED;
        return APR_SUCCESS;
    }
    if (gc_slice_equal_nocase(type, "application/json")) {
        *out = CHAT_FORM_JSON;
        return APR_SUCCESS;
    }
    return APR_ENOTIMPL;
}

apr_status_t chat_form_read(chat_form_t *form, chat_form_type_e type, gc_slice_t content_type,
                            gc_slice_t body, chat_form_fault_t *fault, apr_pool_t *pool)
{
    memset(form, 0, sizeof(*form));
    switch (type) {
    case CHAT_FORM_URLENCODED:
        return read_form(body, form, fault, pool);
    case CHAT_FORM_JSON:
        return read_json(body, form, fault, pool);
    default:
        return read_multipart(content_type, body, form, fault, pool);
    }
}
