/* How the layers below httpd/ report: a handle passed by argument, so that nothing here is global
 * and tests can listen. */
#ifndef GC_LOG_H
#define GC_LOG_H

#include <apr_errno.h>

/** How bad it is, as httpd counts it. */
typedef enum gc_log_level_e {
    GC_LOG_ERR,     /**< the operator must act */
    GC_LOG_WARNING, /**< degraded, and tried again */
    GC_LOG_NOTICE,  /**< start and stop */
    GC_LOG_INFO,    /**< facts about the configuration */
    GC_LOG_DEBUG    /**< one request, one job */
} gc_log_level_e;

/** Takes one finished line, "GC0101: …", with the status that caused it (APR_SUCCESS if none). */
typedef void gc_log_print_fn(gc_log_level_e level, apr_status_t rv, const char *line, void *baton);

/** Where lines go. */
typedef struct gc_log_t {
    gc_log_level_e level; /**< lines above this are not even formatted */
    gc_log_print_fn *print;
    void *baton;
} gc_log_t;

/**
 * Log one line. Thread-safe if the print function is.
 *
 * @param log     where to; NULL drops the line
 * @param level   how bad it is
 * @param rv      the status behind it, or APR_SUCCESS
 * @param format  as apr_snprintf; a line is cut at 1,024 bytes. Never keys, tokens or message text.
 */
void gc_log_line(const gc_log_t *log, gc_log_level_e level, apr_status_t rv, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

#endif
