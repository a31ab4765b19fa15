/* A child's connection: one job at a time comes in, one reply goes out. It belongs to one thread at
 * a time: the loop's until its first job has arrived, then the thread of the writer for the job's
 * database. It is malloc'ed, since connections come and go for as long as httpd runs.
 * Lives in the keeper. The thread that has it frees it, by release or close. */
#ifndef KEEPER_CONNECTION_H
#define KEEPER_CONNECTION_H

#include "keeper_task.h"

/** A job as it arrives. */
typedef struct keeper_received_t {
    keeper_task_t task; /**< the task that it becomes; its strings are in frame */
    apr_size_t have;    /**< bytes at frame */
    apr_size_t room;    /**< allocated at frame */
    char frame[];
} keeper_received_t;

/** A connection. */
typedef struct keeper_connection_t {
    int fd;
    keeper_received_t *received; /**< malloc'ed; NULL while nothing of the next job has arrived */
    ipc_job_kind_e kind;         /**< while is_busy: of its job */
    int is_busy;                 /**< its job is being done: it has no reply yet */
    ipc_reply_t reply;           /**< while is_busy: the reply so far */
    keeper_task_t pass;          /**< to pass it from thread to thread */
} keeper_connection_t;

/** The result of a read. */
typedef enum keeper_read_e {
    KEEPER_READ_MORE,  /**< no whole job yet */
    KEEPER_READ_JOB,   /**< a job is there: read it from received */
    KEEPER_READ_CLOSED /**< the child is gone, or sent no valid frame */
} keeper_read_e;

/** Take over an accepted, non-blocking socket. @return NULL if memory is short */
keeper_connection_t *keeper_connection_create(int fd);

/** Read the bytes that have arrived. Only while not is_busy and no whole job is there. */
keeper_read_e keeper_connection_read(keeper_connection_t *connection);

/** Whether a whole job is there. */
int keeper_connection_has_job(const keeper_connection_t *connection);

/** The part of the next job that has arrived; empty for nothing. */
gc_slice_t keeper_connection_frame(const keeper_connection_t *connection);

/** Take the job out of the connection, with its strings; the caller frees it. */
keeper_received_t *keeper_connection_take(keeper_connection_t *connection);

/** Send a reply and make room for the next job. @return 0 if the child cannot be told any more */
int keeper_connection_reply(keeper_connection_t *connection, const ipc_reply_t *reply);

/**
 * Free all but the socket, which is the caller's then. No poll set watches it any more. @return
 * the socket
 */
int keeper_connection_release(keeper_connection_t *connection);

/** Close the socket and free all. No poll set watches it any more. */
void keeper_connection_close(keeper_connection_t *connection);

#endif
