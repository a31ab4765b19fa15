#include "gc_buffer.h"

#include "gc_assert.h"

gc_buffer_t gc_buffer_make(apr_size_t capacity, apr_pool_t *pool)
{
    gc_buffer_t buffer = {apr_palloc(pool, capacity + 1), 0, capacity + 1, pool};

    buffer.data[0] = '\0';
    return buffer;
}

void gc_buffer_append(gc_buffer_t *buffer, gc_slice_t s)
{
    GC_ASSERT(buffer->len < buffer->capacity);
    GC_ASSERT(s.len == 0 || s.data + s.len <= buffer->data ||
              s.data >= buffer->data + buffer->capacity);
    if (s.len == 0) {
        return;
    }
    if (s.len >= buffer->capacity - buffer->len) {
        apr_size_t capacity = buffer->capacity * 2 + s.len;
        char *data = apr_palloc(buffer->pool, capacity);

        memcpy(data, buffer->data, buffer->len);
        buffer->data = data;
        buffer->capacity = capacity;
    }
    memcpy(buffer->data + buffer->len, s.data, s.len);
    buffer->len += s.len;
    buffer->data[buffer->len] = '\0';
}

void gc_buffer_append_int64(gc_buffer_t *buffer, apr_int64_t number)
{
    char digits[20]; /* of -9223372036854775808 */
    char *at = digits + sizeof(digits);
    apr_uint64_t rest = number < 0 ? 0 - (apr_uint64_t)number : (apr_uint64_t)number;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        *--at = '-';
    }
    gc_buffer_append(buffer, gc_slice(at, (apr_size_t)(digits + sizeof(digits) - at)));
}
