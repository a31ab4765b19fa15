/* A connection to a database in a temporary directory, for the tests of what it lives through. */
#ifndef DATABASE_FIXTURE_H
#define DATABASE_FIXTURE_H

#include "chat_store.h"
#include "held_fixture.h"
#include "unit_events.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static inline chat_database_t *open_writer(const unit_temp_t *temp)
{
    chat_database_t *db = make(temp, CHAT_DATABASE_WRITER);

    if (chat_database_ready(db) != APR_SUCCESS) {
        fail_msg("%s", chat_database_last_error(db));
    }
    return db;
}

/* Store one message under a key of its own. */
static inline apr_status_t store(chat_database_t *db, const char *key, const unit_temp_t *temp)
{
    chat_append_t append = unit_append("", "a", "al", key, key);

    return unit_store(chat_store_append, db, &append, 1, apr_time_now(), temp->pool);
}

static inline int count_messages(chat_database_t *db, const unit_temp_t *temp)
{
    chat_page_t page;

    if (chat_store_read_before(db, "", "a", APR_INT64_MAX,
                               (chat_bounds_t){100, CHAT_LIST_MAX_BYTES}, &page,
                               temp->pool) != APR_SUCCESS)
    {
        fail_msg("%s", chat_database_last_error(db));
    }
    return page.count;
}

static inline const char *beside(const unit_temp_t *temp, const char *suffix)
{
    return apr_pstrcat(temp->pool, temp->path, suffix, NULL);
}

static inline int mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(stat(path, &info), 0);
    return (int)(info.st_mode & 0777);
}

/* Be an unprivileged user, whom modes of files mean something to; 0 if we are one already. */
static inline int become_nobody(const unit_temp_t *temp)
{
    if (geteuid() != 0) {
        return 0;
    }
    assert_int_equal(chown(temp->dir, NOBODY, (gid_t)-1), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    return 1;
}

static inline void become_root(int was_root)
{
    if (was_root) {
        assert_int_equal(seteuid(0), 0);
    }
}

#endif
