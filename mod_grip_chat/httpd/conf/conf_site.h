/* Sites, made from the directives of all servers. Virtual hosts that name the same database and
 * site are one site; others never share anything. */
#ifndef CONF_SITE_H
#define CONF_SITE_H

#include "conf_server.h"
#include "grip_sig_cache.h"
#include "ipc_site.h"
#include "room_view.h"

/** The event that a stream has when it was silent for a while. */
#define CONF_SITE_KEEP_ALIVE "event: keep-alive\ndata:\n\n"

/** A site as a server runs it. Made at configuration time; only reader and signatures are set later, in
 *  each child. */
typedef struct conf_site_t {
    ipc_site_t keeper;       /**< the part that the keeper knows */
    const char *server_name; /**< the virtual host that configured it, for messages */
    const char *host;        /**< its ServerName, "" where it has none */
    /** Of that host, with values of the environment and the .env file where it is silent; secret_key
     *  is NULL where the database has it. */
    conf_settings_t settings;
    const char *keep_alive_header; /**< the value of Grip-Keep-Alive */
    room_view_t *reader;           /**< this child's view of the database */
    grip_sig_cache_t *signatures; /**< signatures that this child has verified by the site's keys */
    volatile apr_uint32_t
        *told_features;       /**< for each proxy, shared by all children; NULL: not told */
    struct conf_site_t *next; /**< the next of all sites */
} conf_site_t;

/**
 * Make the sites of all servers, checking everything that can be checked before the start, and hang
 * each into its servers' configurations.
 *
 * @param first  the first site, NULL where there is none
 * @param main   the main server
 * @param pool   the configuration's
 * @param temp   cleared when httpd is configured
 * @return OK, or an HTTP status after a sentence was logged
 */
int conf_sites_make(conf_site_t **first, server_rec *main, apr_pool_t *pool, apr_pool_t *temp);

#endif
