/* Whether a proxy of ours sent a request. */
#ifndef REQUEST_PROXIED_H
#define REQUEST_PROXIED_H

#include "conf_site.h"

/**
 * Judge a request's Grip-Sig, if it has one. One that is not taken is logged; so is the first of
 * each proxy that names the proxy's features.
 *
 * @param site  the site of the proxies
 * @param now   of the wall clock
 * @return whether the request came through a proxy of the site
 */
int request_is_proxied(const conf_site_t *site, request_rec *r, apr_time_t now);

#endif
