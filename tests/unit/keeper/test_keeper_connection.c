#include "keeper_child.h"
#include "keeper_connection.h"
#include "unit_events.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection and the child's end of it. */
typedef struct pair_t {
    keeper_connection_t *connection;
    int child;
} pair_t;

static pair_t open_pair(void)
{
    pair_t pair;

    pair.connection = keeper_child_connect(&pair.child);
    return pair;
}

static void close_pair(pair_t pair)
{
    keeper_connection_close(pair.connection);
    close(pair.child);
}

static void send_bytes(pair_t pair, gc_slice_t bytes)
{
    keeper_child_send(pair.child, bytes);
}

static gc_slice_t frame_with(const char *text, apr_pool_t *pool)
{
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, "site", "room", "al", text, "key", "", "");

    return keeper_child_frame(&job, pool);
}

static void assert_holds(pair_t pair, const char *text)
{
    ipc_job_t job;

    assert_int_equal(ipc_frame_read_job(&job, keeper_connection_frame(pair.connection)),
                     APR_SUCCESS);
    assert_string_equal(job.append.event.payload.data, text);
}

static void reads_a_job_that_comes_at_once(void **state)
{
    pair_t pair = open_pair();

    send_bytes(pair, frame_with("hello", *state));
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_JOB);
    assert_holds(pair, "hello");
    close_pair(pair);
}

static void waits_for_a_job_that_comes_byte_by_byte(void **state)
{
    pair_t pair = open_pair();
    gc_slice_t frame = frame_with("hello", *state);
    apr_size_t i;

    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_MORE);
    for (i = 0; i < frame.len - 1; i++) {
        send_bytes(pair, gc_slice(frame.data + i, 1));
        assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_MORE);
    }
    send_bytes(pair, gc_slice(frame.data + i, 1));
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_JOB);
    assert_holds(pair, "hello");
    close_pair(pair);
}

/* Sent in pieces, since a socket's buffer need not hold it. */
static void reads_a_job_of_the_longest_text(void **state)
{
    char *text = apr_pcalloc(*state, CHAT_TEXT_MAX_BYTES + 1);
    pair_t pair = open_pair();
    keeper_read_e got = KEEPER_READ_MORE;
    gc_slice_t rest;

    memset(text, 'x', CHAT_TEXT_MAX_BYTES);
    rest = frame_with(text, *state);
    while (rest.len) {
        apr_size_t piece = rest.len < 10000 ? rest.len : 10000;

        assert_int_equal(got, KEEPER_READ_MORE);
        send_bytes(pair, gc_slice(rest.data, piece));
        do {
            got = keeper_connection_read(pair.connection);
        } while (got == KEEPER_READ_MORE && recv(pair.connection->fd, text, 1, MSG_PEEK) == 1);
        rest.data += piece;
        rest.len -= piece;
    }
    assert_int_equal(got, KEEPER_READ_JOB);
    memset(text, 'x', 1);
    assert_holds(pair, text);
    close_pair(pair);
}

static void refuses_a_frame_beyond_the_limit_from_its_front(void **state)
{
    apr_uint32_t n = IPC_FRAME_MAX_BYTES;
    pair_t pair = open_pair();

    send_bytes(pair, gc_slice((const char *)&n, sizeof(n)));
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_CLOSED);
    close_pair(pair);
}

static void refuses_what_comes_behind_a_job(void **state)
{
    gc_slice_t frame = frame_with("hello", *state);
    pair_t pair = open_pair();

    send_bytes(pair, frame);
    send_bytes(pair, gc_slice(frame.data, 1));
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_CLOSED);
    close_pair(pair);
}

static void notices_that_the_child_is_gone(void **state)
{
    pair_t pair = open_pair();
    gc_slice_t frame = frame_with("hello", *state);

    send_bytes(pair, gc_slice(frame.data, 9));
    assert_int_equal(shutdown(pair.child, SHUT_WR), 0);
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_MORE);
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_CLOSED);
    close_pair(pair);
}

static void replies_and_takes_the_next_job(void **state)
{
    ipc_reply_t reply = {IPC_DONE, 12, 5, 99};
    char bytes[IPC_FRAME_REPLY_BYTES + 1];
    ipc_reply_t back;
    pair_t pair = open_pair();

    send_bytes(pair, frame_with("hello", *state));
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_JOB);
    assert_true(keeper_connection_reply(pair.connection, &reply));
    assert_int_equal(recv(pair.child, bytes, sizeof(bytes), 0), IPC_FRAME_REPLY_BYTES);
    assert_int_equal(ipc_frame_read_reply(&back, gc_slice(bytes, IPC_FRAME_REPLY_BYTES)),
                     APR_SUCCESS);
    assert_int_equal(back.position, 5);
    send_bytes(pair, frame_with("the next one is longer", *state));
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_JOB);
    assert_holds(pair, "the next one is longer");
    close_pair(pair);
}

/* And without SIGPIPE, which would end the keeper. */
static void cannot_reply_to_a_child_that_is_gone(void **state)
{
    ipc_reply_t reply = {IPC_DONE, 12, 5, 99};
    pair_t pair = open_pair();

    close(pair.child);
    assert_false(keeper_connection_reply(pair.connection, &reply));
    keeper_connection_close(pair.connection);
}

/* A stored event is still to be published when the next job comes. */
static void gives_a_job_away_and_takes_the_next(void **state)
{
    ipc_reply_t reply = {IPC_DONE, 12, 5, 99};
    pair_t pair = open_pair();
    keeper_received_t *received;
    ipc_job_t job;

    send_bytes(pair, frame_with("hello", *state));
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_JOB);
    received = keeper_connection_take(pair.connection);
    assert_int_equal(keeper_connection_frame(pair.connection).len, 0);
    assert_true(keeper_connection_reply(pair.connection, &reply));
    send_bytes(pair, frame_with("the next one", *state));
    assert_int_equal(keeper_connection_read(pair.connection), KEEPER_READ_JOB);
    assert_holds(pair, "the next one");
    close_pair(pair);
    assert_int_equal(ipc_frame_read_job(&job, gc_slice(received->frame, received->have)),
                     APR_SUCCESS);
    assert_string_equal(job.append.event.payload.data, "hello");
    free(received);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(reads_a_job_that_comes_at_once),
        POOL_TEST(waits_for_a_job_that_comes_byte_by_byte),
        POOL_TEST(reads_a_job_of_the_longest_text),
        POOL_TEST(refuses_a_frame_beyond_the_limit_from_its_front),
        POOL_TEST(refuses_what_comes_behind_a_job),
        POOL_TEST(notices_that_the_child_is_gone),
        POOL_TEST(replies_and_takes_the_next_job),
        POOL_TEST(cannot_reply_to_a_child_that_is_gone),
        POOL_TEST(gives_a_job_away_and_takes_the_next),
    };

    return UNIT_RUN(tests);
}
