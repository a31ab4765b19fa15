/* ipc_notice: a keeper of another version may write any notice. */
#include "ipc_notice.h"

#include "fuzz_base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    gc_slice_t bytes = gc_slice(apr_pmemdup(pool, data, size), size); /* aligned as it may come */
    const char *end = bytes.data + bytes.len;
    ipc_notice_t notice;

    if (ipc_notice_read(&notice, bytes) == APR_SUCCESS) {
        FUZZ_CHECK(notice.site > bytes.data);
        FUZZ_CHECK(notice.room == notice.site + strlen(notice.site) + 1);
        FUZZ_CHECK(notice.text.data == notice.room + strlen(notice.room) + 1);
        FUZZ_CHECK(notice.text.len > 0 && notice.text.data + notice.text.len == end);
    }
    apr_pool_destroy(pool);
    return 0;
}
