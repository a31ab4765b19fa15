/* The bytes of the frames. Numbers have the machine's byte order: both ends are on one machine.
 *
 * A job, from a child:
 *
 *   OFFSET  SIZE     MEANING
 *   0       4        bytes of the frame after this field
 *   4       1        IPC_FRAME_VERSION
 *   5       1        kind, an ipc_job_kind_e
 *   6       1        1 if the job was sent before, else 0 (IPC_FRAME_REPEAT_OFFSET)
 *   7       1        kind of the event, a number of chat_kind.h
 *   8       4 + n    site, as each string: 4 bytes of length n - 1, n bytes with the NUL
 *           4 + n    room
 *           4 + n    author
 *           4 + n    payload
 *           4 + n    job_key, at most IPC_FRAME_KEY_MAX_BYTES without the NUL
 *           4 + n    key, likewise; empty for none
 *           4 + n    digest, likewise; empty for none
 *
 * The wish to watch rooms, from a child, as the first frame of a connection:
 *
 *   OFFSET  SIZE     MEANING
 *   0       4        10, the bytes after this field
 *   4       1        IPC_FRAME_VERSION
 *   5       1        KIND_WATCH
 *   6       8        ipc_shared_layout() of the child
 *
 * A reply, from the keeper:
 *
 *   OFFSET  SIZE     MEANING
 *   0       4        26, the bytes after this field
 *   4       1        IPC_FRAME_VERSION
 *   5       1        status, an ipc_status_e
 *   6       8        id of the event; 0 where nothing was stored, as the next two
 *   14      8        position
 *   22      8        created_ms
 */
#include "ipc_frame.h"

#include "ipc_shared.h"

#define STRINGS 7

/* Before a job's strings: length, version, job kind, is_repeat, event kind. */
#define HEAD_BYTES (4 + 1 + 1 + 1 + 1)

/* Beside the kinds of jobs. */
#define KIND_WATCH 4

static void append_uint32(gc_buffer_t *buffer, apr_size_t number)
{
    apr_uint32_t n = (apr_uint32_t)number;

    gc_buffer_append(buffer, gc_slice((const char *)&n, sizeof(n)));
}

static void append_byte(gc_buffer_t *buffer, int byte)
{
    char c = (char)byte;

    gc_buffer_append(buffer, gc_slice(&c, 1));
}

void ipc_frame_append_watch(gc_buffer_t *buffer)
{
    apr_uint64_t layout = ipc_shared_layout();

    append_uint32(buffer, IPC_FRAME_WATCH_BYTES - 4);
    append_byte(buffer, IPC_FRAME_VERSION);
    append_byte(buffer, KIND_WATCH);
    gc_buffer_append(buffer, gc_slice((const char *)&layout, sizeof(layout)));
}

int ipc_frame_is_watch(gc_slice_t frame)
{
    apr_uint64_t layout;

    if (frame.len != IPC_FRAME_WATCH_BYTES || frame.data[4] != IPC_FRAME_VERSION ||
        frame.data[5] != KIND_WATCH)
    {
        return 0;
    }
    memcpy(&layout, frame.data + 6, sizeof(layout));
    return layout == ipc_shared_layout();
}

ipc_job_t ipc_frame_job(ipc_job_kind_e kind, const char *site)
{
    gc_slice_t empty = gc_slice_of("");

    return (ipc_job_t){kind,
                       site,
                       {.site = "",
                        .room = "",
                        .event = {.author = empty, .payload = empty, .key = empty},
                        .job_key = "",
                        .digest = ""}};
}

void ipc_frame_append_job(gc_buffer_t *buffer, const ipc_job_t *job)
{
    const chat_append_t *append = &job->append;
    gc_slice_t strings[STRINGS] = {gc_slice_of(job->site),       gc_slice_of(append->room),
                                   append->event.author,         append->event.payload,
                                   gc_slice_of(append->job_key), append->event.key,
                                   gc_slice_of(append->digest)};
    apr_size_t size = HEAD_BYTES - 4;
    int i;

    for (i = 0; i < STRINGS; i++) {
        size += 4 + strings[i].len + 1;
    }
    append_uint32(buffer, size);
    append_byte(buffer, IPC_FRAME_VERSION);
    append_byte(buffer, job->kind);
    append_byte(buffer, append->is_repeat != 0);
    append_byte(buffer, append->event.kind);
    for (i = 0; i < STRINGS; i++) {
        append_uint32(buffer, strings[i].len);
        gc_buffer_append(buffer, strings[i]);
        append_byte(buffer, 0);
    }
}

