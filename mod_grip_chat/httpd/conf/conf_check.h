/* Checks of what lies outside httpd: the database's place and driver, and the proxies' URLs. Each
 * answers NULL, or what is wrong and what to write instead, as the end of a sentence. */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "chat_database.h"
#include "grip_url.h"

/**
 * Whether the run user can keep a database there: its driver is installed, its folder exists and can
 * be written, it is on a file system that memory can be shared through (SQLite's WAL needs that), and
 * the file, if it is there, can be written.
 */
const char *conf_check_database(const chat_database_spec_t *spec, apr_pool_t *pool);

/**
 * Whether a well-formed GRIP_URL can be that of a proxy: what Fastly's API needs is all there, and it
 * is not Pushpin's port for clients or a URL that already ends in publish.
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
