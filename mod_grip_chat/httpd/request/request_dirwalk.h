/* The walk over the file system that httpd does for each request, to find the <Directory> sections
 * and the .htaccess files that apply. Our addresses name no file, so the walk finds the same
 * folders again and again: the kernel's answers for them are remembered for a second. Only the
 * questions to the kernel are skipped, no other part of the walk. */
#ifndef REQUEST_DIRWALK_H
#define REQUEST_DIRWALK_H

#include <apr_pools.h>

/** Register the hooks of this file. */
void request_dirwalk_hooks(apr_pool_t *pool);

#endif
