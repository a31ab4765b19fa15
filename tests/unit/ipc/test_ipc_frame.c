#include "ipc_frame.h"
#include "unit.h"
#include "unit_events.h"

#include <stdlib.h>

static ipc_job_t a_job(void)
{
    ipc_job_t job =
        unit_job(IPC_JOB_APPEND, 0, "sqlite3:/x:", "caf\xc3\xa9", "al", "hello\n", "key", "", "");

    return job;
}

static gc_slice_t frame_of(const ipc_job_t *job, apr_pool_t *pool)
{
    gc_buffer_t buffer = gc_buffer_make(8, pool);

    ipc_frame_append_job(&buffer, job);
    return gc_buffer_slice(&buffer);
}

static gc_slice_t reply_frame(const ipc_reply_t *reply, apr_pool_t *pool)
{
    gc_buffer_t buffer = gc_buffer_make(8, pool);

    ipc_frame_append_reply(&buffer, reply);
    return gc_buffer_slice(&buffer);
}

/* Read a job from exactly these bytes, so that a sanitizer sees a read past the end; its strings are
 * gone afterwards. */
static apr_status_t read_exactly(gc_slice_t bytes)
{
    char *exact = malloc(bytes.len + !bytes.len);
    ipc_job_t job;
    apr_status_t rv;

    assert_non_null(exact);
    if (bytes.len) {
        memcpy(exact, bytes.data, bytes.len);
    }
    rv = ipc_frame_read_job(&job, gc_slice(exact, bytes.len));
    if (rv == APR_SUCCESS) {
        /* A job that is taken consists of whole strings. */
        assert_true(strlen(job.site) + strlen(job.append.room) +
                        strlen(job.append.event.author.data) +
                        strlen(job.append.event.payload.data) + strlen(job.append.job_key) <
                    bytes.len);
    }
    free(exact);
    return rv;
}

static void reads_the_job_that_was_written(void **state)
{
    ipc_job_t job = a_job();
    ipc_job_t back;

    job.append.is_repeat = 1;
    job.append.event.key = gc_slice_of("k");
    job.append.digest = "d";
    assert_int_equal(ipc_frame_read_job(&back, frame_of(&job, *state)), APR_SUCCESS);
    assert_int_equal(back.kind, IPC_JOB_APPEND);
    assert_int_equal(back.append.is_repeat, 1);
    assert_string_equal(back.site, job.site);
    assert_string_equal(back.append.room, job.append.room);
    assert_string_equal(back.append.event.author.data, job.append.event.author.data);
    assert_string_equal(back.append.event.payload.data, job.append.event.payload.data);
    assert_string_equal(back.append.job_key, job.append.job_key);
    assert_string_equal(back.append.event.key.data, "k");
    assert_string_equal(back.append.digest, "d");
}

static void reads_a_job_of_empty_strings(void **state)
{
    ipc_job_t job = unit_job(IPC_JOB_READY, 0, "s", "", "", "", "", "", "");
    ipc_job_t back;

    assert_int_equal(ipc_frame_read_job(&back, frame_of(&job, *state)), APR_SUCCESS);
    assert_int_equal(back.kind, IPC_JOB_READY);
    assert_int_equal(back.append.is_repeat, 0);
    assert_string_equal(back.site, "s");
    assert_string_equal(back.append.job_key, "");
}

static void marks_a_frame_that_is_sent_again(void **state)
{
    ipc_job_t job = a_job();
    gc_slice_t frame = frame_of(&job, *state);
    ipc_job_t back;

    ((char *)frame.data)[IPC_FRAME_REPEAT_OFFSET] = 1;
    assert_int_equal(ipc_frame_read_job(&back, frame), APR_SUCCESS);
    assert_int_equal(back.append.is_repeat, 1);
    assert_string_equal(back.append.job_key, job.append.job_key);
}

