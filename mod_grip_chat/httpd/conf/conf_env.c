#include "conf_env.h"

#include <apr_env.h>
#include <apr_file_io.h>

#include "gc_dotenv.h"

apr_status_t conf_env_read_text(const char **out, const char *path, apr_size_t max_bytes,
                                apr_pool_t *pool)
{
    char *text = apr_palloc(pool, max_bytes + 2);
    apr_size_t len = 0;
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_file_read_full(file, text, max_bytes + 1, &len);
    (void)apr_file_close(file);
    if (rv == APR_SUCCESS) {
        return APR_ENOSPC;
    }
    if (!APR_STATUS_IS_EOF(rv)) {
        return rv;
    }
    if (memchr(text, '\0', len)) {
        return APR_EINVAL;
    }
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
        len--;
    }
    text[len] = '\0';
    *out = text;
    return APR_SUCCESS;
}

const char *conf_env_read(apr_hash_t **out, const char *path, apr_pool_t *pool)
{
    apr_hash_t *env = apr_hash_make(pool);
    gc_dotenv_fault_t fault;
    const char *text;
    char reason[120];
    apr_status_t rv = conf_env_read_text(&text, path, CONF_ENV_MAX_BYTES, pool);

    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "cannot read '%s': %s; name a readable .env file", path,
                            rv == APR_ENOSPC ? "it is too large"
                                             : apr_strerror(rv, reason, sizeof(reason)));
    }
    if (gc_dotenv_read(env, gc_slice_of(text), &fault, pool) != APR_SUCCESS) {
        return apr_psprintf(pool,
                            "the quote of %s in line %d of '%s' is not closed; write it again at "
                            "the end of the value",
                            fault.key, fault.line, path);
    }
    *out = env;
    return NULL;
}

const char *conf_env_get(apr_hash_t *env, const char *key, apr_pool_t *pool)
{
    char *of_process = NULL;
    const char *of_file;

    if (apr_env_get(&of_process, key, pool) == APR_SUCCESS && *of_process) {
        return of_process;
    }
    of_file = env ? apr_hash_get(env, key, APR_HASH_KEY_STRING) : NULL;
    return of_file && *of_file ? of_file : NULL;
}
