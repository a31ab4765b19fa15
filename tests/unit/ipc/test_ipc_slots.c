#include "ipc_slots.h"
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

/* A queue, and what came out at the other end of its socket. */
typedef struct line_t {
    int ends[2];
    ipc_slots_out_t *out;
    ipc_slots_in_t in;
    unsigned slots[2 * IPC_SHARED_SLOTS];
    int flags[2 * IPC_SHARED_SLOTS];
    apr_size_t sizes[2 * IPC_SHARED_SLOTS]; /* of what came with it */
    int last_byte;
    int count;
} line_t;

static line_t *open_line(apr_pool_t *pool)
{
    line_t *line = apr_pcalloc(pool, sizeof(*line));

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, line->ends), 0);
    line->out = apr_pcalloc(pool, sizeof(*line->out));
    return line;
}

static void close_line(line_t *line)
{
    close(line->ends[0]);
    close(line->ends[1]);
}

static void note(unsigned slot, int has_flag, void *baton)
{
    line_t *line = baton;

    line->slots[line->count] = slot;
    line->flags[line->count++] = has_flag;
}

static void note_event(unsigned slot, gc_slice_t bytes, void *baton)
{
    line_t *line = baton;

    line->sizes[line->count] = bytes.len;
    line->last_byte = bytes.data[bytes.len - 1];
    note(slot, 0, line);
}

static apr_status_t receive(line_t *line)
{
    ipc_slots_taker_t taker = {note, note_event, line};

    return ipc_slots_receive(&line->in, line->ends[1], &taker);
}

/* Receive until nothing is left. */
static void receive_all(line_t *line)
{
    int before;

    do {
        before = line->count;
        assert_int_equal(receive(line), APR_SUCCESS);
    } while (line->count > before);
}

static void sends_each_slot_once_in_order(void **state)
{
    line_t *line = open_line(*state);

    ipc_slots_add(line->out, 7);
    ipc_slots_add(line->out, 3);
    ipc_slots_add(line->out, 7);
    assert_int_equal(ipc_slots_send(line->out, line->ends[0], NULL), APR_SUCCESS);
    receive_all(line);
    assert_int_equal(line->count, 2);
    assert_int_equal(line->slots[0], 7);
    assert_int_equal(line->slots[1], 3);
    assert_int_equal(line->flags[0], 0);
    close_line(line);
}

static void sends_a_slot_again_that_came_after_it_was_sent(void **state)
{
    line_t *line = open_line(*state);

    ipc_slots_add(line->out, 7);
    assert_int_equal(ipc_slots_send(line->out, line->ends[0], NULL), APR_SUCCESS);
    ipc_slots_add(line->out, 7);
    assert_int_equal(ipc_slots_send(line->out, line->ends[0], NULL), APR_SUCCESS);
    receive_all(line);
    assert_int_equal(line->count, 2);
    close_line(line);
}

static void flags_by_what_is_so_when_it_is_sent(void **state)
{
    line_t *line = open_line(*state);
    ipc_slot_set_t *flagged = apr_pcalloc(*state, sizeof(*flagged));

    ipc_slot_set_put(flagged, 16383, 1);
    ipc_slots_add(line->out, 16383);
    ipc_slots_add(line->out, 0);
    ipc_slot_set_put(flagged, 16383, 0);
    ipc_slot_set_put(flagged, 0, 1);
    assert_int_equal(ipc_slots_send(line->out, line->ends[0], flagged), APR_SUCCESS);
    receive_all(line);
    assert_int_equal(line->slots[0], 16383);
    assert_false(line->flags[0]);
    assert_int_equal(line->slots[1], 0);
    assert_true(line->flags[1]);
    close_line(line);
}

