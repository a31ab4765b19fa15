/* What proxies say that they can do, told once in the log. */
#ifndef PROCESS_FEATURES_H
#define PROCESS_FEATURES_H

#include "conf_site.h"

/**
 * Make the marks of who was told of, in memory that the children share. In the parent, before it forks.
 *
 * @param sites  the first of all; where there is no memory their proxies are not told of
 * @param s      for the log
 * @param pconf  owns it; so each restart tells again
 */
void process_features_map(conf_site_t *sites, server_rec *s, apr_pool_t *pconf);

/**
 * Note a request that a proxy has signed. The first one of each proxy with a Grip-Feature header is logged.
 *
 * @param site   whose proxy it is
 * @param proxy  who signed the request; NULL, where nobody knows, is nothing
 * @param r      the request
 */
void process_features_note(const conf_site_t *site, const grip_proxy_t *proxy, request_rec *r);

#endif