static void has_room_for_the_longest_message(void **state)
{
    char *text = apr_pcalloc(*state, CHAT_TEXT_MAX_BYTES + 1);
    char *from = apr_pcalloc(*state, CHAT_NAME_MAX_CHARS * 4 + 1);
    char *room = apr_pcalloc(*state, CHAT_ROOM_MAX_CHARS * 4 + 1);
    char *key = apr_pcalloc(*state, IPC_FRAME_KEY_MAX_BYTES + 1);
    char *site = apr_pcalloc(*state, 4096 + 1);
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, site, room, from, text, key, key, key);
    apr_size_t size = 0;

    memset(text, 'x', CHAT_TEXT_MAX_BYTES);
    memset(from, 'x', CHAT_NAME_MAX_CHARS * 4);
    memset(room, 'x', CHAT_ROOM_MAX_CHARS * 4);
    memset(key, 'x', IPC_FRAME_KEY_MAX_BYTES);
    memset(site, 'x', 4096);
    assert_int_equal(ipc_frame_size(frame_of(&job, *state), &size), APR_SUCCESS);
    assert_true(size <= IPC_FRAME_MAX_BYTES);
    assert_int_equal(ipc_frame_read_job(&job, frame_of(&job, *state)), APR_SUCCESS);
}

static void tells_the_size_of_a_frame_from_its_front(void **state)
{
    ipc_job_t job = a_job();
    gc_slice_t frame = frame_of(&job, *state);
    apr_size_t size = 77;
    apr_size_t len;

    for (len = 0; len < 4; len++) {
        assert_int_equal(ipc_frame_size(gc_slice(frame.data, len), &size), APR_INCOMPLETE);
    }
    assert_int_equal(size, 77);
    assert_int_equal(ipc_frame_size(gc_slice(frame.data, 4), &size), APR_SUCCESS);
    assert_int_equal(size, frame.len);
}

static void refuses_sizes_beyond_the_limit(void **state)
{
    apr_uint32_t n = IPC_FRAME_MAX_BYTES - 4;
    apr_size_t size = 77;

    assert_int_equal(ipc_frame_size(gc_slice((const char *)&n, 4), &size), APR_SUCCESS);
    assert_int_equal(size, IPC_FRAME_MAX_BYTES);
    size = 77;
    n++;
    assert_int_equal(ipc_frame_size(gc_slice((const char *)&n, 4), &size), APR_EINVAL);
    n = 0xffffffff;
    assert_int_equal(ipc_frame_size(gc_slice((const char *)&n, 4), &size), APR_EINVAL);
    assert_int_equal(size, 77);
}

static void refuses_every_truncation(void **state)
{
    ipc_job_t job = a_job();
    gc_slice_t frame = frame_of(&job, *state);
    apr_size_t len;

    for (len = 0; len < frame.len; len++) {
        assert_int_equal(read_exactly(gc_slice(frame.data, len)), APR_EINVAL);
    }
    assert_int_equal(read_exactly(frame), APR_SUCCESS);
}

static void refuses_bytes_behind_the_last_string(void **state)
{
    ipc_job_t job = a_job();
    gc_slice_t frame = frame_of(&job, *state);

    assert_int_equal(
        read_exactly(gc_slice(apr_pstrmemdup(*state, frame.data, frame.len), frame.len + 1)),
        APR_EINVAL);
}

static void refuses_another_version_and_unknown_kinds(void **state)
{
    ipc_job_t job = a_job();
    gc_slice_t frame = frame_of(&job, *state);
    char *bytes = (char *)frame.data;

    bytes[4] = IPC_FRAME_VERSION + 1;
    assert_int_equal(read_exactly(frame), APR_EINVAL);
    bytes[4] = IPC_FRAME_VERSION;
    bytes[5] = 0;
    assert_int_equal(read_exactly(frame), APR_EINVAL);
    bytes[5] = 3;
    assert_int_equal(read_exactly(frame), APR_EINVAL);
    bytes[5] = (char)0x82;
    assert_int_equal(read_exactly(frame), APR_EINVAL);
}

