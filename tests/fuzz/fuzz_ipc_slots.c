/* ipc_slots: the other side of a socket may write any words, and they arrive in any pieces. The first
 * byte of an input is the length of its pieces, less one. */
#include "ipc_slots.h"

#include <sys/socket.h>
#include <unistd.h>

#include "fuzz_base.h"

/* The sum of all that was taken, in which order and bytes count. */
typedef struct taken_t {
    apr_uint64_t sum;
    int count;
} taken_t;

static void add(taken_t *taken, apr_uint64_t value)
{
    taken->sum = (taken->sum ^ value) * APR_UINT64_C(0x9e3779b97f4a7c15);
    taken->count++;
}

static void take_word(unsigned slot, int has_flag, void *baton)
{
    FUZZ_CHECK(slot < IPC_SHARED_SLOTS && (has_flag == 0 || has_flag == 1));
    add(baton, slot | (apr_uint64_t)has_flag << 32);
}

static void take_event(unsigned slot, gc_slice_t bytes, void *baton)
{
    apr_size_t i;

    FUZZ_CHECK(slot < IPC_SHARED_SLOTS && bytes.len <= IPC_SLOTS_EVENT_BYTES);
    add(baton, slot | APR_UINT64_C(1) << 33);
    for (i = 0; i < bytes.len; i++) {
        add(baton, (unsigned char)bytes.data[i]);
    }
}

/* Send an input in pieces, and take each; the status of the first that is refused, if one is. */
static apr_status_t take_pieces(gc_slice_t bytes, apr_size_t piece, taken_t *taken)
{
    ipc_slots_in_t in = {"", 0};
    ipc_slots_taker_t taker = {take_word, take_event, taken};
    apr_status_t rv = APR_SUCCESS;
    int ends[2];

    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    while (rv == APR_SUCCESS && bytes.len) {
        apr_size_t len = bytes.len < piece ? bytes.len : piece;

        FUZZ_CHECK(send(ends[0], bytes.data, len, MSG_NOSIGNAL) == (ssize_t)len);
        bytes = gc_slice(bytes.data + len, bytes.len - len);
        rv = ipc_slots_receive(&in, ends[1], &taker);
        FUZZ_CHECK(rv == APR_SUCCESS || rv == APR_EINVAL);
        FUZZ_CHECK(in.have < sizeof(in.bytes));
    }
    close(ends[0]);
    close(ends[1]);
    return rv;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gc_slice_t bytes = size ? fuzz_slice(data + 1, size - 1) : gc_slice("", 0);
    taken_t of_pieces = {0, 0};
    taken_t of_all = {0, 0};

    if (bytes.len > IPC_SLOTS_BYTES / 2) {
        return 0;
    }
    if (bytes.len) {
        apr_status_t rv = take_pieces(bytes, (apr_size_t)data[0] + 1, &of_pieces);

        FUZZ_CHECK(take_pieces(bytes, bytes.len, &of_all) == rv);
        FUZZ_CHECK(of_pieces.sum == of_all.sum && of_pieces.count == of_all.count);
    }
    return 0;
}
