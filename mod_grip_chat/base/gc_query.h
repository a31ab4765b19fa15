/* The query of a URI (RFC 3986, section 3.4), as a list of name=value parameters between "&". */
#ifndef GC_QUERY_H
#define GC_QUERY_H

#include "gc_slice.h"

/**
 * Find a parameter of a query. Pure.
 *
 * @param value  not decoded, lies in query; the last one of the name that is not empty; untouched on failure
 * @param query  without its "?"; any text, need not be well-formed
 * @param name   as it stands in the query: neither is decoded
 * @return APR_SUCCESS, or APR_ENOENT
 */
apr_status_t gc_query_parameter(gc_slice_t *value, const char *query, const char *name);

#endif
