/* Checks of the things outside httpd: the database's place and driver, and the proxies' URLs. Each
 * returns NULL, or the fault and the remedy, as the end of a sentence. */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "chat_database.h"
#include "grip_url.h"

/**
 * Whether the run user can keep a database there. Its driver must be installed, and its folder
 * must exist and be writable. The folder must be on a file system through which memory can be
 * shared (SQLite's WAL needs that). The file, if it is there, must be writable.
 */
const char *conf_check_database(const chat_database_spec_t *spec, apr_pool_t *pool);

/**
 * Whether a well-formed GRIP_URL can be that of a proxy. It must have everything that Fastly's API
 * needs, and must not be Pushpin's port for clients or a URL that already ends in publish.
 */
const char *conf_check_proxy(const grip_proxy_t *proxy, apr_pool_t *pool);

/** Whether a proxy is Fastly's API, which signs with a key pair of its own. */
int conf_check_is_fastly(const grip_proxy_t *proxy, apr_pool_t *pool);

/** Whether two proxies are one, however their host is written; loopback names are one host. */
int conf_check_same_proxy(const grip_proxy_t *a, const grip_proxy_t *b, apr_pool_t *pool);

/** A database's path in the one form that tells files apart: links followed as far as they exist. */
const char *conf_check_real_path(const char *path, apr_pool_t *pool);

/** Whether a socket can be made at a path; NULL is none and fine. */
const char *conf_check_socket(const char *path, apr_pool_t *pool);

#endif
