#include "chat_multipart.h"

/* A parameter of a header, "; name=value". */
typedef struct parameter_t {
    gc_slice_t name;
    gc_slice_t value; /* without its quotes, still escaped */
    int is_quoted;
} parameter_t;

/* The headers of a part that matter; data is NULL where there was none. */
typedef struct headers_t {
    gc_slice_t disposition;
    gc_slice_t type;
    gc_slice_t encoding;
} headers_t;

static gc_slice_t skip(gc_slice_t s, apr_size_t len)
{
    return len ? gc_slice(s.data + len, s.len - len) : s;
}

/* The marks of a token (RFC 9110, 5.6.2) and of a boundary (RFC 2046, 5.1.1), besides letters and
 * digits. */
#define TOKEN_MARKS    "!#$%&'*+-.^_`|~"
#define BOUNDARY_MARKS "'()+_,-./:=? "

#define BOUNDARY_REFUSED "the boundary is not 1 to 70 of the characters that RFC 2046 allows"

/* How many bytes at the front of s are letters, digits and marks. */
static apr_size_t span(gc_slice_t s, const char *marks)
{
    apr_size_t i;

    for (i = 0; i < s.len; i++) {
        char c = s.data[i];
        int is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!is_letter && (!c || !strchr(marks, c))) {
            break;
        }
    }
    return i;
}

/* Whether an escape by backslash begins at i. */
static int is_pair(gc_slice_t s, apr_size_t i)
{
    return s.len - i >= 2 && s.data[i] == '\\' && (s.data[i + 1] == '\\' || s.data[i + 1] == '"');
}

static gc_slice_t token_cut(gc_slice_t *rest)
{
    gc_slice_t token = gc_slice(rest->data, span(*rest, TOKEN_MARKS));

    *rest = skip(*rest, token.len);
    return token;
}

/* Cut the text between two quotes; *rest begins with the first one. */
static apr_status_t quoted_cut(gc_slice_t *rest, gc_slice_t *inside)
{
    apr_size_t i;

    for (i = 1; i < rest->len && rest->data[i] != '"'; i++) {
        if (is_pair(*rest, i)) {
            i++;
        }
    }
    if (i >= rest->len) {
        return APR_EINVAL;
    }
    *inside = gc_slice(rest->data + 1, i - 1);
    *rest = skip(*rest, i + 1);
    return APR_SUCCESS;
}

/* The first item of a header value, up to its parameters, which *rest keeps. */
static gc_slice_t item_cut(gc_slice_t *rest)
{
    const char *at = rest->len ? memchr(rest->data, ';', rest->len) : NULL;
    apr_size_t len = at ? (apr_size_t)(at - rest->data) : rest->len;
    gc_slice_t item = gc_slice(rest->data, len);

    *rest = skip(*rest, len);
    return gc_slice_trim(item);
}

/* Cut the next parameter; APR_EOF if there is none. Empty ones are allowed (RFC 9110, 5.6.6). */
static apr_status_t parameter_cut(gc_slice_t *rest, parameter_t *parameter)
{
    do {
        *rest = gc_slice_trim(*rest);
        if (rest->len == 0) {
            return APR_EOF;
        }
        if (rest->data[0] != ';') {
            return APR_EINVAL;
        }
        *rest = gc_slice_trim(skip(*rest, 1));
    } while (rest->len == 0 || rest->data[0] == ';');
    parameter->name = token_cut(rest);
    if (parameter->name.len == 0 || rest->len < 2 || rest->data[0] != '=') {
        return APR_EINVAL;
    }
    *rest = skip(*rest, 1);
    parameter->is_quoted = rest->data[0] == '"';
    if (parameter->is_quoted) {
        return quoted_cut(rest, &parameter->value);
    }
    parameter->value = token_cut(rest);
    return parameter->value.len ? APR_SUCCESS : APR_EINVAL;
}

