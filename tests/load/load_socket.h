/* Connections that begin without waiting. */
#ifndef LOAD_SOCKET_H
#define LOAD_SOCKET_H

#include <netinet/in.h>

/**
 * Begin to connect.
 *
 * @param to           where
 * @param from         the last byte of the address in 127.0.0.0/24 to come from; 0: any
 * @param buffer_size  of the socket for what comes in; 0: the system's
 * @return a socket that can be written once it is connected, or -1 with errno
 */
int load_socket_connect(const struct sockaddr_in *to, int from, int buffer_size);

/** Whether a socket that can be written is connected. */
int load_socket_is_connected(int fd);

#endif
