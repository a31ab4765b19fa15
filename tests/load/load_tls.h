/* The client's side of TLS, on sockets that do not block. */
#ifndef LOAD_TLS_H
#define LOAD_TLS_H

#include <stddef.h>

#include <sys/types.h>

/** The context that all connections of a run share. */
typedef struct ssl_ctx_st load_tls_context_t;

/** A connection. */
typedef struct ssl_st load_tls_t;

/** The next need of a handshake. */
typedef enum load_tls_e {
    LOAD_TLS_DONE,
    LOAD_TLS_WANTS_READ,
    LOAD_TLS_WANTS_WRITE,
    LOAD_TLS_FAILED
} load_tls_e;

/** Make what connections share; any certificate will do. @return NULL: no memory */
load_tls_context_t *load_tls_context_create(void);

/** Begin on a connected socket, which stays the caller's. @return NULL: no memory */
load_tls_t *load_tls_create(load_tls_context_t *context, int fd);

/** Go on with the handshake. */
load_tls_e load_tls_shake(load_tls_t *tls);

/**
 * Read as recv does. A record may be longer than what is asked for, and its rest makes no socket ready: read
 * until there is nothing.
 *
 * @return bytes; 0 at the end; -1 with errno, EAGAIN where nothing has come
 */
ssize_t load_tls_read(load_tls_t *tls, void *out, size_t size);

/** Write all of it, which a new connection takes. @return whether it was taken */
int load_tls_write(load_tls_t *tls, const void *data, size_t len);

/** Forget a connection; NULL is none. */
void load_tls_destroy(load_tls_t *tls);

#endif