/* Find the one parameter of a name; APR_EINVAL if there are two or any parameter is malformed. */
static apr_status_t parameter_find(gc_slice_t rest, const char *name, parameter_t *out)
{
    apr_status_t found = APR_ENOENT;
    parameter_t parameter;
    apr_status_t rv;

    while ((rv = parameter_cut(&rest, &parameter)) == APR_SUCCESS) {
        if (!gc_slice_equal_nocase(parameter.name, name)) {
            continue;
        }
        if (found == APR_SUCCESS) {
            return APR_EINVAL;
        }
        *out = parameter;
        found = APR_SUCCESS;
    }
    return rv == APR_EOF ? found : rv;
}

static int is_boundary(gc_slice_t s)
{
    return s.len >= 1 && s.len <= CHAT_MULTIPART_BOUNDARY_MAX && span(s, BOUNDARY_MARKS) == s.len &&
           s.data[s.len - 1] != ' ';
}

apr_status_t chat_multipart_boundary(gc_slice_t content_type, gc_slice_t *boundary,
                                     const char **why)
{
    gc_slice_t rest = gc_slice_trim(content_type);
    gc_slice_t type = item_cut(&rest);
    parameter_t parameter;
    apr_status_t rv;

    if (!gc_slice_equal_nocase(type, "multipart/form-data")) {
        *why = "the content type is not multipart/form-data";
        return APR_EINVAL;
    }
    rv = parameter_find(rest, "boundary", &parameter);
    if (rv != APR_SUCCESS) {
        *why = rv == APR_ENOENT ? "the content type has no boundary"
                                : "the content type has malformed parameters or two boundaries";
        return APR_EINVAL;
    }
    /* An escape would need a copy, but no character of a boundary needs one. */
    if (!is_boundary(parameter.value)) {
        *why = BOUNDARY_REFUSED;
        return APR_EINVAL;
    }
    *boundary = parameter.value;
    return APR_SUCCESS;
}

/* Where needle, which begins with CR and has no other, occurs first in s; s.len if it does not.
 * Because of that one CR no byte is compared twice, whatever a client sends. */
static apr_size_t find(gc_slice_t s, gc_slice_t needle)
{
    apr_size_t from = 0;

    while (s.len - from >= needle.len) {
        const char *at = memchr(s.data + from, '\r', s.len - from - needle.len + 1);

        if (!at) {
            break;
        }
        from = (apr_size_t)(at - s.data);
        if (memcmp(at, needle.data, needle.len) == 0) {
            return from;
        }
        from++;
    }
    return s.len;
}

static apr_status_t refuse(chat_multipart_t *cursor, const char *why)
{
    cursor->why = why;
    cursor->done = APR_EINVAL;
    return APR_EINVAL;
}

apr_status_t chat_multipart_open(chat_multipart_t *cursor, gc_slice_t body, gc_slice_t boundary)
{
    gc_slice_t delimiter;
    apr_size_t at;

    memset(cursor, 0, sizeof(*cursor));
    if (!is_boundary(boundary)) {
        return refuse(cursor, BOUNDARY_REFUSED);
    }
    memcpy(cursor->delimiter, "\r\n--", 4);
    memcpy(cursor->delimiter + 4, boundary.data, boundary.len);
    cursor->delimiter_len = 4 + boundary.len;
    delimiter = gc_slice(cursor->delimiter, cursor->delimiter_len);
    if (gc_slice_starts(body, skip(delimiter, 2))) {
        cursor->rest = skip(body, delimiter.len - 2);
        return APR_SUCCESS;
    }
    at = find(body, delimiter);
    if (at == body.len || at > CHAT_MULTIPART_OUTSIDE_MAX) {
        return refuse(cursor, "the body does not begin with the boundary");
    }
    cursor->rest = skip(body, at + delimiter.len);
    return APR_SUCCESS;
}

/* Cut a header line off *rest, without its CRLF; the reason if it is none. */
static const char *line_cut(gc_slice_t *rest, gc_slice_t *line)
{
    apr_size_t len = find(*rest, gc_slice("\r\n", 2));
    apr_size_t i;

    if (len == rest->len) {
        return "a part has no empty line after its headers";
    }
    if (len > CHAT_MULTIPART_LINE_MAX) {
        return "a part has a header that is too long";
    }
    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)rest->data[i];

        if ((c < ' ' && c != '\t') || c == 127) {
            return "a part has a control character in its headers";
        }
    }
    *line = gc_slice(rest->data, len);
    *rest = skip(*rest, len + 2);
    return NULL;
}

