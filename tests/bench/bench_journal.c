/* The smallest process that keeps posts for Apache's children. It takes the posts that have
 * arrived on its Unix socket, appends them to a file, syncs that once, and answers. It has no
 * database and no order by rooms, publishes nothing and finds nothing again. No keeper in a process
 * of its own can take less time for posts. Usage: bench_journal SOCKET FILE; ends with its standard
 * input. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench_journal.h"

#define EVENTS 256

/* Begin the file anew when it is as long as SQLite lets its log become. */
#define FILE_MAX (4 * 1024 * 1024)

static void must(int holds, const char *what)
{
    if (!holds) {
        perror(what);
        exit(1);
    }
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    must(fd >= 0 && strlen(path) < sizeof(address.sun_path), path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    must(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, path);
    must(listen(fd, 511) == 0, path);
    return fd;
}

static void watch(int set, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    must(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void accept_all(int set, int listener)
{
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        watch(set, fd);
    }
}

/* Append and sync once, then answer all. */
static void keep(int file, const char *jobs, size_t len, const int *children, int count)
{
    static const char reply[BENCH_JOURNAL_REPLY_BYTES];
    int i;

    if (count == 0) {
        return;
    }
    if (lseek(file, 0, SEEK_CUR) > FILE_MAX) {
        (void)lseek(file, 0, SEEK_SET);
    }
    must(write(file, jobs, len) == (ssize_t)len, "write");
    must(fdatasync(file) == 0, "fdatasync");
    for (i = 0; i < count; i++) {
        (void)send(children[i], reply, sizeof(reply), MSG_NOSIGNAL);
    }
}

int main(int argc, char **argv)
{
    static char jobs[EVENTS * BENCH_JOURNAL_JOB_BYTES];
    struct epoll_event events[EVENTS];
    int children[EVENTS];
    int set = epoll_create1(0);
    int listener;
    int file;

    must(argc == 3, "usage: bench_journal SOCKET FILE");
    file = open(argv[2], O_CREAT | O_RDWR, 0600);
    must(file >= 0, argv[2]);
    listener = listen_at(argv[1]);
    watch(set, listener);
    watch(set, STDIN_FILENO);
    for (;;) {
        int ready = epoll_wait(set, events, EVENTS, -1);
        size_t len = 0;
        int count = 0;
        int i;

        for (i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            ssize_t got;

            if (fd == STDIN_FILENO) {
                return 0;
            }
            if (fd == listener) {
                accept_all(set, listener);
                continue;
            }
            got = recv(fd, jobs + len, BENCH_JOURNAL_JOB_BYTES, MSG_DONTWAIT);
            if (got <= 0) {
                close(fd);
                continue;
            }
            len += (size_t)got;
            children[count++] = fd;
        }
        keep(file, jobs, len, children, count);
    }
}
