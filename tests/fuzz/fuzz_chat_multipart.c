/* chat_multipart: a client chooses every byte of the Content-Type and of the body. The first line of
 * an input is the Content-Type, what follows is the body. */
#include "chat_multipart.h"
#include "fuzz_base.h"

static int is_inside(gc_slice_t inner, gc_slice_t outer)
{
    return inner.data >= outer.data && inner.len <= outer.len &&
           (apr_size_t)(inner.data - outer.data) <= outer.len - inner.len;
}

/* A value that held a delimiter would be two parts to another parser. */
static int holds(gc_slice_t s, gc_slice_t needle)
{
    apr_size_t i;

    for (i = 0; i + needle.len <= s.len; i++) {
        if (memcmp(s.data + i, needle.data, needle.len) == 0) {
            return 1;
        }
    }
    return 0;
}

static void check_part(const chat_multipart_t *cursor, const chat_multipart_part_t *part,
                       gc_slice_t body)
{
    FUZZ_CHECK(part->name.len > 0 && part->name.len <= CHAT_MULTIPART_LINE_MAX);
    FUZZ_CHECK(!memchr(part->name.data, '\0', part->name.len));
    FUZZ_CHECK(is_inside(part->value, body));
    FUZZ_CHECK(part->content_type.len == 0 || is_inside(part->content_type, body));
    FUZZ_CHECK(is_inside(cursor->rest, body));
    FUZZ_CHECK(!holds(part->value, gc_slice(cursor->delimiter, cursor->delimiter_len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gc_slice_t body = fuzz_slice(data, size);
    gc_slice_t type;
    gc_slice_t boundary;
    chat_multipart_t cursor;
    chat_multipart_part_t part;
    const char *why = NULL;
    apr_pool_t *pool;
    apr_status_t rv;

    if (gc_slice_until(&body, '\n', &type) != APR_SUCCESS) {
        return 0;
    }
    if (chat_multipart_boundary(type, &boundary, &why) != APR_SUCCESS) {
        FUZZ_CHECK(why != NULL);
        return 0;
    }
    FUZZ_CHECK(is_inside(boundary, type) && boundary.len >= 1);
    FUZZ_CHECK(boundary.len <= CHAT_MULTIPART_BOUNDARY_MAX);
    pool = fuzz_pool_make();
    rv = chat_multipart_open(&cursor, body, boundary);
    while (rv == APR_SUCCESS) {
        rv = chat_multipart_next(&cursor, &part, pool);
        if (rv == APR_SUCCESS) {
            check_part(&cursor, &part, body);
        }
    }
    FUZZ_CHECK(rv == APR_EOF || (rv == APR_EINVAL && cursor.why));
    FUZZ_CHECK(chat_multipart_next(&cursor, &part, pool) == rv);
    FUZZ_CHECK(cursor.parts <= CHAT_MULTIPART_PARTS_MAX + 1);
    apr_pool_destroy(pool);
    return 0;
}