static const char *header_take(gc_slice_t line, headers_t *headers)
{
    gc_slice_t value = line;
    gc_slice_t name = token_cut(&value);
    gc_slice_t *slot = NULL;

    /* A folded line begins with a space and so has no name. */
    if (name.len == 0 || value.len == 0 || value.data[0] != ':') {
        return "a part has a malformed header";
    }
    if (gc_slice_equal_nocase(name, "content-disposition")) {
        slot = &headers->disposition;
    }
    else if (gc_slice_equal_nocase(name, "content-type")) {
        slot = &headers->type;
    }
    else if (gc_slice_equal_nocase(name, "content-transfer-encoding")) {
        slot = &headers->encoding;
    }
    if (slot && slot->data) {
        return "a part has the same header twice";
    }
    if (slot) {
        *slot = gc_slice_trim(skip(value, 1));
    }
    return NULL;
}

/* Cut the headers and the empty line off *rest; the reason if they are malformed. */
static const char *headers_cut(gc_slice_t *rest, headers_t *headers)
{
    int count;

    for (count = 0; count <= CHAT_MULTIPART_HEADERS_MAX; count++) {
        gc_slice_t line;
        const char *why = line_cut(rest, &line);

        if (!why && line.len == 0) {
            return NULL;
        }
        if (!why) {
            why = header_take(line, headers);
        }
        if (why) {
            return why;
        }
    }
    return "a part has too many headers";
}

/* The byte that an escape at i stands for, and its length; any other byte stands for itself. */
static char unescape(gc_slice_t s, apr_size_t i, apr_size_t *len)
{
    static const char *const escapes[] = {"%22\"", "%0D\r", "%0A\n"};
    apr_size_t e;

    for (e = 0; e < sizeof(escapes) / sizeof(escapes[0]); e++) {
        if (gc_slice_starts(skip(s, i), gc_slice(escapes[e], 3))) {
            *len = 3;
            return escapes[e][3];
        }
    }
    *len = is_pair(s, i) ? 2 : 1;
    return s.data[i + *len - 1];
}

static gc_slice_t name_unescape(gc_slice_t s, apr_pool_t *pool)
{
    char *name;
    apr_size_t used = 0;
    apr_size_t i = 0;

    if (!memchr(s.data, '\\', s.len) && !memchr(s.data, '%', s.len)) {
        return s;
    }
    name = apr_palloc(pool, s.len);
    while (i < s.len) {
        apr_size_t len;

        name[used++] = unescape(s, i, &len);
        i += len;
    }
    return gc_slice(name, used);
}

static const char *disposition_take(gc_slice_t rest, chat_multipart_part_t *part, apr_pool_t *pool)
{
    parameter_t parameter;
    apr_status_t rv;

    if (!rest.data) {
        return "a part has no Content-Disposition";
    }
    if (!gc_slice_equal_nocase(item_cut(&rest), "form-data")) {
        return "a part's Content-Disposition is not form-data";
    }
    /* The extended notation (RFC 5987) would be a second name that only some parsers see. */
    if (parameter_find(rest, "name*", &parameter) != APR_ENOENT) {
        return "a part's Content-Disposition is malformed or has name*";
    }
    rv = parameter_find(rest, "name", &parameter);
    if (rv != APR_SUCCESS || parameter.value.len == 0) {
        return rv == APR_EINVAL ? "a part has two names" : "a part has no name";
    }
    part->name = parameter.is_quoted ? name_unescape(parameter.value, pool) : parameter.value;
    part->is_file = parameter_find(rest, "filename", &parameter) != APR_ENOENT ||
                    parameter_find(rest, "filename*", &parameter) != APR_ENOENT;
    return NULL;
}

static int is_ascii(gc_slice_t s)
{
    apr_size_t i;

    for (i = 0; i < s.len; i++) {
        if ((unsigned char)s.data[i] > 127) {
            return 0;
        }
    }
    return 1;
}

