/* The directives that say what a site is and where its parts are, unless their argument is a plain
 * one. Each handler checks its own arguments; conf_site.c checks the rest when all directives are
 * read. They are of httpd's form and answer NULL, or a sentence for httpd, owned by cmd->pool. */
#ifndef CONF_DIRECTIVE_SITE_H
#define CONF_DIRECTIVE_SITE_H

#include "mod_grip_chat.h"

/** GripChatDatabase: a driver and its parameters. */
const char *conf_directive_site_database(cmd_parms *cmd, void *unused, const char *driver,
                                         const char *params);

/** GripChatSite. */
const char *conf_directive_site_name(cmd_parms *cmd, void *unused, const char *arg);

/** GripChatMount, once for each path. */
const char *conf_directive_site_mount(cmd_parms *cmd, void *unused, const char *arg);

/** GripChatEnvFile. */
const char *conf_directive_site_env_file(cmd_parms *cmd, void *unused, const char *arg);

/** GripChatGripURL, once for each URL. */
const char *conf_directive_site_grip_url(cmd_parms *cmd, void *unused, const char *arg);

/** GripChatChannelPrefix. */
const char *conf_directive_site_channel_prefix(cmd_parms *cmd, void *unused, const char *arg);

/** GripChatSocket. */
const char *conf_directive_site_socket(cmd_parms *cmd, void *unused, const char *arg);

#endif
