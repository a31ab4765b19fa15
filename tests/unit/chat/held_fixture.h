/* The files that a writer of a test has open, as readers of the same test know them, also those in
 * forked processes. */
#ifndef HELD_FIXTURE_H
#define HELD_FIXTURE_H

#include "chat_database.h"
#include "unit_temp.h"
#include <string.h>
#include <sys/mman.h>

/* Paths of all tests of one program. */
#define HELD_MAX 64

typedef struct held_t {
    char path[256];
    chat_database_files_t files;
} held_t;

/* In memory that forked processes share, which is there before they are. */
static inline held_t *held_all(void)
{
    static held_t *all;

    if (!all) {
        all = mmap(NULL, sizeof(held_t) * HELD_MAX, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(all != MAP_FAILED);
    }
    return all;
}

/* The place of a path, or a free one. */
static inline held_t *held_at(const char *path)
{
    held_t *all = held_all();
    int i;

    for (i = 0; i < HELD_MAX && all[i].path[0]; i++) {
        if (strcmp(all[i].path, path) == 0) {
            return &all[i];
        }
    }
    assert_true(i < HELD_MAX);
    apr_cpystrn(all[i].path, path, sizeof(all[i].path));
    return &all[i];
}

static inline int held_files(chat_database_files_t *held, void *baton)
{
    *held = held_at(baton)->files;
    return held->file.inode != 0;
}

static inline apr_status_t hold_opened(chat_database_t *db, apr_pool_t *pool, void *baton)
{
    held_at(baton)->files = *chat_database_files(db);
    return APR_SUCCESS;
}

/* A connection, closed as yet, whose writer's files its readers know. */
static inline chat_database_t *make(const unit_temp_t *temp, chat_database_role_e role)
{
    chat_database_spec_t spec = {"sqlite3", temp->path};
    chat_database_files_t known;
    chat_database_t *db;

    memset(&known, 0, sizeof(known));
    assert_int_equal(chat_database_global_init(temp->pool), APR_SUCCESS);
    db = chat_database_create(&spec, role, temp->pool);
    if (role == CHAT_DATABASE_WRITER) {
        chat_database_lead(db, &known, hold_opened, NULL, (void *)temp->path);
    }
    else {
        chat_database_follow(db, held_files, (void *)temp->path);
    }
    return db;
}

#endif
