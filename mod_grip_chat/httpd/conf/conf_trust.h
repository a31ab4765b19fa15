/* Keys and secrets that are public, or that are missing. A site runs in spite of such a fault, so
 * it is a warning, at each start and in configtest. */
#ifndef CONF_TRUST_H
#define CONF_TRUST_H

#include "conf_site.h"

/**
 * Warn of proxies without a key, or with one that proxies are delivered with.
 *
 * @param source  the setting that names the proxies
 */
void conf_trust_warn_keys(const server_rec *s, const conf_site_t *site, const char *source);

/**
 * Warn of a secret that is a placeholder, or too short.
 *
 * @param source  the setting that names it
 */
void conf_trust_warn_secret(const server_rec *s, const conf_site_t *site, const char *source,
                            const char *secret);

#endif
