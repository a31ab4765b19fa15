/* Assertions: a check of what one part of this program promises another. A build has them where configure is
 * given --enable-assertions, as ./dev check does; then a violated one ends the process. Any other build has
 * neither the checks nor their texts. They are never for input: what comes from outside, from a file, or from
 * another process may be anything, and is answered. */
#ifndef GC_ASSERT_H
#define GC_ASSERT_H

#include <apr_portable.h>

/** The thread that a thing belongs to. All zero: it belongs to no thread yet, and every thread may use it. */
typedef struct gc_owner_t {
    apr_os_thread_t thread;
    int is_taken;
} gc_owner_t;

#ifdef GC_ASSERTIONS

/** Name the place and the condition on standard error, which is the error log of an Apache, and abort. */
void gc_assert_failed(const char *condition, const char *file, int line) __attribute__((noreturn));

/** Whether this thread may use the thing. Thread-safe while no thread takes it. */
int gc_owner_is_self(const gc_owner_t *owner);

/** End the process unless a condition holds. It has no side effects, as most builds leave it out. */
#define GC_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : gc_assert_failed(#condition, __FILE__, __LINE__))

/** End the process unless this thread may use a thing, or that belongs to no thread yet. */
#define GC_ASSERT_OWNER(owner) GC_ASSERT(gc_owner_is_self(owner))

/** The thing belongs to this thread from now on. The thread that had it does not use it any more. */
void gc_owner_take(gc_owner_t *owner);

#else

/* Compiled, so that it stays correct, and never evaluated. */
#define GC_ASSERT(condition)   ((void)(0 && (condition)))
#define GC_ASSERT_OWNER(owner) ((void)(owner))
static inline void gc_owner_take(gc_owner_t *owner)
{
}

#endif

#endif
