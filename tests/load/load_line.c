#include "load_line.h"

#include <stdlib.h>

static int keep(load_line_t *carry, gc_slice_t piece)
{
    size_t need = carry->have + piece.len;

    if (need > LOAD_LINE_MAX) {
        return 0;
    }
    if (need > carry->room) {
        size_t room = need < 256 ? 512 : need * 2;
        char *data = realloc(carry->data, room);

        if (!data) {
            return 0;
        }
        carry->data = data;
        carry->room = room;
    }
    if (piece.len) {
        memcpy(carry->data + carry->have, piece.data, piece.len);
    }
    carry->have = need;
    return 1;
}

load_line_e load_line_next(load_line_t *carry, gc_slice_t *rest, gc_slice_t *line)
{
    gc_slice_t head;

    if (carry->is_told) {
        carry->is_told = 0;
        carry->have = 0;
    }
    if (gc_slice_until(rest, '\n', &head) != APR_SUCCESS) {
        head = *rest;
        rest->data += rest->len;
        rest->len = 0;
        return keep(carry, head) ? LOAD_LINE_MORE : LOAD_LINE_BAD;
    }
    if (carry->have) {
        if (!keep(carry, head)) {
            return LOAD_LINE_BAD;
        }
        carry->is_told = 1;
        head = gc_slice(carry->data, carry->have);
    }
    if (head.len && head.data[head.len - 1] == '\r') {
        head.len--;
    }
    *line = head;
    return LOAD_LINE_FOUND;
}

void load_line_clear(load_line_t *carry)
{
    free(carry->data);
    memset(carry, 0, sizeof(*carry));
}
