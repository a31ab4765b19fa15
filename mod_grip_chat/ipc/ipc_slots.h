/* Slots of shared memory that go over a socket as words. A slot waits at most once: until the other
 * side takes it, more changes of the slot add nothing. So memory is bounded, and a slow side costs
 * the other nothing. A word is a slot, with a flag in its highest bit. If there is room, an event
 * goes with the slot: ipc_slots.c has the table of the bytes.
 * Lives in the keeper and in a child, in one thread at a time. Part of the struct that has it. */
#ifndef IPC_SLOTS_H
#define IPC_SLOTS_H

#include "ipc_shared.h"

/** The highest bits of a word. */
#define IPC_SLOTS_FLAG  0x80000000u
#define IPC_SLOTS_EVENT 0x40000000u

/** Bytes that are sent or received with one call. */
#define IPC_SLOTS_BYTES (16 * 1024)

/** Bytes that a slot can have with it. */
#define IPC_SLOTS_EVENT_BYTES 4096

/** A set of slots, one bit each. */
typedef struct ipc_slot_set_t {
    apr_uint64_t bits[IPC_SHARED_SLOTS / 64];
} ipc_slot_set_t;

/** Whether a slot is in a set. */
static inline int ipc_slot_set_has(const ipc_slot_set_t *set, unsigned slot)
{
    return (int)(set->bits[slot / 64] >> slot % 64 & 1);
}

/** Put a slot into a set, or take it out. */
static inline void ipc_slot_set_put(ipc_slot_set_t *set, unsigned slot, int is_in)
{
    apr_uint64_t bit = APR_UINT64_C(1) << slot % 64;

    set->bits[slot / 64] = is_in ? set->bits[slot / 64] | bit : set->bits[slot / 64] & ~bit;
}

/** The words that wait to be sent. All zero is empty. */
typedef struct ipc_slots_out_t {
    ipc_slot_set_t waiting;
    apr_uint16_t ring[IPC_SHARED_SLOTS]; /**< those that wait, in the order in which they came */
    unsigned first;
    unsigned count;
    char bytes[IPC_SLOTS_BYTES]; /**< made, and not sent as a whole */
    apr_size_t len;
    apr_size_t sent;
} ipc_slots_out_t;

/** The received part of a word and its event. All zero is nothing. */
typedef struct ipc_slots_in_t {
    char bytes[2 * sizeof(apr_uint32_t) + IPC_SLOTS_EVENT_BYTES];
    apr_size_t have;
} ipc_slots_in_t;

/** Takes the received words; slots are within bounds. */
typedef struct ipc_slots_taker_t {
    void (*word)(unsigned slot, int has_flag, void *baton);
    void (*event)(unsigned slot, gc_slice_t bytes, void *baton); /**< NULL: none is expected */
    void *baton;
} ipc_slots_taker_t;

/** Have a slot sent, once if it waits already. */
void ipc_slots_add(ipc_slots_out_t *out, unsigned slot);

/** Have a slot sent with bytes of its own. @return 0 if there is no room for them now, or never */
int ipc_slots_add_event(ipc_slots_out_t *out, unsigned slot, gc_slice_t bytes);

/** Whether anything waits to be sent. */
static inline int ipc_slots_wait(const ipc_slots_out_t *out)
{
    return out->count > 0 || out->sent < out->len;
}

/**
 * Send the waiting words, as far as the socket takes them.
 *
 * @param flagged  slots whose words get the flag, by the time that they are sent; NULL for none
 * @return APR_SUCCESS if nothing waits any more; APR_EAGAIN if the socket takes no more for now; another
 *         status if the connection is gone
 */
apr_status_t ipc_slots_send(ipc_slots_out_t *out, int fd, const ipc_slot_set_t *flagged);

/**
 * Receive the words that have arrived.
 *
 * @return APR_SUCCESS, also if nothing has; APR_EOF or another status if the connection is gone;
 *         APR_EINVAL if a word is no slot, or has an event that is not expected
 */
apr_status_t ipc_slots_receive(ipc_slots_in_t *in, int fd, const ipc_slots_taker_t *taker);

#endif
