/* A second kind of event, which the tests alone have, goes from the job to the stream by its row. The table is built
 * into this program, so the linker takes it instead of the layers' own. */
#define CHAT_KIND_OF_TESTS 200
/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "chat_kind.c"
#include "chat_sse.h"
#include "ipc_notice.h"
#include "unit.h"
#include "unit_events.h"
#include "write_job.h"

static ipc_job_t job_of(int kind, const char *payload)
{
    ipc_job_t job = unit_job(IPC_JOB_APPEND, 0, "site", "room", "al", payload, "j", "", "");

    job.append.event.kind = kind;
    return job;
}

/* The job as the keeper reads it; its strings point into the frame, which is the pool's. */
static ipc_job_t passed_on(const ipc_job_t *job, apr_pool_t *pool)
{
    gc_buffer_t frame = gc_buffer_make(64, pool);
    ipc_job_t back;

    ipc_frame_append_job(&frame, job);
    assert_int_equal(ipc_frame_read_job(&back, gc_buffer_slice(&frame)), APR_SUCCESS);
    return back;
}

static int is_taken(const ipc_job_t *job)
{
    return write_job_find(job->kind)->is_valid(&job->append);
}

static void takes_each_kind_by_its_own_rules(void **state)
{
    ipc_job_t message = job_of(CHAT_KIND_MESSAGE, "two\nlines");
    ipc_job_t test = job_of(CHAT_KIND_OF_TESTS, "one line");
    ipc_job_t lines = job_of(CHAT_KIND_OF_TESTS, "two\nlines");
    ipc_job_t unknown = job_of(CHAT_KIND_OF_TESTS + 1, "one line");
    ipc_job_t back;

    back = passed_on(&message, *state);
    assert_true(is_taken(&back));
    back = passed_on(&test, *state);
    assert_int_equal(back.append.event.kind, CHAT_KIND_OF_TESTS);
    assert_true(is_taken(&back));
    back = passed_on(&lines, *state);
    assert_false(is_taken(&back));
    back = passed_on(&unknown, *state);
    assert_false(is_taken(&back));
}

static void tells_each_kind_by_its_own_name(void **state)
{
    static const ipc_site_t site = {.identity = "sqlite3 /x"};
    ipc_job_t job = job_of(CHAT_KIND_OF_TESTS, "{\"a\": 1}");
    ipc_moved_t moved = {5, {3, 4}, &site, &job.append};
    gc_buffer_t bytes = gc_buffer_make(64, *state);
    ipc_notice_t notice;

    job.append.event.position = 7;
    assert_int_equal(ipc_notice_append(&bytes, &moved), APR_SUCCESS);
    assert_int_equal(ipc_notice_read(&notice, gc_buffer_slice(&bytes)), APR_SUCCESS);
    assert_int_equal(notice.position, 7);
    assert_slice_equal(notice.text, "event: test\nid: room-room:7\ndata: {\"a\": 1}\n\n");
}

static void shows_no_kind_that_it_does_not_know(void **state)
{
    ipc_job_t job = job_of(CHAT_KIND_OF_TESTS + 1, "x");
    gc_buffer_t text = gc_buffer_make(64, *state);

    assert_int_equal(chat_sse_append_event(&text, gc_slice_of("room"), &job.append.event),
                     APR_EINVAL);
    assert_int_equal(text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(takes_each_kind_by_its_own_rules),
        POOL_TEST(tells_each_kind_by_its_own_name),
        POOL_TEST(shows_no_kind_that_it_does_not_know),
    };

    return UNIT_RUN(tests);
}
