/* The walk over the file system that httpd does for each request, to find the <Directory> sections and the
 * .htaccess files that it falls under. Our addresses name no file, so the walk finds the same folders again
 * and again: what it was told of them is remembered for a second. Nothing of the walk is skipped but
 * the questions to the kernel. */
#ifndef REQUEST_DIRWALK_H
#define REQUEST_DIRWALK_H

#include <apr_pools.h>

/** Register the hooks of this file. */
void request_dirwalk_hooks(apr_pool_t *pool);

#endif
