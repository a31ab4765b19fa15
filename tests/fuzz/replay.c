/* Runs a fuzz target over every file of the files and folders given: its corpus, in make check, with
 * any compiler. */
#include "fuzz_base.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#define INPUT_MAX_BYTES (16 * 1024 * 1024)

static apr_status_t replay_file(const char *path, apr_pool_t *scratch_pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t len;
    char *data;
    apr_status_t rv =
        apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, scratch_pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (info.size > INPUT_MAX_BYTES) {
        return APR_ENOMEM;
    }
    len = (apr_size_t)info.size;
    /* Of its very size, and not in a pool, so that a sanitizer sees a read past the end. */
    data = malloc(len ? len : 1);
    if (!data) {
        return APR_ENOMEM;
    }
    rv = len ? apr_file_read_full(file, data, len, NULL) : APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        LLVMFuzzerTestOneInput((const uint8_t *)data, len);
    }
    free(data);
    return rv;
}

static apr_status_t replay_folder(const char *path, int *count, apr_pool_t *scratch_pool)
{
    apr_dir_t *folder;
    apr_finfo_t entry;
    apr_pool_t *iterpool;
    apr_status_t rv = apr_dir_open(&folder, path, scratch_pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_pool_create(&iterpool, scratch_pool);
    while (rv == APR_SUCCESS && apr_dir_read(&entry, APR_FINFO_NAME, folder) == APR_SUCCESS) {
        apr_pool_clear(iterpool);
        if (entry.name[0] != '.') {
            rv = replay_file(apr_pstrcat(iterpool, path, "/", entry.name, NULL), iterpool);
            *count += rv == APR_SUCCESS;
        }
    }
    return rv;
}

static apr_status_t replay(const char *path, int *count, apr_pool_t *scratch_pool)
{
    apr_finfo_t info;
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_TYPE, scratch_pool);

    if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) {
        return rv;
    }
    if (info.filetype == APR_DIR) {
        return replay_folder(path, count, scratch_pool);
    }
    rv = replay_file(path, scratch_pool);
    *count += rv == APR_SUCCESS;
    return rv;
}

static int replay_all(int argc, char **argv, apr_pool_t *pool)
{
    int total = 0;
    int i;

    for (i = 1; i < argc; i++) {
        int count = 0;
        apr_status_t rv = replay(argv[i], &count, pool);
        char reason[128];

        if (rv != APR_SUCCESS || count == 0) {
            fprintf(stderr, "%s: %s\n", argv[i],
                    rv == APR_SUCCESS ? "holds no file to replay"
                                      : apr_strerror(rv, reason, sizeof(reason)));
            return 1;
        }
        total += count;
    }
    if (total == 0) {
        fprintf(stderr, "usage: %s FILE-OR-FOLDER...\n", argv[0]);
        return 1;
    }
    printf("%d inputs replayed\n", total);
    return 0;
}

int main(int argc, char **argv)
{
    apr_pool_t *pool = fuzz_pool_make();
    int failed = replay_all(argc, argv, pool);

    apr_pool_destroy(pool);
    apr_terminate();
    return failed;
}
