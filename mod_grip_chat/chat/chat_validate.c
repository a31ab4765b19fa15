#include "chat_validate.h"

#include "chat_unseen.h"

/* The code point at the front of s, its length in *len; 0x110000 where the bytes are not UTF-8. */
#define NOT_UTF8 0x110000u

static unsigned decode_front(gc_slice_t s, apr_size_t *len)
{
    const unsigned char *p = (const unsigned char *)s.data;
    unsigned lowest;
    unsigned code;
    apr_size_t i;

    if (p[0] < 0x80) {
        *len = 1;
        return p[0];
    }
    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        *len = 2;
        lowest = 0x80;
    }
    else if ((p[0] & 0xF0) == 0xE0) {
        *len = 3;
        lowest = 0x800;
    }
    else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        *len = 4;
        lowest = 0x10000;
    }
    else {
        return NOT_UTF8;
    }
    if (*len > s.len) {
        return NOT_UTF8;
    }
    code = p[0] & (0x7Fu >> *len);
    for (i = 1; i < *len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return NOT_UTF8;
        }
        code = code << 6 | (p[i] & 0x3F);
    }
    return code < lowest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) ? NOT_UTF8 : code;
}

/* The kind of a value, which decides its characters beside plain ones. */
typedef enum kind_e { KIND_ROOM, KIND_NAME, KIND_TEXT } kind_e;

/* C0, DEL and C1; a text may have tabs and line ends. */
static int is_control(unsigned code, kind_e kind)
{
    return (code < 0x20 || (code >= 0x7F && code < 0xA0)) &&
           !(kind == KIND_TEXT && (code == '\t' || code == '\n' || code == '\r'));
}

/* Judge the characters of s, and count them. */
static chat_verdict_e scan(gc_slice_t s, kind_e kind, apr_size_t *chars)
{
    int is_seen = kind != KIND_NAME;

    *chars = 0;
    while (s.len) {
        apr_size_t len = 1;
        unsigned code = decode_front(s, &len);

        if (code == NOT_UTF8) {
            return CHAT_NOT_UTF8;
        }
        if (is_control(code, kind)) {
            return CHAT_CONTROL;
        }
        if (kind == KIND_NAME && chat_unseen_is_format(code)) {
            return CHAT_UNSEEN;
        }
        is_seen = is_seen || !chat_unseen_is_blank(code);
        s.data += len;
        s.len -= len;
        (*chars)++;
    }
    return *chars == 0 ? CHAT_EMPTY : is_seen ? CHAT_VALID : CHAT_BLANK;
}

static chat_verdict_e validate_chars(gc_slice_t s, kind_e kind, apr_size_t max_chars)
{
    apr_size_t chars;
    chat_verdict_e verdict;

    if (s.len > max_chars * 4) {
        return CHAT_TOO_LONG;
    }
    verdict = scan(s, kind, &chars);
    return (verdict == CHAT_VALID || verdict == CHAT_BLANK) && chars > max_chars ? CHAT_TOO_LONG
                                                                                 : verdict;
}

chat_verdict_e chat_validate_name(gc_slice_t name, apr_size_t max_chars)
{
    return validate_chars(name, KIND_NAME, max_chars);
}

chat_verdict_e chat_validate_room(gc_slice_t name)
{
    if (gc_slice_equal(name, gc_slice_of(".")) || gc_slice_equal(name, gc_slice_of("..")) ||
        (name.len && memchr(name.data, '/', name.len)))
    {
        return CHAT_FORBIDDEN;
    }
    return validate_chars(name, KIND_ROOM, CHAT_ROOM_MAX_CHARS);
}

chat_verdict_e chat_validate_text(gc_slice_t text, apr_size_t max_bytes)
{
    apr_size_t chars;

    return text.len > max_bytes ? CHAT_TOO_LONG : scan(text, KIND_TEXT, &chars);
}
