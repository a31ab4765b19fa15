/* A child's connection, as the keeper's loop sees it: one job at a time comes in, one reply goes out.
 * Owned by the loop's thread; malloc'ed, since connections come and go for as long as httpd runs. */
#ifndef KEEPER_CONNECTION_H
#define KEEPER_CONNECTION_H

#include "keeper_wire.h"
#include "keeper_writer.h"

/** A connection. */
typedef struct keeper_connection_t {
    int fd;          /**< -1 once it is closed */
    char *frame;     /**< what has arrived of the next job; while is_busy the job's strings */
    apr_size_t have; /**< bytes at frame */
    apr_size_t room; /**< allocated at frame */
    int is_busy;     /**< its job is with a writer: the connection must live until it is back */
    keeper_task_t task;
} keeper_connection_t;

/** What a read came to. */
typedef enum keeper_read_e {
    KEEPER_READ_MORE,  /**< no whole job yet */
    KEEPER_READ_JOB,   /**< a job is there: read it from frame */
    KEEPER_READ_CLOSED /**< the child is gone, or does not speak our language */
} keeper_read_e;

/** Take over an accepted, non-blocking socket. @return NULL if memory is short */
keeper_connection_t *keeper_connection_create(int fd);

/** Read what has arrived. Only while not is_busy. */
keeper_read_e keeper_connection_read(keeper_connection_t *connection);

/** Send a reply and make room for the next job. @return 0 if the child cannot be told any more */
int keeper_connection_reply(keeper_connection_t *connection, const keeper_reply_t *reply);

/** Close the socket, and free the connection unless it is busy. */
void keeper_connection_close(keeper_connection_t *connection);

#endif
