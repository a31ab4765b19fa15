#include "process_once.h"

#include <apr_atomic.h>
#include <apr_shm.h>

void process_once_make(server_rec *main, apr_pool_t *pool)
{
    apr_uint32_t *told;
    apr_size_t bytes = 0;
    apr_shm_t *memory;
    apr_status_t rv;
    server_rec *s;

    for (s = main; s; s = s->next) {
        bytes += sizeof(*told);
    }
    rv = apr_shm_create(&memory, bytes, NULL, pool);
    if (rv != APR_SUCCESS) {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, rv, main,
            "GC0185: no memory can be shared for notes of logged lines; each child logs by "
            "itself the lines that come once for a host");
    }
    told = rv == APR_SUCCESS ? apr_shm_baseaddr_get(memory) : apr_palloc(pool, bytes);
    memset(told, 0, bytes);
    for (s = main; s; s = s->next) {
        conf_server_get(s)->told = told++;
    }
}

int process_once(const server_rec *s, process_once_e line)
{
    volatile apr_uint32_t *told = conf_server_get(s)->told;
    apr_uint32_t before = apr_atomic_read32(told);

    while (!(before & line)) {
        apr_uint32_t found = apr_atomic_cas32(told, before | line, before);

        if (found == before) {
            return 1;
        }
        before = found;
    }
    return 0;
}