void ipc_frame_append_reply(gc_buffer_t *buffer, const ipc_reply_t *reply)
{
    apr_int64_t numbers[3] = {reply->id, reply->position, reply->created_ms};

    append_uint32(buffer, IPC_FRAME_REPLY_BYTES - 4);
    append_byte(buffer, IPC_FRAME_VERSION);
    append_byte(buffer, reply->status);
    gc_buffer_append(buffer, gc_slice((const char *)numbers, sizeof(numbers)));
}

apr_status_t ipc_frame_size(gc_slice_t bytes, apr_size_t *size)
{
    apr_uint32_t n;

    if (bytes.len < sizeof(n)) {
        return APR_INCOMPLETE;
    }
    memcpy(&n, bytes.data, sizeof(n));
    if (n > IPC_FRAME_MAX_BYTES - sizeof(n)) {
        return APR_EINVAL;
    }
    *size = sizeof(n) + n;
    return APR_SUCCESS;
}

/* Cut one string off the front of *rest. */
static apr_status_t read_string(gc_slice_t *rest, gc_slice_t *out)
{
    apr_uint32_t n;

    if (rest->len < sizeof(n)) {
        return APR_EINVAL;
    }
    memcpy(&n, rest->data, sizeof(n));
    rest->data += sizeof(n);
    rest->len -= sizeof(n);
    if (n >= rest->len || rest->data[n] != '\0' || memchr(rest->data, '\0', n)) {
        return APR_EINVAL;
    }
    *out = gc_slice(rest->data, n);
    rest->data += n + 1;
    rest->len -= n + 1;
    return APR_SUCCESS;
}

apr_status_t ipc_frame_read_job(ipc_job_t *job, gc_slice_t frame)
{
    gc_slice_t strings[STRINGS];
    gc_slice_t rest;
    int i;

    if (frame.len < HEAD_BYTES || frame.data[4] != IPC_FRAME_VERSION ||
        (frame.data[5] != IPC_JOB_READY && frame.data[5] != IPC_JOB_APPEND))
    {
        return APR_EINVAL;
    }
    rest = gc_slice(frame.data + HEAD_BYTES, frame.len - HEAD_BYTES);
    for (i = 0; i < STRINGS; i++) {
        if (read_string(&rest, &strings[i]) != APR_SUCCESS ||
            (i >= 4 && strings[i].len > IPC_FRAME_KEY_MAX_BYTES))
        {
            return APR_EINVAL;
        }
    }
    if (rest.len != 0) {
        return APR_EINVAL;
    }
    *job = (ipc_job_t){(ipc_job_kind_e)frame.data[5],
                       strings[0].data,
                       {.site = "",
                        .room = strings[1].data,
                        .event = {.kind = (unsigned char)frame.data[7],
                                  .author = strings[2],
                                  .payload = strings[3],
                                  .key = strings[5]},
                        .job_key = strings[4].data,
                        .digest = strings[6].data,
                        .is_repeat = frame.data[IPC_FRAME_REPEAT_OFFSET] != 0}};
    return APR_SUCCESS;
}

apr_status_t ipc_frame_read_reply(ipc_reply_t *reply, gc_slice_t frame)
{
    apr_int64_t numbers[3];

    if (frame.len != IPC_FRAME_REPLY_BYTES || frame.data[4] != IPC_FRAME_VERSION ||
        frame.data[5] < IPC_DONE || frame.data[5] > IPC_CONFLICT)
    {
        return APR_EINVAL;
    }
    memcpy(numbers, frame.data + 6, sizeof(numbers));
    reply->status = (ipc_status_e)frame.data[5];
    reply->id = numbers[0];
    reply->position = numbers[1];
    reply->created_ms = numbers[2];
    return APR_SUCCESS;
}
