#include "keeper_slots.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void keeper_slots_add(keeper_slots_out_t *out, unsigned slot)
{
    if (!keeper_slot_set_has(&out->waiting, slot)) {
        keeper_slot_set_put(&out->waiting, slot, 1);
        out->ring[(out->first + out->count++) % KEEPER_SHARED_SLOTS] = (apr_uint16_t)slot;
    }
}

/* Make words of those that came first. */
static void fill(keeper_slots_out_t *out, const keeper_slot_set_t *flagged)
{
    unsigned n;

    for (n = 0; n < KEEPER_SLOTS_WORDS && out->count > 0; n++) {
        unsigned slot = out->ring[out->first];

        out->first = (out->first + 1) % KEEPER_SHARED_SLOTS;
        out->count--;
        keeper_slot_set_put(&out->waiting, slot, 0);
        out->words[n] =
            flagged && keeper_slot_set_has(flagged, slot) ? slot | KEEPER_SLOTS_FLAG : slot;
    }
    out->len = n * sizeof(out->words[0]);
    out->sent = 0;
}

apr_status_t keeper_slots_send(keeper_slots_out_t *out, int fd, const keeper_slot_set_t *flagged)
{
    for (;;) {
        ssize_t sent;

        if (out->sent == out->len) {
            fill(out, flagged);
            if (out->len == 0) {
                return APR_SUCCESS;
            }
        }
        sent = send(fd, (const char *)out->words + out->sent, out->len - out->sent,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            out->sent += (apr_size_t)sent;
        }
        else if (errno != EINTR) {
            return errno;
        }
    }
}

/* Take the whole words at the front of some bytes, and keep the rest. */
static apr_status_t take_words(keeper_slots_in_t *in, const char *bytes, apr_size_t len,
                               keeper_slots_fn *take, void *baton)
{
    apr_size_t at;

    for (at = 0; len - at >= sizeof(apr_uint32_t); at += sizeof(apr_uint32_t)) {
        apr_uint32_t word;
        apr_uint32_t slot;

        memcpy(&word, bytes + at, sizeof(word));
        slot = word & ~KEEPER_SLOTS_FLAG;
        if (slot >= KEEPER_SHARED_SLOTS) {
            return APR_EINVAL;
        }
        take(slot, (word & KEEPER_SLOTS_FLAG) != 0, baton);
    }
    in->have = len - at;
    memcpy(in->bytes, bytes + at, in->have);
    return APR_SUCCESS;
}

apr_status_t keeper_slots_receive(keeper_slots_in_t *in, int fd, keeper_slots_fn *take, void *baton)
{
    char bytes[KEEPER_SLOTS_WORDS * sizeof(apr_uint32_t)];
    ssize_t got;

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
    return take_words(in, bytes, in->have + (apr_size_t)got, take, baton);
}
