/* A notice tells watching children of a stored message: it has the event that readers get, so that
 * no child has to read the room. A notice may be lost or come twice, and the events of a room may
 * come with a gap. The position in each notice shows that.
 * Lives in the keeper, in a writer's thread, and in a child, in its loop's thread. A notice points
 * into the bytes that it was read from. */
#ifndef IPC_NOTICE_H
#define IPC_NOTICE_H

#include "chat_store.h"
#include "gc_buffer.h"
#include "ipc_site.h"

/** A room that a job has changed. */
typedef struct ipc_moved_t {
    unsigned slot;
    ipc_version_t version;       /**< since the slot was bumped for it */
    const ipc_site_t *site;      /**< of the room */
    const chat_append_t *append; /**< the job, which was stored, now or before */
} ipc_moved_t;

/** The event of a message. */
typedef struct ipc_notice_t {
    ipc_version_t version; /**< as in ipc_moved_t */
    apr_int64_t position;  /**< of the event */
    const char *site;      /**< ipc_site_t's identity */
    const char *room;
    gc_slice_t text; /**< a piece of event stream */
} ipc_notice_t;

/** Append what a notice says of a message that was new. @return as chat_sse_append_event */
apr_status_t ipc_notice_append(gc_buffer_t *buffer, const ipc_moved_t *moved);

/** Read a notice that ipc_notice_append wrote; strings and text point into it. @return APR_SUCCESS,
 * or APR_EINVAL if it is no notice */
apr_status_t ipc_notice_read(ipc_notice_t *notice, gc_slice_t bytes);

#endif