static void refuses_strings_with_a_nul_in_them_or_none_behind(void **state)
{
    ipc_job_t job = a_job();
    gc_slice_t frame = frame_of(&job, *state);
    char *text = memchr(frame.data, '\n', frame.len);

    assert_non_null(text);
    text[-1] = '\0';
    assert_int_equal(read_exactly(frame), APR_EINVAL);
    text[-1] = 'o';
    text[1] = 'x';
    assert_int_equal(read_exactly(frame), APR_EINVAL);
}

/* Each byte takes each of these values in turn: nothing may be read beyond the end. */
static void survives_every_corruption_of_a_byte(void **state)
{
    static const char values[] = {0, 1, 5, 0x7f, (char)0x80, (char)0xff};
    ipc_job_t job = a_job();
    gc_slice_t frame = frame_of(&job, *state);
    char *bytes = (char *)frame.data;
    apr_size_t at;
    apr_size_t v;

    for (at = 0; at < frame.len; at++) {
        char old = bytes[at];

        for (v = 0; v < sizeof(values); v++) {
            bytes[at] = values[v];
            (void)read_exactly(frame);
        }
        bytes[at] = old;
    }
    assert_int_equal(read_exactly(frame), APR_SUCCESS);
}

static void reads_the_reply_that_was_written(void **state)
{
    ipc_reply_t reply = {IPC_LOCKED, APR_INT64_MAX, APR_INT64_C(1) << 40, -1};
    gc_slice_t frame = reply_frame(&reply, *state);
    apr_size_t size = 0;
    ipc_reply_t back;

    assert_int_equal(frame.len, IPC_FRAME_REPLY_BYTES);
    assert_int_equal(ipc_frame_size(frame, &size), APR_SUCCESS);
    assert_int_equal(size, IPC_FRAME_REPLY_BYTES);
    assert_int_equal(ipc_frame_read_reply(&back, frame), APR_SUCCESS);
    assert_int_equal(back.status, IPC_LOCKED);
    assert_true(back.id == reply.id && back.position == reply.position);
    assert_true(back.created_ms == -1);
}

static void refuses_replies_of_another_kind(void **state)
{
    ipc_reply_t reply = {IPC_DONE, 1, 2, 3};
    gc_slice_t frame = reply_frame(&reply, *state);
    char *bytes = (char *)frame.data;
    ipc_reply_t back = {IPC_MALFORMED, 9, 9, 9};
    apr_size_t len;

    for (len = 0; len < frame.len; len++) {
        assert_int_equal(ipc_frame_read_reply(&back, gc_slice(bytes, len)), APR_EINVAL);
    }
    bytes[4] = IPC_FRAME_VERSION + 1;
    assert_int_equal(ipc_frame_read_reply(&back, frame), APR_EINVAL);
    bytes[4] = IPC_FRAME_VERSION;
    bytes[5] = 0;
    assert_int_equal(ipc_frame_read_reply(&back, frame), APR_EINVAL);
    bytes[5] = IPC_CONFLICT + 1;
    assert_int_equal(ipc_frame_read_reply(&back, frame), APR_EINVAL);
    bytes[5] = (char)0xff;
    assert_int_equal(ipc_frame_read_reply(&back, frame), APR_EINVAL);
    assert_int_equal(back.status, IPC_MALFORMED);
    assert_int_equal(back.id, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(reads_the_job_that_was_written),
        POOL_TEST(reads_a_job_of_empty_strings),
        POOL_TEST(marks_a_frame_that_is_sent_again),
        POOL_TEST(has_room_for_the_longest_message),
        POOL_TEST(tells_the_size_of_a_frame_from_its_front),
        POOL_TEST(refuses_sizes_beyond_the_limit),
        POOL_TEST(refuses_every_truncation),
        POOL_TEST(refuses_bytes_behind_the_last_string),
        POOL_TEST(refuses_another_version_and_unknown_kinds),
        POOL_TEST(refuses_strings_with_a_nul_in_them_or_none_behind),
        POOL_TEST(survives_every_corruption_of_a_byte),
        POOL_TEST(reads_the_reply_that_was_written),
        POOL_TEST(refuses_replies_of_another_kind),
    };

    return UNIT_RUN(tests);
}
