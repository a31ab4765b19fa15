#include "gc_log.h"

#include <stdarg.h>

#include <apr_strings.h>

void gc_log_line(const gc_log_t *log, gc_log_level_e level, apr_status_t rv, const char *format,
                 ...)
{
    char line[1024];
    va_list args;

    if (!log || level > log->level) {
        return;
    }
    va_start(args, format);
    apr_vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    log->print(level, rv, line, log->baton);
}
