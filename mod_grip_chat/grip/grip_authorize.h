/* How a publish is authorized. */
#ifndef GRIP_AUTHORIZE_H
#define GRIP_AUTHORIZE_H

#include <apr_time.h>

#include "grip_url.h"

/** How long a bearer token made from iss and key is good; the official libraries do the same. */
#define GRIP_AUTHORIZE_LIFETIME apr_time_from_sec(600)

/**
 * Make the value of the Authorization header.
 *
 * @param value  a secret, owned by pool; NULL if the proxy wants none
 * @param proxy  only read
 * @param now    the wall clock's time, from which a token is good
 * @param pool   owns the value
 * @return APR_SUCCESS, or APR_EGENERAL if no token could be signed
 */
apr_status_t grip_authorize(const char **value, const grip_proxy_t *proxy, apr_time_t now,
                            apr_pool_t *pool);

#endif
