/* Lines for whoever runs the service: `fastly log-tail` shows what is written to stderr. */
#ifndef EDGE_LOG_H
#define EDGE_LOG_H

/**
 * Write "edge: {what}: status {status}". That it cannot be written is nothing to tell anybody.
 *
 * @param what    what failed, not longer than 100 bytes
 * @param status  of the host interface
 */
void edge_log(const char *what, int status);

#endif