/* A side that takes nothing is told all of it later, and each slot once. */
static void keeps_what_the_socket_does_not_take(void **state)
{
    line_t *line = open_line(*state);
    int *seen = apr_pcalloc(*state, sizeof(int) * IPC_SHARED_SLOTS);
    int bytes = 1;
    int round;
    unsigned slot;
    apr_status_t rv = APR_SUCCESS;

    assert_int_equal(setsockopt(line->ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
    for (round = 0; round < 3; round++) {
        for (slot = 0; slot < IPC_SHARED_SLOTS; slot++) {
            ipc_slots_add(line->out, slot);
        }
        rv = ipc_slots_send(line->out, line->ends[0], NULL);
        assert_true(APR_STATUS_IS_EAGAIN(rv));
    }
    while (rv != APR_SUCCESS) {
        receive_all(line);
        rv = ipc_slots_send(line->out, line->ends[0], NULL);
        assert_true(rv == APR_SUCCESS || APR_STATUS_IS_EAGAIN(rv));
    }
    receive_all(line);
    for (round = 0; round < line->count; round++) {
        seen[line->slots[round]]++;
    }
    for (slot = 0; slot < IPC_SHARED_SLOTS; slot++) {
        assert_in_range(seen[slot], 1, 2); /* those on the way when it came again come twice */
    }
    close_line(line);
}

static void puts_words_together_that_come_byte_by_byte(void **state)
{
    line_t *line = open_line(*state);
    apr_uint32_t words[5] = {5, 6 | IPC_SLOTS_FLAG, 7 | IPC_SLOTS_EVENT, 4, 0};
    apr_size_t i;

    memcpy(&words[4], "abcd", 4);
    for (i = 0; i < sizeof(words); i++) {
        assert_int_equal(line->count, i < 8 ? (int)(i / 4) : 2);
        assert_int_equal(send(line->ends[0], (const char *)words + i, 1, 0), 1);
        receive_all(line);
    }
    assert_int_equal(line->count, 3);
    assert_int_equal(line->slots[1], 6);
    assert_true(line->flags[1]);
    assert_int_equal(line->slots[2], 7);
    assert_int_equal(line->sizes[2], 4);
    assert_int_equal(line->last_byte, 'd');
    close_line(line);
}

/* An event that does not fit is refused, and no event that was taken is lost. */
static void sends_events_as_far_as_there_is_room(void **state)
{
    line_t *line = open_line(*state);
    char *bytes = apr_palloc(*state, IPC_SLOTS_EVENT_BYTES + 1);
    int bytes_of_socket = 1;
    apr_status_t rv = APR_EAGAIN;
    int added = 0;
    int i;

    memset(bytes, 'x', IPC_SLOTS_EVENT_BYTES + 1);
    assert_int_equal(
        setsockopt(line->ends[0], SOL_SOCKET, SO_SNDBUF, &bytes_of_socket, sizeof(bytes_of_socket)),
        0);
    assert_false(ipc_slots_add_event(line->out, 1, gc_slice(bytes, IPC_SLOTS_EVENT_BYTES + 1)));
    while (ipc_slots_add_event(line->out, 2, gc_slice(bytes, IPC_SLOTS_EVENT_BYTES))) {
        added++;
    }
    assert_int_equal(added, 3);
    ipc_slots_add(line->out, 3);
    while (rv != APR_SUCCESS) {
        rv = ipc_slots_send(line->out, line->ends[0], NULL);
        assert_true(rv == APR_SUCCESS || APR_STATUS_IS_EAGAIN(rv));
        receive_all(line);
    }
    assert_false(ipc_slots_wait(line->out));
    assert_int_equal(line->count, added + 1);
    for (i = 0; i < added; i++) {
        assert_int_equal(line->slots[i], 2);
        assert_int_equal(line->sizes[i], IPC_SLOTS_EVENT_BYTES);
    }
    assert_int_equal(line->slots[added], 3);
    assert_true(ipc_slots_add_event(line->out, 2, gc_slice(bytes, 1)));
    close_line(line);
}

static void refuses_events_that_are_too_long_or_not_expected(void **state)
{
    line_t *line = open_line(*state);
    apr_uint32_t words[2] = {5 | IPC_SLOTS_EVENT, IPC_SLOTS_EVENT_BYTES + 1};
    ipc_slots_taker_t taker = {note, NULL, line};

    assert_int_equal(send(line->ends[0], words, sizeof(words), 0), sizeof(words));
    assert_int_equal(receive(line), APR_EINVAL);
    words[1] = 0;
    assert_int_equal(send(line->ends[0], words, sizeof(words), 0), sizeof(words));
    assert_int_equal(ipc_slots_receive(&line->in, line->ends[1], &taker), APR_EINVAL);
    assert_int_equal(line->count, 0);
    close_line(line);
}

static void refuses_what_is_no_slot(void **state)
{
    line_t *line = open_line(*state);
    apr_uint32_t word = IPC_SHARED_SLOTS;

    assert_int_equal(send(line->ends[0], &word, sizeof(word), 0), sizeof(word));
    assert_int_equal(receive(line), APR_EINVAL);
    assert_int_equal(line->count, 0);
    close_line(line);
}

static void tells_an_end(void **state)
{
    line_t *line = open_line(*state);

    assert_int_equal(receive(line), APR_SUCCESS);
    assert_int_equal(shutdown(line->ends[0], SHUT_WR), 0);
    assert_int_equal(receive(line), APR_EOF);
    close_line(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(sends_each_slot_once_in_order),
        POOL_TEST(sends_a_slot_again_that_came_after_it_was_sent),
        POOL_TEST(flags_by_what_is_so_when_it_is_sent),
        POOL_TEST(keeps_what_the_socket_does_not_take),
        POOL_TEST(puts_words_together_that_come_byte_by_byte),
        POOL_TEST(sends_events_as_far_as_there_is_room),
        POOL_TEST(refuses_events_that_are_too_long_or_not_expected),
        POOL_TEST(refuses_what_is_no_slot),
        POOL_TEST(tells_an_end),
    };

    return UNIT_RUN(tests);
}
