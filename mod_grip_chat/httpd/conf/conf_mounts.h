/* Where the rooms of a host are mounted: the paths that may stand before "rooms/". GripChatMount
 * names them; else they are the part before "rooms/" in the path of each section that sets our
 * handler. */
#ifndef CONF_MOUNTS_H
#define CONF_MOUNTS_H

#include "conf_server.h"

/**
 * Take part in httpd's SetHandler, and note where it names our handler: in the configuration for
 * conf_mounts_find, in an .htaccess for the requests that it counts for.
 *
 * @return NULL
 */
const char *conf_mounts_note(cmd_parms *cmd, void *dir_conf, const char *handler);

/**
 * Find the mounts of a server, when all of the configuration has been read.
 *
 * @param out   of const char *, owned by pool: each begins and ends with a slash; empty where no section tells
 *              one. Untouched on failure
 * @param pool  the configuration's
 * @return NULL, or a sentence that says which section does not tell its mount, owned by pool
 */
const char *conf_mounts_find(apr_array_header_t **out, const server_rec *s, apr_pool_t *pool);

/**
 * Find the mount of a folder that has our handler: by its address below the document root.
 *
 * @param folder  absolute, with its last slash
 * @param root    the document root, or NULL
 * @return the mount, owned by pool; NULL where the folder does not tell it
 */
const char *conf_mounts_of_folder(const char *folder, const char *root, apr_pool_t *pool);

#endif
