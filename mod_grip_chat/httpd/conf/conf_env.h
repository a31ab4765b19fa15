/* The .env file that users of the original chat have. */
#ifndef CONF_ENV_H
#define CONF_ENV_H

#include <apr_hash.h>

/** The largest .env file that is read. */
#define CONF_ENV_MAX_BYTES (64 * 1024)

/**
 * Read a .env file: see gc_dotenv.h.
 *
 * @param out   the pairs, strings by strings, owned by pool; untouched on failure
 * @param path  the file
 * @return NULL, or a sentence about the fault, owned by pool, without any value
 */
const char *conf_env_read(apr_hash_t **out, const char *path, apr_pool_t *pool);

/**
 * Look a key up by the order of authority: the process's environment, then the file. Empty counts as
 * not given.
 *
 * @param env  the pairs from conf_env_read, or NULL
 * @return the value, owned by pool, or NULL
 */
const char *conf_env_get(apr_hash_t *env, const char *key, apr_pool_t *pool);

/**
 * Read a whole file of at most max_bytes bytes without NUL, less the line end at its end.
 *
 * @return APR_SUCCESS, APR_ENOSPC if it is larger, APR_EINVAL if it holds a NUL, or the system's status
 */
apr_status_t conf_env_read_text(const char **out, const char *path, apr_size_t max_bytes,
                                apr_pool_t *pool);

#endif
