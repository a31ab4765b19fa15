/* The Unix socket of the keeper as a file: how it is made, and how sockets without a listener are
 * removed. */
#ifndef PROCESS_SOCKET_H
#define PROCESS_SOCKET_H

#include "mod_grip_chat.h"

/** Where the socket is if GripChatSocket names no path: the runtime directory, by the number of this
 *  process. Owned by pool. */
const char *process_socket_default_path(apr_pool_t *pool);

/**
 * Remove the socket at a path if this process made it or no process listens at it. In the parent.
 *
 * @return APR_SUCCESS, also if nothing is there; EADDRINUSE if another process's listens,
 *         APR_EEXIST if it is no socket, or the system's status
 */
apr_status_t process_socket_remove(const char *path);

/**
 * Make a socket that listens, which only the run user may connect to. It calls
 * process_socket_remove first. In the parent.
 *
 * @param fd  on APR_SUCCESS the socket, closed on exec; else untouched
 * @return APR_SUCCESS, APR_ENAMETOOLONG, as process_socket_remove, or the system's status
 */
apr_status_t process_socket_listen(const char *path, int *fd);

/**
 * Remove the sockets with default names that killed servers left in the runtime directory. One
 * goes only if the process that it is named after is gone, no process listens at it, and it belongs
 * to the run user or to this process. In the parent.
 *
 * @param main  for a line in the log about each
 */
void process_socket_remove_ended(server_rec *main, apr_pool_t *scratch_pool);

#endif
