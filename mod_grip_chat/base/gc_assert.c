#include "gc_assert.h"

#ifdef GC_ASSERTIONS

#include <stdlib.h>
#include <unistd.h>

#include <apr_strings.h>

void gc_assert_failed(const char *condition, const char *file, int line)
{
    char text[512];
    int len = apr_snprintf(text, sizeof(text), "%s:%d: GC_ASSERT(%s) does not hold\n", file, line,
                           condition);
    ssize_t written = write(STDERR_FILENO, text, (size_t)len);

    (void)written; /* the process ends all the same */
    abort();
}

int gc_owner_is_self(const gc_owner_t *owner)
{
    return !owner->is_taken || apr_os_thread_equal(owner->thread, apr_os_thread_current());
}

void gc_owner_take(gc_owner_t *owner)
{
    owner->thread = apr_os_thread_current();
    owner->is_taken = 1;
}

#endif
