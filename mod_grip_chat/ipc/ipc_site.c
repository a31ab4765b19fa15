#include "ipc_site.h"

#include "chat_event_id.h"

const char *ipc_site_channel(const ipc_site_t *site, gc_slice_t room, apr_pool_t *pool)
{
    gc_buffer_t channel = gc_buffer_make(256, pool);

    gc_buffer_append_text(&channel, site->channel_prefix);
    gc_buffer_append_text(&channel, "events-");
    chat_event_id_append_channel(&channel, room);
    return channel.data;
}

apr_uint64_t ipc_site_tag(const ipc_site_t *site, gc_slice_t room)
{
    return ipc_shared_tag(gc_slice_of(site->identity), room);
}

unsigned ipc_site_slot(const ipc_site_t *site, gc_slice_t room)
{
    return ipc_shared_slot(ipc_site_tag(site, room));
}
