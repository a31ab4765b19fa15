#include "mod_grip_chat_env.h"

#include <apr_env.h>
#include <apr_file_io.h>

#include "gc_slice.h"

apr_status_t grip_chat_env_read_text(const char **out, const char *path, apr_size_t max_bytes,
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

/* The value behind the "=": without the quotes around it, or without a comment behind it. */
static gc_slice_t read_value(gc_slice_t s)
{
    apr_size_t i;

    s = gc_slice_trim(s);
    if (s.len && (s.data[0] == '"' || s.data[0] == '\'')) {
        const char *end = s.len > 1 ? memchr(s.data + 1, s.data[0], s.len - 1) : NULL;

        if (end) {
            return gc_slice(s.data + 1, (apr_size_t)(end - s.data - 1));
        }
    }
    for (i = 1; i < s.len; i++) {
        if (s.data[i] == '#' && (s.data[i - 1] == ' ' || s.data[i - 1] == '\t')) {
            return gc_slice_trim(gc_slice(s.data, i));
        }
    }
    return s;
}

static int is_key(gc_slice_t key)
{
    apr_size_t i;

    for (i = 0; i < key.len; i++) {
        char c = key.data[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '.' ||
              (i > 0 && ((c >= '0' && c <= '9') || c == '-'))))
        {
            return 0;
        }
    }
    return key.len > 0;
}

/* Take one line into the table; 0 if it is not a pair, a comment or empty. */
static int take_line(apr_table_t *env, gc_slice_t line, apr_pool_t *pool)
{
    gc_slice_t export_word = gc_slice_of("export ");
    gc_slice_t rest;
    gc_slice_t key;

    if (line.len && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    rest = gc_slice_trim(line);
    if (rest.len == 0 || rest.data[0] == '#') {
        return 1;
    }
    if (gc_slice_starts(rest, export_word)) {
        rest = gc_slice(rest.data + export_word.len, rest.len - export_word.len);
    }
    if (gc_slice_until(&rest, '=', &key) != APR_SUCCESS) {
        return 0;
    }
    key = gc_slice_trim(key);
    if (!is_key(key)) {
        return 0;
    }
    apr_table_setn(env, gc_slice_dup(key, pool), gc_slice_dup(read_value(rest), pool));
    return 1;
}

const char *grip_chat_env_read(apr_table_t **out, const char *path, apr_pool_t *pool)
{
    apr_table_t *env = apr_table_make(pool, 8);
    const char *text;
    gc_slice_t rest;
    int number = 0;
    char reason[120];
    apr_status_t rv = grip_chat_env_read_text(&text, path, GRIP_CHAT_ENV_MAX_BYTES, pool);

    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "cannot read '%s': %s; name a readable .env file", path,
                            rv == APR_ENOSPC ? "it is too large"
                                             : apr_strerror(rv, reason, sizeof(reason)));
    }
    rest = gc_slice_of(text);
    while (rest.len) {
        number++;
        if (!take_line(env, gc_slice_piece(&rest, '\n'), pool)) {
            return apr_psprintf(pool,
                                "line %d of '%s' is not KEY=value; write it so, or begin it "
                                "with #",
                                number, path);
        }
    }
    *out = env;
    return NULL;
}

const char *grip_chat_env_get(const apr_table_t *env, const char *key, apr_pool_t *pool)
{
    char *of_process = NULL;
    const char *of_file;

    if (apr_env_get(&of_process, key, pool) == APR_SUCCESS && *of_process) {
        return of_process;
    }
    of_file = env ? apr_table_get(env, key) : NULL;
    return of_file && *of_file ? of_file : NULL;
}
