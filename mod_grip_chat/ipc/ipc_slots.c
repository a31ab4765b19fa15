/* The bytes on a watching connection, in both directions: words of 32 bits, one after the other, in
 * the machine's byte order.
 *
 *   BITS     MEANING
 *   0 .. 13  slot, below IPC_SHARED_SLOTS
 *   14 .. 29 0
 *   30       IPC_SLOTS_EVENT: the word has an event with it, see below
 *   31       IPC_SLOTS_FLAG, from a child: the slot is wanted; 0: it is wanted no more
 *
 * A word with an event, only from the keeper:
 *
 *   OFFSET  SIZE     MEANING
 *   0       4        the word
 *   4       4        n, at most IPC_SLOTS_EVENT_BYTES
 *   8       n        the notice, see ipc_notice.c
 */
#include "ipc_slots.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "gc_assert.h"

void ipc_slots_add(ipc_slots_out_t *out, unsigned slot)
{
    GC_ASSERT(slot < IPC_SHARED_SLOTS && out->count <= IPC_SHARED_SLOTS);
    if (!ipc_slot_set_has(&out->waiting, slot)) {
        ipc_slot_set_put(&out->waiting, slot, 1);
        out->ring[(out->first + out->count++) % IPC_SHARED_SLOTS] = (apr_uint16_t)slot;
    }
}

static void put_word(ipc_slots_out_t *out, apr_uint32_t word)
{
    GC_ASSERT(out->len + sizeof(word) <= sizeof(out->bytes));
    memcpy(out->bytes + out->len, &word, sizeof(word));
    out->len += sizeof(word);
}

int ipc_slots_add_event(ipc_slots_out_t *out, unsigned slot, gc_slice_t bytes)
{
    if (out->sent == out->len) {
        out->sent = out->len = 0;
    }
    if (bytes.len > IPC_SLOTS_EVENT_BYTES ||
        bytes.len + 2 * sizeof(apr_uint32_t) > sizeof(out->bytes) - out->len)
    {
        return 0;
    }
    put_word(out, slot | IPC_SLOTS_EVENT);
    put_word(out, (apr_uint32_t)bytes.len);
    memcpy(out->bytes + out->len, bytes.data, bytes.len);
    out->len += bytes.len;
    return 1;
}

/* Make words of those that came first. */
static void fill(ipc_slots_out_t *out, const ipc_slot_set_t *flagged)
{
    out->sent = out->len = 0;
    while (out->count > 0 && out->len < sizeof(out->bytes)) {
        unsigned slot = out->ring[out->first];

        out->first = (out->first + 1) % IPC_SHARED_SLOTS;
        out->count--;
        ipc_slot_set_put(&out->waiting, slot, 0);
        put_word(out, flagged && ipc_slot_set_has(flagged, slot) ? slot | IPC_SLOTS_FLAG : slot);
    }
}

apr_status_t ipc_slots_send(ipc_slots_out_t *out, int fd, const ipc_slot_set_t *flagged)
{
    for (;;) {
        ssize_t sent;

        if (out->sent == out->len) {
            fill(out, flagged);
            if (out->len == 0) {
                return APR_SUCCESS;
            }
        }
        sent = send(fd, out->bytes + out->sent, out->len - out->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            out->sent += (apr_size_t)sent;
        }
        else if (errno != EINTR) {
            return errno;
        }
    }
}

/* Take the word at the front of some bytes, with its event. @return APR_INCOMPLETE if it has not
 * come as a whole */
static apr_status_t take_one(gc_slice_t *rest, const ipc_slots_taker_t *taker)
{
    apr_uint32_t words[2];
    apr_size_t len = sizeof(words[0]);
    unsigned slot;

    if (rest->len < len) {
        return APR_INCOMPLETE;
    }
    memcpy(words, rest->data, len);
    slot = words[0] & ~(IPC_SLOTS_FLAG | IPC_SLOTS_EVENT);
    if (slot >= IPC_SHARED_SLOTS || (words[0] & IPC_SLOTS_EVENT && !taker->event)) {
        return APR_EINVAL;
    }
    if (words[0] & IPC_SLOTS_EVENT) {
        if (rest->len < sizeof(words)) {
            return APR_INCOMPLETE;
        }
        memcpy(words, rest->data, sizeof(words));
        if (words[1] > IPC_SLOTS_EVENT_BYTES) {
            return APR_EINVAL;
        }
        len = sizeof(words) + words[1];
        if (rest->len < len) {
            return APR_INCOMPLETE;
        }
        taker->event(slot, gc_slice(rest->data + sizeof(words), words[1]), taker->baton);
    }
    else {
        taker->word(slot, (words[0] & IPC_SLOTS_FLAG) != 0, taker->baton);
    }
    rest->data += len;
    rest->len -= len;
    return APR_SUCCESS;
}

apr_status_t ipc_slots_receive(ipc_slots_in_t *in, int fd, const ipc_slots_taker_t *taker)
{
    char bytes[IPC_SLOTS_BYTES];
    gc_slice_t rest = {bytes, in->have};
    apr_status_t rv;
    ssize_t got;

    GC_ASSERT(in->have < sizeof(in->bytes));
    memcpy(bytes, in->bytes, in->have);
    do {
        got = recv(fd, bytes + in->have, sizeof(bytes) - in->have, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EAGAIN ? APR_SUCCESS : errno;
    }
    if (got == 0) {
        return APR_EOF;
    }
    rest.len += (apr_size_t)got;
    do {
        rv = take_one(&rest, taker);
    } while (rv == APR_SUCCESS);
    if (!APR_STATUS_IS_INCOMPLETE(rv)) {
        return rv;
    }
    in->have = rest.len; /* less than a word with all that belongs to it */
    memcpy(in->bytes, rest.data, rest.len);
    return APR_SUCCESS;
}
