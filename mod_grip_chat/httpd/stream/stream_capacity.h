/* The number of streams that a child may hold: as many as the MPM leaves room for, within
 * GripChatMaxStreams.
 * Lives in the parent, which works it out while it reads the configuration, and in a child as that
 * starts. There is nothing to free. */
#ifndef STREAM_CAPACITY_H
#define STREAM_CAPACITY_H

#include "conf_server.h"

/**
 * Work out the share of each child and keep it in the main server's configuration. In check_config,
 * after the MPM's own. Logs a warning if the configuration does not fit, with the remedy.
 *
 * @param main  the main server
 */
void stream_capacity_work_out(server_rec *main);

/** The AsyncRequestWorkerFactor with which a child may hold so many streams: for a log line. */
int stream_capacity_factor_for(apr_uint32_t streams);

/** The streams that this child may hold, as far as it may have descriptors for them. In child_init. */
apr_uint32_t stream_capacity_of_child(server_rec *main);

#endif
