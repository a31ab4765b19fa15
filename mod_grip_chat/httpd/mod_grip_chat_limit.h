/* How many streams a child may hold: as many as the MPM leaves room for, and no more than GripChatMaxStreams. */
#ifndef MOD_GRIP_CHAT_LIMIT_H
#define MOD_GRIP_CHAT_LIMIT_H

#include "mod_grip_chat_config.h"

/**
 * Work out the share of each child and keep it in the main server's configuration. In check_config, after
 * the MPM's own. Logs a warning where what is configured does not fit, with what to write.
 *
 * @param main  the main server
 */
void grip_chat_limit_work_out(server_rec *main);

/** The AsyncRequestWorkerFactor with which a child may hold so many streams: for a log line. */
int grip_chat_limit_factor_for(apr_uint32_t streams);

/** The streams that this child may hold, as far as it may have descriptors for them. In child_init. */
apr_uint32_t grip_chat_limit_of_child(server_rec *main);

#endif
