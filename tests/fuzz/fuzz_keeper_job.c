/* ipc_frame: a child of another version may write any frame. */
#include "ipc_frame.h"

#include "fuzz_base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    gc_slice_t bytes = fuzz_slice(data, size);
    gc_buffer_t again = gc_buffer_make(size + 1, pool);
    apr_size_t frame_size = 0;
    ipc_job_t job;

    if (ipc_frame_size(bytes, &frame_size) == APR_SUCCESS && frame_size == size &&
        ipc_frame_read_job(&job, bytes) == APR_SUCCESS)
    {
        ipc_frame_append_job(&again, &job);
        FUZZ_CHECK(again.len == size);
        /* The byte that says whether it was sent before is the one that has several forms. */
        again.data[IPC_FRAME_REPEAT_OFFSET] = bytes.data[IPC_FRAME_REPEAT_OFFSET];
        FUZZ_CHECK(memcmp(again.data, data, size) == 0);
    }
    apr_pool_destroy(pool);
    return 0;
}
