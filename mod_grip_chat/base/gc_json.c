#include "gc_json.h"

#include <jansson.h>

/* A gc_json_t is a json_t under another name, so that jansson's header stays in this file. */
static const json_t *unwrap(const gc_json_t *object)
{
    return (const json_t *)(const void *)object;
}

static apr_status_t release(void *data)
{
    json_decref(data);
    return APR_SUCCESS;
}

apr_status_t gc_json_parse_object(const gc_json_t **out, gc_slice_t text, apr_pool_t *pool)
{
    json_error_t where;
    json_t *value = json_loadb(text.len ? text.data : "", text.len,
                               JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);

    if (!value) {
        return APR_EINVAL;
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return APR_EINVAL;
    }
    apr_pool_cleanup_register(pool, value, release, apr_pool_cleanup_null);
    *out = (const gc_json_t *)(const void *)value;
    return APR_SUCCESS;
}

apr_status_t gc_json_get_string(gc_slice_t *out, const gc_json_t *object, const char *name)
{
    const json_t *value = json_object_get(unwrap(object), name);

    if (!value) {
        return APR_ENOENT;
    }
    if (!json_is_string(value)) {
        return APR_EINVAL;
    }
    *out = gc_slice(json_string_value(value), json_string_length(value));
    return APR_SUCCESS;
}

apr_status_t gc_json_get_number(double *out, const gc_json_t *object, const char *name)
{
    const json_t *value = json_object_get(unwrap(object), name);

    if (!value) {
        return APR_ENOENT;
    }
    if (!json_is_number(value)) {
        return APR_EINVAL;
    }
    *out = json_number_value(value);
    return APR_SUCCESS;
}

static int append_piece(const char *piece, size_t len, void *data)
{
    gc_buffer_append(data, gc_slice(piece, len));
    return 0;
}

apr_status_t gc_json_append_string(gc_buffer_t *buffer, gc_slice_t text)
{
    json_t *value = json_stringn(text.len ? text.data : "", text.len);
    int failed;

    if (!value) {
        return APR_EINVAL;
    }
    failed = json_dump_callback(value, append_piece, buffer, JSON_ENCODE_ANY);
    json_decref(value);
    return failed ? APR_EINVAL : APR_SUCCESS;
}
