#include "chat_next_link.h"

#include "gc_buffer.h"
#include "gc_percent.h"
#include "gc_query.h"

const char *chat_next_link_make(const chat_next_link_t *link, gc_slice_t token, apr_pool_t *pool)
{
    gc_buffer_t path = gc_buffer_make(256, pool);

    gc_buffer_append(&path, link->mount);
    gc_buffer_append_text(&path, "rooms/");
    gc_percent_append(&path, link->room);
    if (link->is_page) {
        gc_buffer_append_text(&path, "/from/");
        gc_buffer_append_int64(&path, link->from);
    }
    gc_buffer_append_text(&path, "/events/?link=next&recover=true&token=");
    gc_buffer_append(&path, token);
    return path.data;
}

int chat_next_link_is(const char *query)
{
    gc_slice_t value;

    return gc_query_parameter(&value, query, "link") == APR_SUCCESS &&
           gc_slice_equal(value, gc_slice_of("next"));
}

apr_status_t chat_next_link_token(gc_slice_t *token, const char *query)
{
    return gc_query_parameter(token, query, "token");
}
