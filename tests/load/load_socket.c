#include "load_socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* With this the port is chosen in connect(), where one that another target uses will do too. */
static int come_from(int fd, int from)
{
    struct sockaddr_in address;
    int on = 1;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000000u + (unsigned)from);
    return setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0 &&
           bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

int load_socket_connect(const struct sockaddr_in *to, int from, int buffer_size)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0) {
        return -1;
    }
    if ((from && !come_from(fd, from)) ||
        (buffer_size &&
         setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof(buffer_size)) != 0) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        (connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0 && errno != EINPROGRESS))
    {
        int failed = errno;

        close(fd);
        errno = failed;
        return -1;
    }
    return fd;
}

int load_socket_is_connected(int fd)
{
    int failed = 0;
    socklen_t len = sizeof(failed);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) == 0 && failed == 0;
}
