/* The text of a .env file: KEY=value lines, as python-dotenv reads them. */
#ifndef GC_DOTENV_H
#define GC_DOTENV_H

#include <apr_hash.h>

#include "gc_slice.h"

/** The place of a quote that is not closed. */
typedef struct gc_dotenv_fault_t {
    int line;        /**< that the value begins in, from 1 */
    const char *key; /**< of the value, owned by the pool of the reading */
} gc_dotenv_fault_t;

/**
 * Read the text of a .env file: `KEY=value` or `export KEY=value`. Values in double quotes have the
 * escapes \n \r \t \" \\, those in single quotes \' and \\; both go on across lines. A `#` begins a
 * comment, behind an unquoted value after white space. Lines without "=" are passed over. Nothing is
 * expanded. Pure.
 *
 * @param pairs  gets the pairs, strings by strings, owned by pool; on failure those before the fault
 * @param text   without NUL
 * @param fault  set on failure
 * @return APR_SUCCESS, or APR_EINVAL if a quote is not closed
 */
apr_status_t gc_dotenv_read(apr_hash_t *pairs, gc_slice_t text, gc_dotenv_fault_t *fault,
                            apr_pool_t *pool);

#endif
