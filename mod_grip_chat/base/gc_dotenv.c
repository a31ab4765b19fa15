#include "gc_dotenv.h"

/* Where the reading of a file stands. */
typedef struct cursor_t {
    gc_slice_t rest;
    int line;        /* of the front of rest, from 1 */
    const char *key; /* read last */
} cursor_t;

static void advance(cursor_t *cursor, apr_size_t count)
{
    while (count--) {
        cursor->line += *cursor->rest.data == '\n';
        cursor->rest.data++;
        cursor->rest.len--;
    }
}

/* How many bytes at the front are before the end of the line. */
static apr_size_t line_len(const cursor_t *cursor)
{
    const char *end = cursor->rest.len ? memchr(cursor->rest.data, '\n', cursor->rest.len) : NULL;

    return end ? (apr_size_t)(end - cursor->rest.data) : cursor->rest.len;
}

/* The character for a backslash and this one, 0 where it is no escape. */
static char unescape(char quote, char c)
{
    if (c == '\\' || c == quote) {
        return c;
    }
    return quote == '\'' ? 0 : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : 0;
}

/* Read a value in quotes, the cursor at the first; 0 where the other is missing. */
static int read_quoted(cursor_t *cursor, char *value)
{
    char quote = *cursor->rest.data;
    apr_size_t i;

    for (i = 1; i < cursor->rest.len && cursor->rest.data[i] != quote; i++) {
        char c = cursor->rest.data[i];
        char meant =
            c == '\\' && i + 1 < cursor->rest.len ? unescape(quote, cursor->rest.data[i + 1]) : 0;

        i += meant != 0;
        *value++ = meant ? meant : c;
    }
    *value = '\0';
    if (i >= cursor->rest.len) {
        return 0;
    }
    advance(cursor, i + 1);
    return 1;
}

/* The value of the rest of a line, without the comment behind it. */
static gc_slice_t unquoted_value(gc_slice_t s)
{
    apr_size_t i;

    if (s.len && s.data[s.len - 1] == '\r') {
        s.len--;
    }
    for (i = 0; i < s.len; i++) {
        if (s.data[i] == '#' && (i == 0 || s.data[i - 1] == ' ' || s.data[i - 1] == '\t')) {
            s.len = i;
        }
    }
    return gc_slice_trim(s);
}

/* The key of a line, empty where the line is none of ours; *used tells how far it went. */
static gc_slice_t read_key(gc_slice_t line, apr_size_t *used)
{
    gc_slice_t export_word = gc_slice_of("export ");
    gc_slice_t rest = line;
    gc_slice_t key;

    *used = line.len;
    if (gc_slice_until(&rest, '=', &key) != APR_SUCCESS) {
        return gc_slice("", 0);
    }
    *used = line.len - rest.len;
    key = gc_slice_trim(key);
    if (gc_slice_starts(key, export_word)) {
        key = gc_slice_trim(gc_slice(key.data + export_word.len, key.len - export_word.len));
    }
    return key.len && key.data[0] != '#' ? key : gc_slice("", 0);
}

/* Take one line, or more where a quoted value goes on; 0 where a quote is not closed. */
static int take_pair(apr_hash_t *env, cursor_t *cursor, apr_pool_t *pool)
{
    gc_slice_t line = gc_slice(cursor->rest.data, line_len(cursor));
    apr_size_t used;
    gc_slice_t key = read_key(line, &used);
    char *value;

    cursor->key = gc_slice_dup(key, pool);
    advance(cursor, used);
    while (key.len && cursor->rest.len && (*cursor->rest.data == ' ' || *cursor->rest.data == '\t'))
    {
        advance(cursor, 1);
    }
    if (key.len && cursor->rest.len && (*cursor->rest.data == '"' || *cursor->rest.data == '\'')) {
        value = apr_palloc(pool, cursor->rest.len + 1);
        if (!read_quoted(cursor, value)) {
            return 0;
        }
    }
    else {
        value = gc_slice_dup(unquoted_value(gc_slice(cursor->rest.data, line_len(cursor))), pool);
    }
    if (key.len) {
        apr_hash_set(env, cursor->key, APR_HASH_KEY_STRING, value);
    }
    advance(cursor, line_len(cursor));
    advance(cursor, cursor->rest.len > 0);
    return 1;
}

apr_status_t gc_dotenv_read(apr_hash_t *pairs, gc_slice_t text, gc_dotenv_fault_t *fault,
                            apr_pool_t *pool)
{
    cursor_t cursor = {text, 1, ""};

    while (cursor.rest.len) {
        int line = cursor.line;

        if (!take_pair(pairs, &cursor, pool)) {
            fault->line = line;
            fault->key = cursor.key;
            return APR_EINVAL;
        }
    }
    return APR_SUCCESS;
}
