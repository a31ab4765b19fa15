/* grip_hold: Grip-Last is read before anything else of a recovery request. An input is the channel,
 * then, behind a line end, the header. */
#include "grip_hold.h"

#include "fuzz_base.h"

/* A found id lies in the header and is fit to be written there. */
static void check_id(gc_slice_t id, gc_slice_t header, gc_slice_t channel, apr_pool_t *pool)
{
    const char *again =
        apr_pstrcat(pool, gc_slice_dup(channel, pool), "; last-id=", gc_slice_dup(id, pool), NULL);
    gc_slice_t same = gc_slice("", 0);
    const char *name;

    FUZZ_CHECK(id.len > 0 && id.len <= 64);
    FUZZ_CHECK(id.data >= header.data && id.data + id.len <= header.data + header.len);
    FUZZ_CHECK(grip_hold_channel_name(&name, gc_slice("", 0), channel, pool) == APR_SUCCESS);
    FUZZ_CHECK(grip_hold_last_find(&same, gc_slice_of(again), channel) == APR_SUCCESS);
    FUZZ_CHECK(gc_slice_equal(same, id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    gc_slice_t header = fuzz_slice(data, size);
    gc_slice_t channel = gc_slice("", 0);
    gc_slice_t id = gc_slice(NULL, 0);

    if (gc_slice_until(&header, '\n', &channel) == APR_SUCCESS &&
        grip_hold_last_find(&id, header, channel) == APR_SUCCESS)
    {
        check_id(id, header, channel, pool);
    }
    else {
        FUZZ_CHECK(id.data == NULL);
    }
    apr_pool_destroy(pool);
    return 0;
}
