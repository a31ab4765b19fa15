#include "mod_grip_chat_reader.h"

#include <apr_thread_mutex.h>

#include "gc_pool.h"

struct grip_chat_reader_t {
    const keeper_site_t *site;
    keeper_client_t *keeper;
    apr_thread_mutex_t *mutex; /* guards db and secret */
    chat_database_t *db;
    keeper_shared_t *shared;
    const char *secret;        /* once it was read; of the reader's pool */
    apr_uint64_t secret_epoch; /* when it was read: a replaced database has another */
    apr_pool_t *own;
};

apr_status_t grip_chat_reader_create(grip_chat_reader_t **out, const keeper_site_t *site,
                                     keeper_client_t *keeper, keeper_shared_t *shared,
                                     apr_pool_t *pool)
{
    grip_chat_reader_t *reader = apr_pcalloc(pool, sizeof(*reader));
    apr_status_t rv = gc_pool_create(&reader->own, pool, "grip_chat_reader");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    reader->site = site;
    reader->keeper = keeper;
    reader->shared = shared;
    reader->db = chat_database_create(&site->database, CHAT_DATABASE_READER, reader->own);
    rv = apr_thread_mutex_create(&reader->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        *out = reader;
    }
    return rv;
}

/* What to read, and where to put it. */
typedef struct reading_t {
    const char *room;  /* NULL for the secret */
    apr_int64_t after; /* negative for the newest */
    int limit;
    chat_page_t *page;
    const char **secret;
} reading_t;

static apr_status_t read_secret(grip_chat_reader_t *reader, const char **secret, apr_pool_t *pool)
{
    apr_uint64_t epoch = keeper_shared_version(reader->shared, 0).epoch;
    apr_status_t rv = APR_SUCCESS;

    if (!reader->secret || reader->secret_epoch != epoch) {
        rv = chat_store_meta_get(reader->db, reader->site->name, KEEPER_SITE_SECRET_NAME, secret,
                                 pool);
        if (rv == APR_SUCCESS) {
            reader->secret_epoch = epoch;
            if (!reader->secret || strcmp(reader->secret, *secret) != 0) {
                reader->secret = apr_pstrdup(reader->own, *secret);
            }
        }
    }
    if (rv == APR_SUCCESS) {
        *secret = reader->secret;
    }
    return rv;
}

static apr_status_t read_once(grip_chat_reader_t *reader, const reading_t *reading,
                              apr_pool_t *pool)
{
    apr_status_t rv = apr_thread_mutex_lock(reader->mutex);
    apr_status_t unlocked;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!reading->room) {
        rv = read_secret(reader, reading->secret, pool);
    }
    else if (reading->after < 0) {
        rv = chat_store_read_newest(reader->db, reader->site->name, reading->room, reading->limit,
                                    reading->page, pool);
    }
    else {
        rv = chat_store_read_after(reader->db, reader->site->name, reading->room, reading->after,
                                   reading->limit, reading->page, pool);
    }
    unlocked = apr_thread_mutex_unlock(reader->mutex);
    return rv == APR_SUCCESS ? unlocked : rv;
}

/* Right after the start the keeper may still be making the tables: wait for it, and read again. */
static apr_status_t read_when_ready(grip_chat_reader_t *reader, const reading_t *reading,
                                    apr_pool_t *pool)
{
    keeper_job_t ready = {KEEPER_JOB_READY, 0, reader->site->identity, "", "", "", "", "", ""};
    keeper_reply_t reply;
    apr_status_t rv = read_once(reader, reading, pool);

    if (rv == APR_SUCCESS) {
        return rv;
    }
    if (keeper_client_call(reader->keeper, &ready, &reply, KEEPER_CLIENT_TIMEOUT, pool) !=
            APR_SUCCESS ||
        reply.status != KEEPER_DONE)
    {
        return rv;
    }
    return read_once(reader, reading, pool);
}

apr_status_t grip_chat_reader_newest(grip_chat_reader_t *reader, const char *room, int limit,
                                     chat_page_t *page, apr_pool_t *pool)
{
    reading_t reading = {room, -1, limit, page, NULL};

    return read_when_ready(reader, &reading, pool);
}

apr_status_t grip_chat_reader_after(grip_chat_reader_t *reader, const char *room, apr_int64_t after,
                                    int limit, chat_page_t *page, apr_pool_t *pool)
{
    reading_t reading = {room, after, limit, page, NULL};

    return read_when_ready(reader, &reading, pool);
}

apr_status_t grip_chat_reader_secret(grip_chat_reader_t *reader, const char **secret,
                                     apr_pool_t *pool)
{
    reading_t reading = {NULL, 0, 0, NULL, secret};

    return read_when_ready(reader, &reading, pool);
}
