/* A database where statx(2) is not to be had: seccomp filters of older container engines answer EPERM, older
 * kernels ENOSYS. A real filter is put on this process, which never loses it. */
#include "database_fixture.h"

#include <errno.h>
#include <stddef.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Have statx answer an error from now on; of several filters the last one says which. */
static int forbid_statx(int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_statx, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void check_without_statx(const unit_temp_t *temp, int error)
{
    chat_database_t *db;
    chat_database_t *reader;
    unit_temp_t other = *temp;

    if (!forbid_statx(error)) {
        skip();
    }
    errno = 0;
    assert_int_equal(syscall(SYS_statx, -1, "", 0, 0, NULL), -1);
    assert_int_equal(errno, error);
    db = open_writer(temp);
    reader = make(temp, CHAT_DATABASE_READER);
    assert_int_equal(store(db, "k1", temp), APR_SUCCESS);
    assert_int_equal(store(db, "k2", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 2);
    assert_int_equal(chat_database_openings(db), 1);
    /* While both files are there their inodes differ, so that a replaced one is still noticed. */
    other.path = beside(temp, ".other");
    chat_database_close(open_writer(&other));
    assert_int_equal(rename(other.path, temp->path), 0);
    assert_int_equal(store(db, "k3", temp), APR_ENOENT);
    assert_int_equal(store(db, "k3", temp), APR_SUCCESS);
    assert_int_equal(count_messages(reader, temp), 1);
}

static void is_used_where_a_filter_forbids_statx(void **state)
{
    check_without_statx(*state, EPERM);
}

static void is_used_where_a_kernel_has_no_statx(void **state)
{
    check_without_statx(*state, ENOSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEMP_TEST(is_used_where_a_filter_forbids_statx),
        TEMP_TEST(is_used_where_a_kernel_has_no_statx),
    };

    return UNIT_RUN(tests);
}
