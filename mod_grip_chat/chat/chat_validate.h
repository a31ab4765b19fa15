/* The rules for a room, a name and a text that a client sends. Stored messages are not judged
 * again. */
#ifndef CHAT_VALIDATE_H
#define CHAT_VALIDATE_H

#include "chat_types.h"

/** Why a value is not taken. */
typedef enum chat_verdict_e {
    CHAT_VALID,
    CHAT_EMPTY,
    CHAT_TOO_LONG,
    CHAT_NOT_UTF8, /**< RFC 3629: also overlong forms, surrogates, beyond U+10FFFF */
    CHAT_CONTROL,  /**< a control character (C0, DEL, C1); texts may have tab, newline and return */
    CHAT_UNSEEN,   /**< a name holds a character that cannot be seen: chat_unseen_is_format */
    CHAT_BLANK,    /**< a name holds nothing that can be seen: chat_unseen_is_blank */
    CHAT_FORBIDDEN /**< "/" in a room's name, or the name is "." or ".." */
} chat_verdict_e;

/** Judge a decoded room name: 1 to CHAT_ROOM_MAX_CHARS characters. Pure. */
chat_verdict_e chat_validate_room(gc_slice_t name);

/** Judge a sender's name: 1 to max_chars characters (code points). Pure. */
chat_verdict_e chat_validate_name(gc_slice_t name, apr_size_t max_chars);

/** Judge a text: 1 to max_bytes bytes. Pure. */
chat_verdict_e chat_validate_text(gc_slice_t text, apr_size_t max_bytes);

#endif
