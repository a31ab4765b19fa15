#include "stream_load.h"

#include <stdlib.h>

stream_load_t *stream_load_make(struct stream_room_t *room, const conf_site_t *site, unsigned slot,
                                const char *name)
{
    apr_size_t size = strlen(name) + 1;
    stream_load_t *load = calloc(1, sizeof(*load) + size);

    if (load) {
        load->room = room;
        load->site = site;
        load->slot = slot;
        memcpy(load->name, name, size);
    }
    return load;
}

void stream_load_clear(stream_load_t *load)
{
    load->status = APR_SUCCESS;
    load->snapshot = NULL;
    load->pieces = NULL;
    load->is_cut_off = 0;
}

void stream_loads_init(stream_loads_t *loads)
{
    loads->first = NULL;
    loads->end = &loads->first;
}

void stream_loads_put(stream_loads_t *loads, stream_load_t *load)
{
    load->next = NULL;
    *loads->end = load;
    loads->end = &load->next;
}

stream_load_t *stream_loads_take(stream_loads_t *loads)
{
    stream_load_t *load = loads->first;

    if (load) {
        loads->first = load->next;
        if (!loads->first) {
            loads->end = &loads->first;
        }
        load->next = NULL;
    }
    return load;
}
