/* Lines for the operator of the service: `fastly log-tail` shows the text on stderr. */
#ifndef EDGE_LOG_H
#define EDGE_LOG_H

/**
 * Write "edge: {what}: status {status}". That it cannot be written is nothing to tell anybody.
 *
 * @param what    the failed action, not longer than 100 bytes
 * @param status  of the host interface
 */
void edge_log(const char *what, int status);

#endif
