#include "unit_temp.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX_BYTES 16384

int unit_temp_setup(void **state)
{
    char dir[] = "/tmp/grip-chat-unit-XXXXXX";
    apr_pool_t *pool;
    unit_temp_t *temp;

    if (!mkdtemp(dir) || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    temp = apr_pcalloc(pool, sizeof(*temp));
    temp->pool = pool;
    temp->dir = apr_pstrdup(pool, dir);
    temp->path = apr_pstrcat(pool, dir, "/chat.db", NULL);
    *state = temp;
    return 0;
}

int unit_temp_teardown(void **state)
{
    unit_temp_t *temp = *state;
    DIR *dir = opendir(temp->dir);
    struct dirent *entry;
    char path[512];

    while (dir && (entry = readdir(dir))) {
        apr_snprintf(path, sizeof(path), "%s/%s", temp->dir, entry->d_name);
        (void)unlink(path); /* fails for "." and ".." */
    }
    if (dir) {
        closedir(dir);
    }
    if (rmdir(temp->dir) != 0) {
        return -1;
    }
    apr_pool_destroy(temp->pool);
    return 0;
}

/* Run the tool; its exit status, -1 where it is not there. */
static int run_sqlite(const char *path, const char *sql, char *output, size_t size)
{
    size_t len = 0;
    ssize_t got;
    int ends[2];
    int status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        execlp("sqlite3", "sqlite3", "-batch", "-bail", path, sql, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    while (len < size - 1 && (got = read(ends[0], output + len, size - 1 - len)) > 0) {
        len += (size_t)got;
    }
    output[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

int unit_sqlite_is_there(void)
{
    char output[64];

    return run_sqlite(":memory:", "SELECT 1", output, sizeof(output)) == 0;
}

const char *unit_sqlite(const char *path, const char *sql, apr_pool_t *pool)
{
    char *output = apr_palloc(pool, OUTPUT_MAX_BYTES);

    if (run_sqlite(path, sql, output, OUTPUT_MAX_BYTES) != 0) {
        fail_msg("sqlite3 says: %s", output);
    }
    if (*output && output[strlen(output) - 1] == '\n') {
        output[strlen(output) - 1] = '\0';
    }
    return output;
}