/* Whether a part's bytes mean the same in UTF-8, as which they are taken, and in the charset that it
 * says. Java's HttpClient says ISO-8859-1 whenever it is not told better. */
static int is_utf8_too(gc_slice_t type, gc_slice_t value)
{
    parameter_t charset;
    apr_status_t rv;

    item_cut(&type);
    rv = parameter_find(type, "charset", &charset);
    if (rv != APR_SUCCESS) {
        return rv == APR_ENOENT;
    }
    return gc_slice_equal_nocase(charset.value, "utf-8") ||
           (is_ascii(value) && (gc_slice_equal_nocase(charset.value, "us-ascii") ||
                                gc_slice_equal_nocase(charset.value, "iso-8859-1")));
}

static int is_encoding_plain(gc_slice_t encoding)
{
    return gc_slice_equal_nocase(encoding, "7bit") || gc_slice_equal_nocase(encoding, "8bit") ||
           gc_slice_equal_nocase(encoding, "binary");
}

/* Make a part of the bytes between two delimiters; the reason if they are none. */
static const char *part_take(gc_slice_t bytes, chat_multipart_part_t *part, apr_pool_t *pool)
{
    headers_t headers = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    const char *why = headers_cut(&bytes, &headers);

    if (!why) {
        why = disposition_take(headers.disposition, part, pool);
    }
    if (why) {
        return why;
    }
    if (headers.encoding.data && !is_encoding_plain(headers.encoding)) {
        return "a part has a Content-Transfer-Encoding, which RFC 7578 does not allow";
    }
    if (!part->is_file && !is_utf8_too(headers.type, bytes)) {
        return "a part has another charset than UTF-8, or a malformed Content-Type";
    }
    part->content_type = headers.type;
    part->value = bytes;
    return NULL;
}

/* Skip the white space that RFC 2046 lets mail gateways add to a delimiter. */
static gc_slice_t padding_skip(gc_slice_t s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s = skip(s, 1);
    }
    return s;
}

static apr_status_t close_take(chat_multipart_t *cursor)
{
    gc_slice_t rest = padding_skip(skip(cursor->rest, 2));

    if (rest.len && !gc_slice_starts(rest, gc_slice("\r\n", 2))) {
        return refuse(cursor, "a boundary is followed by something else on its line");
    }
    if (rest.len > 2 + CHAT_MULTIPART_OUTSIDE_MAX ||
        find(rest, gc_slice(cursor->delimiter, cursor->delimiter_len)) != rest.len)
    {
        return refuse(cursor, "too much, or a boundary, follows the closing boundary");
    }
    cursor->done = APR_EOF;
    return APR_EOF;
}

apr_status_t chat_multipart_next(chat_multipart_t *cursor, chat_multipart_part_t *part,
                                 apr_pool_t *pool)
{
    chat_multipart_part_t found = {{NULL, 0}, {NULL, 0}, {NULL, 0}, 0};
    gc_slice_t rest;
    apr_size_t end;
    const char *why;

    if (cursor->done != APR_SUCCESS) {
        return cursor->done;
    }
    if (gc_slice_starts(cursor->rest, gc_slice("--", 2))) {
        return close_take(cursor);
    }
    rest = padding_skip(cursor->rest);
    if (!gc_slice_starts(rest, gc_slice("\r\n", 2))) {
        return refuse(cursor, "a boundary is followed by something else on its line");
    }
    if (++cursor->parts > CHAT_MULTIPART_PARTS_MAX) {
        return refuse(cursor, "the body has too many parts");
    }
    /* The CRLF of this line may be that of the next delimiter, so it is searched from there: a header
     * that looks like a delimiter is one. */
    end = find(rest, gc_slice(cursor->delimiter, cursor->delimiter_len));
    if (end == rest.len) {
        return refuse(cursor, "the body has no closing boundary");
    }
    why = part_take(end ? gc_slice(rest.data + 2, end - 2) : gc_slice(rest.data, 0), &found, pool);
    if (why) {
        return refuse(cursor, why);
    }
    cursor->rest = skip(rest, end + cursor->delimiter_len);
    *part = found;
    return APR_SUCCESS;
}
