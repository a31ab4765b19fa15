#include "chat_tags.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "gc_lock.h"
#include "gc_pool.h"

/* A character takes up to four bytes. */
#define ROOM_SIZE (4 * CHAT_ROOM_MAX_CHARS + 1)

typedef struct tag_t {
    chat_version_t version;
    apr_int64_t before;
    char room[ROOM_SIZE]; /* "" where there is none */
    chat_standing_t standing;
} tag_t;

struct chat_tags_t {
    apr_thread_mutex_t *mutex; /* guards the next fields, and the pool */
    tag_t *all;                /* NULL as long as there is none */
    apr_pool_t *pool;
};

apr_status_t chat_tags_create(chat_tags_t **out, apr_pool_t *pool)
{
    chat_tags_t *tags = apr_pcalloc(pool, sizeof(*tags));
    apr_status_t rv = gc_pool_create(&tags->pool, pool, "chat_tags");

    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&tags->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    }
    if (rv == APR_SUCCESS) {
        *out = tags;
    }
    return rv;
}

static tag_t *place_of(chat_tags_t *tags, const char *room, apr_int64_t before)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;
    unsigned hash = apr_hashfunc_default(room, &len);

    return &tags->all[(hash + (unsigned)before * 31) % CHAT_TAGS_MAX];
}

int chat_tags_find(chat_tags_t *tags, const char *room, apr_int64_t before, chat_version_t version,
                   chat_standing_t *standing)
{
    int is_known = 0;

    gc_lock_enter(tags->mutex);
    if (tags->all) {
        const tag_t *tag = place_of(tags, room, before);

        is_known = tag->before == before && tag->version.epoch == version.epoch &&
                   tag->version.generation == version.generation && strcmp(tag->room, room) == 0;
        if (is_known) {
            *standing = tag->standing;
        }
    }
    gc_lock_leave(tags->mutex);
    return is_known;
}

void chat_tags_keep(chat_tags_t *tags, const char *room, apr_int64_t before, chat_version_t version,
                    const chat_standing_t *standing)
{
    tag_t *tag;

    if (strlen(room) >= ROOM_SIZE) {
        return;
    }
    gc_lock_enter(tags->mutex);
    if (!tags->all) {
        tags->all = apr_pcalloc(tags->pool, sizeof(tag_t) * CHAT_TAGS_MAX);
    }
    tag = place_of(tags, room, before);
    tag->version = version;
    tag->before = before;
    tag->standing = *standing;
    apr_cpystrn(tag->room, room, sizeof(tag->room));
    gc_lock_leave(tags->mutex);
}
