/* Lines out of pieces of any size, copied only where a line lies in two pieces. */
#ifndef LOAD_LINE_H
#define LOAD_LINE_H

#include "gc_slice.h"

/** The longest line that is taken, in bytes: a message's event, with room. */
#define LOAD_LINE_MAX (2 * 1024 * 1024)

/** The begin of a line whose end has not come; all zero is none. */
typedef struct load_line_t {
    char *data;
    size_t have;
    size_t room;
    int is_told; /**< these bytes were given out: the next call begins anew */
} load_line_t;

/** The result of a search. */
typedef enum load_line_e {
    LOAD_LINE_FOUND,
    LOAD_LINE_MORE, /**< the piece is used up; its rest is kept */
    LOAD_LINE_BAD   /**< longer than LOAD_LINE_MAX, or memory is short */
} load_line_e;

/**
 * Cut off the next line.
 *
 * @param carry  the state between one piece and the next
 * @param rest   moved behind what was used
 * @param line   on LOAD_LINE_FOUND the line without its LF or CRLF; valid until the next call
 */
load_line_e load_line_next(load_line_t *carry, gc_slice_t *rest, gc_slice_t *line);

/** Forget what is kept, and give its memory back. */
void load_line_clear(load_line_t *carry);

#endif
