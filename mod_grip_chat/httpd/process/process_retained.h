/* The keeper's socket, at which children reach it, and the memory that they share with it. Httpd
 * keeps both while it unloads and loads the module. They outlive restarts, because older children
 * use them.
 *
 * A restart may load another version of the module. If that lays out the memory in another way,
 * the old memory is left to the older children, and new memory is made. All of this belongs to the
 * parent; a child only looks at its copy. */
#ifndef PROCESS_RETAINED_H
#define PROCESS_RETAINED_H

#include "ipc_shared.h"
#include "mod_grip_chat.h"

/**
 * See that there are a socket and memory of this version's layout. In post_config.
 *
 * @param wanted  the path that the socket is to have
 * @param pconf   the configuration's pool; when it goes with httpd itself, the socket's file goes too
 * @return APR_SUCCESS, or a status after a line in the log; on a restart APR_SUCCESS also if there
 *         is no socket yet, see process_retained_listen
 */
apr_status_t process_retained_settle(server_rec *main, const char *wanted, apr_pool_t *pconf);

/**
 * Make the socket if a restart could not. Logs when that fails for the first time and when it succeeds.
 *
 * @return APR_SUCCESS if there is a socket, or why there is none
 */
apr_status_t process_retained_listen(server_rec *main);

/**
 * This configuration has no chat: remove the socket, so that older children are refused at once.
 */
void process_retained_drop(void);

/** In a child: close the descriptors that only the parent and the keeper use. */
void process_retained_child_init(void);

/** Whether this process is the one that made the socket, the parent. */
int process_retained_is_owner(void);

/** The socket that listens; -1 while there is none. */
int process_retained_socket(void);

/** The path of the socket, also while it could not be made; NULL before it was to be. */
const char *process_retained_socket_path(void);

/** The shared memory; NULL if there is none of this layout. */
ipc_shared_t *process_retained_shared(void);

#endif
