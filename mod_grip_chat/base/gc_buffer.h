/* Bytes that grow at the end, in a pool. For answers and wire frames that are built piece by piece. */
#ifndef GC_BUFFER_H
#define GC_BUFFER_H

#include "gc_slice.h"

/** Growable bytes; data[len] is always NUL. Not thread-safe; lives as long as its pool. */
typedef struct gc_buffer_t {
    char *data;
    apr_size_t len;
    apr_size_t capacity; /**< bytes at data, the NUL included */
    apr_pool_t *pool;
} gc_buffer_t;

/** Make an empty buffer with room for capacity bytes (at least 1) in pool. */
gc_buffer_t gc_buffer_make(apr_size_t capacity, apr_pool_t *pool);

/** Append the bytes of s, which must not lie in the buffer itself. Running out of memory ends the
 *  process through the pool's abort function, as everywhere in APR. */
void gc_buffer_append(gc_buffer_t *buffer, gc_slice_t s);

/** Append a C string. Inline, so that the length of a literal is known when it is compiled. */
static inline void gc_buffer_append_text(gc_buffer_t *buffer, const char *text)
{
    gc_buffer_append(buffer, gc_slice_of(text));
}

/** Append a number in decimal. */
void gc_buffer_append_int64(gc_buffer_t *buffer, apr_int64_t number);

/** View all appended bytes; valid until the next append. */
static inline gc_slice_t gc_buffer_slice(const gc_buffer_t *buffer)
{
    return gc_slice(buffer->data, buffer->len);
}

#endif
