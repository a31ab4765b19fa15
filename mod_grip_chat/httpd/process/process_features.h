/* The features that proxies name, logged once for each proxy. */
#ifndef PROCESS_FEATURES_H
#define PROCESS_FEATURES_H

#include "conf_site.h"

/**
 * Make the marks of proxies that were logged, in memory that the children share. In the parent,
 * before it forks.
 *
 * @param sites  the first of all; without memory their proxies are not logged
 * @param s      for the log
 * @param pconf  owns it; so each restart logs them again
 */
void process_features_map(conf_site_t *sites, server_rec *s, apr_pool_t *pconf);

/**
 * Note a request that a proxy has signed. The first one of each proxy with a Grip-Feature header is logged.
 *
 * @param site   the site of the proxy
 * @param proxy  the signer of the request; NULL, for an unknown one, does nothing
 * @param r      the request
 */
void process_features_note(const conf_site_t *site, const grip_proxy_t *proxy, request_rec *r);

#endif
