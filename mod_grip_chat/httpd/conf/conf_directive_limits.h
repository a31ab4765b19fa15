/* The limits whose directives take more than a plain argument. The handlers are of httpd's form and
 * answer NULL, or a sentence for httpd, owned by cmd->pool. */
#ifndef CONF_DIRECTIVE_LIMITS_H
#define CONF_DIRECTIVE_LIMITS_H

#include "mod_grip_chat.h"

/** GripChatPublishRate: a rate, or Off, and perhaps a burst. */
const char *conf_directive_limits_publish_rate(cmd_parms *cmd, void *unused, const char *rate,
                                               const char *burst);

/** GripChatRetention: All, or an age or a count or both. */
const char *conf_directive_limits_retention(cmd_parms *cmd, void *unused, const char *first,
                                            const char *second);

#endif
