/* Requests for rooms that another handler answers although SetHandler gives them to us. The causes
 * are rules of mod_rewrite in a <Directory> or .htaccess, as of WordPress, or a ProxyPass for the
 * whole host. The operator is told once for each host; the module does nothing else about them. */
#ifndef REQUEST_OTHERS_H
#define REQUEST_OTHERS_H

#include <apr_pools.h>

/** Register the hook of this file. */
void request_others_hooks(apr_pool_t *pool);

#endif
