/* Keys and secrets that a site would believe although everybody knows them, or that are missing. What is wrong
 * with them lets a site run, so it is a warning, at each start and in configtest. */
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
