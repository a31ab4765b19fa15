/* Events, and jobs to store them, for the tests of all layers that pass them on. */
#ifndef UNIT_EVENTS_H
#define UNIT_EVENTS_H

#include "chat_kind.h"
#include "ipc_frame.h"

/** A message to store; the outcome and the numbers are none that a call gives. */
static inline chat_append_t unit_append(const char *site, const char *room, const char *from,
                                        const char *text, const char *job_key)
{
    return (chat_append_t){.site = site,
                           .room = room,
                           .event = {.kind = CHAT_KIND_MESSAGE,
                                     .position = -1,
                                     .id = -1,
                                     .created_ms = -1,
                                     .author = gc_slice_of(from),
                                     .payload = {text, text ? strlen(text) : 0},
                                     .key = gc_slice_of("")},
                           .job_key = job_key,
                           .digest = "",
                           .outcome = CHAT_APPEND_CONFLICT};
}

/** A job as a child sends it. */
static inline ipc_job_t unit_job(ipc_job_kind_e kind, int is_repeat, const char *site,
                                 const char *room, const char *from, const char *text,
                                 const char *job_key, const char *key, const char *digest)
{
    ipc_job_t job = {kind, site, unit_append("", room, from, text, job_key)};

    job.append.is_repeat = is_repeat;
    job.append.event.key = gc_slice_of(key);
    job.append.digest = digest;
    return job;
}

typedef apr_status_t unit_store_fn(chat_database_t *db, chat_append_t *const *jobs, int count,
                                   apr_time_t now, apr_pool_t *scratch_pool);

/** Store jobs that lie one behind the other. @param store  chat_store_append or chat_store_append_each */
static inline apr_status_t unit_store(unit_store_fn *store, chat_database_t *db,
                                      chat_append_t *jobs, int count, apr_time_t now,
                                      apr_pool_t *pool)
{
    chat_append_t **each = apr_palloc(pool, sizeof(chat_append_t *) * (apr_size_t)count);
    int i;

    for (i = 0; i < count; i++) {
        each[i] = &jobs[i];
    }
    return store(db, each, count, now, pool);
}

#endif
