/* Idempotency keys: a sender gives one to a message, so that it can be sent again and is stored
 * once (draft-ietf-httpapi-idempotency-key-header). */
#ifndef CHAT_KEY_H
#define CHAT_KEY_H

#include "gc_slice.h"

/**
 * Read the value of an Idempotency-Key header: a string of RFC 9651, section 3.3.3, in double quotes
 * and without parameters, or the same characters bare, as many clients send it. A key has 1 to
 * CHAT_KEY_MAX_CHARS characters, each visible ASCII; bare it holds none of `"`, `,`, `;` and `\`.
 *
 * @param key    owned by pool, followed by a NUL; untouched on failure
 * @param value  as it came
 * @return APR_SUCCESS, or APR_EINVAL. Thread-safe with a pool of one's own.
 */
apr_status_t chat_key_parse(gc_slice_t *key, gc_slice_t value, apr_pool_t *pool);

/** Whether a key is one that chat_key_parse could have given. Pure. */
int chat_key_is_valid(gc_slice_t key);

#endif
