/* The frames between a child and the keeper, on a stream socket of this machine: a length, a
 * version and a kind, then the fields. ipc_frame.c has the table of the bytes. A child that stays
 * through a graceful restart may be of an older version of the module.
 * Lives in a child and in the keeper, in any thread. Frames are in their callers' buffers. */
#ifndef IPC_FRAME_H
#define IPC_FRAME_H

#include "chat_store.h"
#include "gc_buffer.h"

/** Of this layout of frames. */
#define IPC_FRAME_VERSION 4

/** The largest frame: the longest text, names and room to spare. */
#define IPC_FRAME_MAX_BYTES (CHAT_TEXT_MAX_BYTES + 16 * 1024)

/** The longest key of a job, idempotency key and digest. */
#define IPC_FRAME_KEY_MAX_BYTES 64

/** The kind of a job. */
typedef enum ipc_job_kind_e {
    IPC_JOB_READY = 1, /**< wait until the site's database is open; only site is set */
    IPC_JOB_APPEND = 2 /**< store an event and publish it */
} ipc_job_kind_e;

/** A job. Strings are NUL-terminated and never NULL. */
typedef struct ipc_job_t {
    ipc_job_kind_e kind;
    const char *site; /**< ipc_site_t's identity */
    chat_append_t
        append; /**< the event to store; the keeper fills in its site. IPC_JOB_READY: empty */
} ipc_job_t;

/** The outcome of a job. */
typedef enum ipc_status_e {
    IPC_DONE = 1,         /**< it is durable */
    IPC_UNKNOWN_SITE = 2, /**< this keeper has no such site (any more) */
    IPC_LOCKED = 3,       /**< another process holds the database */
    IPC_UNAVAILABLE = 4,  /**< the database cannot be used; nothing was stored */
    IPC_MALFORMED = 5,    /**< another version's frame */
    IPC_CONFLICT = 6      /**< the idempotency key was given to another message */
} ipc_status_e;

/** The answer to a job; the numbers are those of chat_event_t, 0 where nothing was stored. */
typedef struct ipc_reply_t {
    ipc_status_e status;
    apr_int64_t id;
    apr_int64_t position;
    apr_int64_t created_ms;
} ipc_reply_t;

/**
 * Append the frame by which a child asks to watch rooms on this connection, instead of sending
 * jobs. The frame names the layout of shared memory, because notices speak of its slots and
 * versions.
 */
void ipc_frame_append_watch(gc_buffer_t *buffer);

/** Bytes of that frame. */
#define IPC_FRAME_WATCH_BYTES (4 + 2 + 8)

/** Whether a whole frame asks to watch, in this version and of this layout of memory. */
int ipc_frame_is_watch(gc_slice_t frame);

/** A job without an event. Pure. */
ipc_job_t ipc_frame_job(ipc_job_kind_e kind, const char *site);

/** Append a job's frame. */
void ipc_frame_append_job(gc_buffer_t *buffer, const ipc_job_t *job);

/** Where in a job's frame is_repeat stands as one byte, so that it can be set in a frame sent again. */
#define IPC_FRAME_REPEAT_OFFSET 6

/** Append a reply's frame. */
void ipc_frame_append_reply(gc_buffer_t *buffer, const ipc_reply_t *reply);

/** Bytes of a reply's frame. */
#define IPC_FRAME_REPLY_BYTES (4 + 2 + 3 * 8)

/**
 * Tell how long the frame at the front of some bytes is, its length field included.
 *
 * @param size  untouched on failure
 * @return APR_SUCCESS; APR_INCOMPLETE if not even the length is there; APR_EINVAL if it is beyond
 *         IPC_FRAME_MAX_BYTES
 */
apr_status_t ipc_frame_size(gc_slice_t bytes, apr_size_t *size);

/**
 * Read a job from a whole frame; its strings point into the frame.
 *
 * @return APR_SUCCESS, or APR_EINVAL if it is not a job of this version
 */
apr_status_t ipc_frame_read_job(ipc_job_t *job, gc_slice_t frame);

/** Read a reply from a whole frame. @return APR_SUCCESS, or APR_EINVAL */
apr_status_t ipc_frame_read_reply(ipc_reply_t *reply, gc_slice_t frame);

#endif
