/* What is logged once for a host, by whichever child comes to it first. */
#ifndef MOD_GRIP_CHAT_ONCE_H
#define MOD_GRIP_CHAT_ONCE_H

#include "mod_grip_chat_config.h"

/** The lines of which one is enough. */
typedef enum grip_chat_once_e {
    GRIP_CHAT_ONCE_OTHER_ANSWERS = 1, /**< GC0182 */
    GRIP_CHAT_ONCE_NO_MOUNT = 2       /**< GC0183 */
} grip_chat_once_e;

/**
 * Make the memory, shared by all children of a configuration, in which each server notes what was logged. Where it
 * cannot be shared, each child has its own, and logs for itself. In the parent, at configuration time.
 *
 * @param pool  the configuration's
 */
void grip_chat_once_make(server_rec *main, apr_pool_t *pool);

/** Whether this is the first time that a line is due for a server. Any thread. */
int grip_chat_once(const server_rec *s, grip_chat_once_e line);

#endif
